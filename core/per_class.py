"""Quality class by class: a catalogue of metrics, a table of classes and models, and its orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.class_errors import ClassErrors, class_errors
from core.errors import LikenessError
from core.evaluate import Evaluation, ModelResult
from core.metrics import CUTOFFS, METRICS, QueryResults
from core.metrics.score_interval import difference_interval, mean_interval
from core.store import EmbeddingStore
from core.thresholds import Objective, choose
from core.verify import verify

Order = Literal["difficulty", "spread", "name", "support"]
Better = Literal["higher", "lower"]
_Interval = Callable[[NDArray[np.float64]], tuple[float, float]]


@dataclass(frozen=True)
class ItemValues:
    """What a class's number is the mean of.

    Attributes:
        values: of each item, a query or an image; NaN where it does not count, shape ``(n,)``.
        codes: class of each item, shape ``(n,)``.
    """

    values: NDArray[np.float64]
    codes: NDArray[np.intp]


@dataclass(frozen=True)
class ClassMetric:
    """A number between 0 and 1 for each class.

    Attributes:
        name: key in links and files.
        title: heading.
        definition: one plain sentence, shown as a tooltip.
        items: what one model's numbers are the means of. The same items, in the same order, for all models.
        better: whether higher or lower is.
        counted: what an item is called, and several.
    """

    name: str
    title: str
    definition: str
    items: Callable[[ModelResult, EmbeddingStore], ItemValues]
    better: Better = "higher"
    counted: tuple[str, str] = ("query", "queries")


def query_metric(
    name: str, title: str, definition: str, per_query: Callable[[QueryResults], NDArray[np.float64]]
) -> ClassMetric:
    """A metric that is the mean over a class's counted queries of values in [0, 1], shape ``(c,)``."""
    return ClassMetric(
        name, title, definition, lambda model, store: ItemValues(per_query(model.results), model.results.codes)
    )


def pair_metric(
    name: str, title: str, definition: str, of: Callable[[ClassErrors], NDArray[np.float64]], better: Better = "higher"
) -> ClassMetric:
    """A metric that is the mean over a class's images of values made from their pairs, shape ``(n,)``."""

    def items(model: ModelResult, store: EmbeddingStore) -> ItemValues:
        errors = _pair_errors(model, store)
        return ItemValues(of(errors), errors.codes)

    return ClassMetric(name, title, definition, items, better, ("image", "images"))


def _precision_at(k: int) -> ClassMetric:
    words = f"Of the first {k} most similar images, the share that have the query's class, averaged over its queries."
    if k == 1:
        words = "The share of its queries whose single most similar image has their class."
    title = "P@1 (hit@1)" if k == 1 else f"P@{k}"
    return query_metric(f"precision_at_{k}", title, words, lambda results: results.precision[:, k - 1])


def _same_as(name: str) -> ClassMetric:
    metric = METRICS[name]
    return query_metric(name, metric.title, metric.definition, metric.per_query)


def _pair_errors(model: ModelResult, store: EmbeddingStore) -> ClassErrors:
    if model.pairs is None:
        raise LikenessError(
            "These queries make no pair of one class or none of two, so they have no recall and no EER. "
            "Choose another metric or other queries."
        )
    val = verify(model.pairs.dataset, model.backbone, store, "val")
    return class_errors(model.pairs, choose(val.verification, Objective("f1")).threshold, store)


CLASS_METRICS: dict[str, ClassMetric] = {
    metric.name: metric
    for metric in (
        *(_precision_at(k) for k in range(1, CUTOFFS + 1)),
        _same_as("r_precision"),
        _same_as("map_at_r"),
        pair_metric(
            "recall",
            "Recall",
            "Of pairs of images of the class, the share that is called the same at the model's own threshold, the one "
            "with the best F1 on validation.",
            lambda errors: errors.recall,
        ),
        pair_metric(
            "eer",
            "EER",
            "Equal error rate of the class: the mean of both error rates at its own threshold where they are closest, "
            "pairs within the class against pairs with another class. Lower is better.",
            lambda errors: errors.eer,
            better="lower",
        ),
    )
}


