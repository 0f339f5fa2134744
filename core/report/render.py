"""From findings to the HTML file. Every name is escaped: by the template, or by :func:`core.report.svg.element`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from core import files
from core.answer_words import aim, caveats, frequency, sentences
from core.metrics import METRICS
from core.metrics.rates import RATES
from core.metrics.verification import Estimate
from core.palette import blend
from core.per_class import ClassTable
from core.records import SPLITS
from core.report import model_figures, openings, pair_figures
from core.report.data import class_counts, seen_before, skipped_groups
from core.report.findings import Findings
from core.report.map_figure import draw_map
from core.report.pictures import Pictures
from core.report.provenance import definitions, facts, networks
from core.store import EmbeddingStore
from core.thresholds import REPORTED
from core.verify import SUMMARIES
from core.words import count, interval, listed, literal, share

_SHOWN_CLASSES, _SHOWN_CONFUSED, _SHOWN_SUSPECTS = 25, 10, 12
_LEAST_RANGE = 0.1  # values closer together than this do not take the whole scale of colours


def render(found: Findings, store: EmbeddingStore, made: datetime, command: str) -> str:
    """The report as HTML; the same findings give the same text.

    Args:
        found: what to show.
        store: has the thumbnails.
        made: when, in local time.
        command: the command line that makes it again.
    """
    page = _ENVIRONMENT.get_template("report.html")
    pictures = Pictures(found.answer.dataset, store)
    return page.render(
        found=found, answer=found.answer, threshold=found.answer.threshold, dataset=found.answer.dataset,
        paragraph=sentences(found.answer), caveats=caveats(found.answer), openings=openings, picture=pictures,
        figures=_figures(found), map=None if found.map is None else draw_map(found.answer.dataset, found.map),
        class_rows=_class_rows(found.classes), shown_classes=_SHOWN_CLASSES, shown_confused=_SHOWN_CONFUSED,
        shown_suspects=_SHOWN_SUSPECTS, class_counts=class_counts(found.answer.dataset),
        skipped=skipped_groups(found.answer.dataset.skipped), seen=seen_before(found.answer.test),
        facts=facts(found.answer, made, command), networks=networks(found.answer), definitions=definitions(), made=made,
    )  # fmt: skip


def write(path: Path, html: str) -> None:
    """Write a report; raises a LikenessError where the file cannot be written."""
    files.write_bytes(path, html.encode())


@dataclass(frozen=True)
class Cell:
    """A cell of the table of classes: text, a background, and the interval for whoever points at it."""

    text: str
    colour: str
    interval: str


@dataclass(frozen=True)
class ClassRow:
    """A class: name, number of queries, and a cell for each model."""

    name: str
    support: int
    cells: tuple[Cell, ...]


def _class_rows(table: ClassTable) -> list[ClassRow]:
    """The hardest first; classes without queries are left out."""
    known = table.take(np.array([place for place in table.order("difficulty") if table.support[place]], np.intp))
    best = float(known.values.max())
    worst = min(float(known.values.min()), best - _LEAST_RANGE)
    return [
        ClassRow(
            name,
            int(known.support[row]),
            tuple(
                Cell(f"{value:.3f}", blend((value - worst) / (best - worst)), interval(*limits))
                for value, *limits in np.stack([known.values, known.low, known.high], axis=2)[row].tolist()
            ),
        )
        for row, name in enumerate(known.classes)
    ]


def _figures(found: Findings) -> dict[str, Markup]:
    answer = found.answer
    test, used = answer.test_pairs.verification, answer.threshold
    return {
        "intervals": model_figures.intervals(answer.test, answer.model),
        "latency": model_figures.accuracy_against_latency(answer.test, answer.model),
        "distributions": pair_figures.distributions(test, used.threshold),
        "det": pair_figures.det(test, used),
        "reliability": pair_figures.reliability(found.quality.points),
    }


def _estimate(estimate: Estimate) -> str:
    return f"{share(estimate.value)} {interval(*estimate.interval)}"


def _breakable(name: str) -> Markup:
    """A name that may be broken after its underscores."""
    return escape(literal(name)).replace("_", Markup("_<wbr>"))


def _limits(found: tuple[float, float]) -> str:
    return interval(*found)


def _shown(value: object) -> object:
    """Names as they are, less what would turn the direction of a line or is no character."""
    return literal(value) if isinstance(value, str) and not isinstance(value, Markup) else value


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True, finalize=_shown,
)  # fmt: skip
_ENVIRONMENT.globals.update(
    METRICS=METRICS, RATES=RATES, REPORTED=REPORTED, SPLITS=SPLITS, SUMMARIES=SUMMARIES, aim=aim,
    breakable=_breakable, count=count, estimate=_estimate, frequency=frequency, limits=_limits, listed=listed,
    share=share,
)  # fmt: skip
