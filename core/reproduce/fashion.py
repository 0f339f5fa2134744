"""Fashion retrieval: of the five products most similar to a photo, how many are of its kind?

The source took the ten largest classes of Fashion Product Images, split them 70/15/15 by class, let validation images
ask train, and compared six pre-trained networks by four metrics; :mod:`core.reproduce.fashion_published` has them.
"""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.backbones import Backbone
from core.embed import embed
from core.evaluate import Evaluation, ModelResult, Protocol, evaluate
from core.per_class import CLASS_METRICS, ClassTable, class_table
from core.progress import Progress, silent
from core.records import Dataset, SkippedFile
from core.reproduce.fashion_published import ASSUMED, FOUR, PUBLISHED, SETTING, UNNAMED, Published
from core.store import EmbeddingStore

TOP_CLASSES = 10
SPREAD = ("lowest", "median", "highest")
_DECIMALS = 4  # of the published figures
_GALLERY = "train"
# Of a model that was run here; null in the others.
_OURS = (*FOUR, "ci", "per_class_precision_at_5", "per_class_ci", "queries", "fingerprint")
Place = Literal["below", "inside", "above"]


@dataclass(frozen=True)
class Row:
    """One model: what it did here, what was published, or both.

    ``result`` is None for a model that is in the source alone, ``published`` for one that is not in it.
    """

    model: str
    result: ModelResult | None
    published: Published | None

    @property
    def places(self) -> dict[str, Place]:
        """Where each published figure lies, seen from our 95% interval; empty unless there are both."""
        if self.result is None or self.published is None:
            return {}
        return {name: _place(value, self.result.intervals[name]) for name, value in self.published.values.items()}


@dataclass(frozen=True)
class Fashion:
    """The evaluation, P@5 of every class with intervals, and the files that could not take part."""

    evaluation: Evaluation
    classes: ClassTable
    failed: tuple[SkippedFile, ...]

    @property
    def rows(self) -> list[Row]:
        """Our models, best first, then those that are in the source alone, in its order."""
        ours = self.evaluation.models
        return [
            *(Row(name, result, PUBLISHED.get(name)) for name, result in ours.items()),
            *(Row(name, None, published) for name, published in PUBLISHED.items() if name not in ours),
        ]

    def as_json(self) -> dict[str, Any]:
        """The result in the form of the command line's ``--json``."""
        dataset, protocol = self.evaluation.dataset, self.evaluation.protocol
        return {
            "protocol": "fashion",
            "dataset": dataset.ref,
            "dataset_fingerprint": dataset.fingerprint,
            "seed": dataset.options.seed,
            "top_classes": dataset.options.top_classes,
            "shares": list(dataset.options.shares),
            "split": protocol.split,
            "gallery": protocol.gallery,
            "published": f"{SETTING} {ASSUMED} {UNNAMED}",
            "table": [self._row_json(row) for row in self.rows],
            "tied_for_best": self.evaluation.tied,
            "failed": [{"path": file.path, "reason": file.reason} for file in self.failed],
        }

    def _row_json(self, row: Row) -> dict[str, Any]:
        published = row.published
        return {
            "model": row.model,
            **dict.fromkeys(_OURS),
            **({} if row.result is None else self._ours(row.result)),
            "published": published and {
                "name": published.name, **published.values, "per_class_precision_at_5": list(published.per_class),
            },
            "published_against_ci": row.places,
        }  # fmt: skip

    def _ours(self, result: ModelResult) -> dict[str, Any]:
        column = self.classes.models.index(result.backbone.name)
        low, high = self.classes.low[:, column], self.classes.high[:, column]
        ends = {name: (low[place], high[place]) for place, name in enumerate(self.classes.classes)}
        return {
            **{name: round(result.values[name], 6) for name in FOUR},
            "ci": _rounded({name: result.intervals[name] for name in FOUR}),
            "per_class_precision_at_5": {name: round(value, 6) for name, value in result.per_class.items()},
            "per_class_ci": _rounded({name: ends[name] for name in result.per_class}),
            "queries": len(result.results),
            "fingerprint": result.backbone.fingerprint,
        }


def reproduce(
    dataset: Dataset,
    models: Sequence[Backbone],
    store: EmbeddingStore,
    split: str = "test",
    progress: Progress = silent,
) -> Fashion:
    """Embed what is missing, let a split ask train, and put the four metrics beside the published ones.

    Args:
        dataset: Fashion Product Images cut to its ten largest classes, or any other with a train split.
        models: to compare, at least one.
        store: keeps what is computed.
        split: whose images ask. The source's are ``val``; by the rule of this project test is what is reported.
        progress: told of each stage.

    Raises:
        LikenessError: there is no model, or the split or train is empty.
    """
    reports = embed(dataset, models, store, progress)
    failed = dict.fromkeys(file for report in reports.values() for file in report.failed)
    # What cannot be decoded shows only when it is embedded; every other image keeps its split.
    found = evaluate(dataset.without(store.failures()), models, store, Protocol(split, _GALLERY), progress)
    return Fashion(found, class_table(found, CLASS_METRICS["precision_at_5"], store), tuple(failed))


def spread(per_class: Collection[float]) -> tuple[float, float, float]:
    """The lowest, the median and the highest of the classes: what can be compared without knowing which is which.

    >>> spread([0.5, 1.0, 0.75])
    (0.5, 0.75, 1.0)
    """
    return min(per_class), statistics.median(per_class), max(per_class)


def _place(value: float, interval: tuple[float, float]) -> Place:
    low, high = (round(end, _DECIMALS) for end in interval)
    if value < low:
        return "below"
    return "above" if value > high else "inside"


def _rounded(intervals: Mapping[str, tuple[float, float]]) -> dict[str, list[float]]:
    return {name: [round(float(end), 6) for end in ends] for name, ends in intervals.items()}
