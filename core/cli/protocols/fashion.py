"""``reproduce fashion``: the four metrics and the classes, ours beside the published ones, as tables."""

from __future__ import annotations

import argparse
import math
from typing import Any

from core.cli import options as shared
from core.cli.evaluate import asked
from core.cli.table import table
from core.metrics import METRICS
from core.progress import Progress
from core.records import SPLITS, Dataset
from core.reproduce import fashion
from core.reproduce.fashion_published import ASSUMED, FOUR, PUBLISHED, SETTING, UNNAMED
from core.store import EmbeddingStore

NAME = "fashion"
HELP = "product photos of the ten largest classes, four metrics of retrieval"
DEFAULTS: dict[str, Any] = {"dataset": "fashion", "top_classes": fashion.TOP_CLASSES}
REPORTS = ("test", "val")
_MARKS = {"inside": "=", "above": "+", "below": "-"}
_LEGEND = (
    "Published figures: = inside the 95% interval of ours, + above it, - below it. The interval is for other queries "
    "drawn\nlike ours; the source's images, split and preprocessing differ in ways that it does not cover."
)
_QUERIES = "Here queries are from test, reported once, unless --split val asks for validation, as the source did."


def run(
    options: argparse.Namespace, dataset: Dataset, store: EmbeddingStore, progress: Progress
) -> tuple[dict[str, Any], str]:
    """The tables as JSON and as text."""
    found = fashion.reproduce(dataset, shared.models(options), store, options.split, progress)
    return found.as_json(), _text(found)


def _text(found: fashion.Fashion) -> str:
    return "\n".join([
        asked(found.evaluation), _images(found),
        "", _four(found),
        "", _LEGEND, "", SETTING, ASSUMED, _QUERIES,
        "", "P@5 of the classes, which need no names to be compared:",
        "", _spread(found),
        "", "P@5 by class here (95% intervals: --json):",
        "", _by_class(found),
        "", f"P@5 by class as published. {UNNAMED}",
        "", _published_by_class(),
    ])  # fmt: skip


def _images(found: fashion.Fashion) -> str:
    dataset = found.evaluation.dataset
    sizes = ", ".join(f"{name} {len(dataset.rows(name)):,}" for name in SPLITS)
    skipped = f"; {len(found.failed):,} files skipped (python -m core embed lists them)" if found.failed else ""
    return f"{len(dataset):,} images in {len(dataset.classes)} classes ({sizes}), seed {dataset.options.seed}{skipped}"


def _four(found: fashion.Fashion) -> str:
    headings = ["model", *(cell for name in FOUR for cell in (METRICS[name].title, "published"))]
    return table(headings, [[row.model, *(c for name in FOUR for c in _cells(row, name))] for row in found.rows])


def _cells(row: fashion.Row, metric: str) -> tuple[str, str]:
    ours = published = "-"
    if row.result is not None:
        low, high = row.result.intervals[metric]
        ours = f"{row.result.values[metric]:.4f} [{low:.4f}-{high:.4f}]"
    if row.published is not None:
        # The blank keeps the digits of figures without a mark in line.
        published = f"{row.published.values[metric]:.4f} {_MARKS[row.places[metric]] if row.places else ' '}"
    return ours, published


def _spread(found: fashion.Fashion) -> str:
    rows = []
    for row in found.rows:
        ours = row.result and fashion.spread(row.result.per_class.values())
        theirs = row.published and fashion.spread(row.published.per_class)
        sides = ([_number(value) for value in side or (None,) * len(fashion.SPREAD)] for side in (ours, theirs))
        rows.append([row.model, *(cell for pair in zip(*sides, strict=True) for cell in pair)])
    return table(["model", *(cell for name in fashion.SPREAD for cell in (name, "published"))], rows)


def _by_class(found: fashion.Fashion) -> str:
    classes = found.classes
    queries = ["queries", *map(str, classes.support.tolist())]
    rows = [[name, *map(_number, column)] for name, column in zip(classes.models, classes.values.T, strict=True)]
    return table(["model", *classes.classes], [queries, *rows])


def _published_by_class() -> str:
    rows = [[one.name, *map(_number, one.per_class)] for one in PUBLISHED.values()]
    return table(["model", *map(str, range(fashion.TOP_CLASSES))], rows)


def _number(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.4f}"