@dataclass(frozen=True)
class ClassTable:
    """A metric for every class and model, NaN where nothing counts in a class.

    Attributes:
        classes: C class names.
        models: M model names.
        values: ``float64``, shape ``(C, M)``.
        low, high: 95% interval of each value, shape ``(C, M)``.
        support: queries, or images for pair metrics, counted in each class, ``intp``, shape ``(C,)``.
        better: whether higher or lower values are.
    """

    classes: list[str]
    models: list[str]
    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    support: NDArray[np.intp]
    better: Better

    @property
    def goodness(self) -> NDArray[np.float64]:
        """The values, turned so that higher is better, shape ``(C, M)``."""
        return self.values if self.better == "higher" else -self.values

    def order(self, by: Order) -> NDArray[np.intp]:
        """Places of the classes, shape ``(C,)``; equal ones keep the order of names, those without value come last.

        Args:
            by: ``difficulty`` (worst mean over the models first), ``spread`` (largest difference between models
                first), ``name``, or ``support`` (most first).
        """
        keys: Mapping[str, NDArray[np.float64]] = {
            "difficulty": self.goodness.mean(axis=1),
            "spread": self.values.min(axis=1) - self.values.max(axis=1),
            "name": np.zeros(len(self.classes)),
            "support": -self.support.astype(np.float64),
        }
        by_name = np.argsort(np.array(self.classes), kind="stable")
        # Means over equal models may differ in the last digit; that must not decide.
        return np.asarray(by_name[np.argsort(keys[by][by_name].round(12), kind="stable")])

    def take(self, places: NDArray[np.intp]) -> ClassTable:
        """The same for these classes only, in this order; places of shape ``(c,)``."""
        return replace(
            self,
            classes=[self.classes[place] for place in places],
            values=self.values[places],
            low=self.low[places],
            high=self.high[places],
            support=self.support[places],
        )


def class_table(evaluation: Evaluation, metric: ClassMetric, store: EmbeddingStore) -> ClassTable:
    """A metric of every model of an evaluation, for every class of its dataset.

    Raises:
        LikenessError: a pair metric, and the queries or the validation images do not make pairs of both kinds.
    """
    columns = {name: metric.items(model, store) for name, model in evaluation.models.items()}
    return _table(evaluation, metric, columns, mean_interval)


def difference_table(evaluation: Evaluation, metric: ClassMetric, baseline: str, store: EmbeddingStore) -> ClassTable:
    """How much higher the metric of every other model is than that of ``baseline``, with paired intervals.

    Intervals are not corrected for the number of classes: of twenty classes without any difference, expect one whose
    interval leaves out 0.

    Raises:
        LikenessError: the baseline is not among the models, or is the only one; or as :func:`class_table`.
    """
    others = [name for name in evaluation.models if name != baseline]
    if baseline not in evaluation.models or not others:
        raise LikenessError(
            f"Models were to be compared with {baseline}, but there are {', '.join(evaluation.models)}: "
            "name one of them, and choose at least two."
        )
    first = metric.items(evaluation.models[baseline], store)
    columns = {}
    for name in others:
        items = metric.items(evaluation.models[name], store)
        columns[name] = ItemValues(items.values - first.values, items.codes)
    return _table(evaluation, metric, columns, difference_interval)


def _table(
    evaluation: Evaluation, metric: ClassMetric, columns: Mapping[str, ItemValues], interval: _Interval
) -> ClassTable:
    classes = evaluation.dataset.classes
    found = [_by_class(items, len(classes), interval) for items in columns.values()]
    values, low, high = np.stack([sides for sides, _ in found], axis=2)
    return ClassTable(list(classes), list(columns), values, low, high, found[0][1], metric.better)


def _by_class(items: ItemValues, classes: int, interval: _Interval) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Mean of each class's values with the ends of its interval, ``(3, classes)``, and how many there are."""
    known = ~np.isnan(items.values)
    values, codes = items.values[known], items.codes[known]
    support = np.bincount(codes, minlength=classes)
    starts = np.concatenate([[0], np.cumsum(support)])
    ordered = values[np.argsort(codes, kind="stable")]
    found = np.full((3, classes), np.nan)
    for code in np.flatnonzero(support).tolist():
        part = ordered[starts[code] : starts[code + 1]]
        found[:, code] = part.mean(), *interval(part)
    return found, support
