"""Quality class by class: a catalogue of metrics, a table of classes and models, and its orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError
from core.evaluate import Evaluation, ModelResult
from core.metrics import CUTOFFS, METRICS, QueryResults
from core.metrics.score_interval import difference_interval, mean_interval

Order = Literal["difficulty", "spread", "name", "support"]
_Interval = Callable[[NDArray[np.float64]], tuple[float, float]]


@dataclass(frozen=True)
class ClassValues:
    """One number a class.

    Attributes:
        values: the number of each class, NaN where nothing counts, ``float64``, shape ``(C,)``.
        low, high: its 95% interval, shape ``(C,)``.
        support: how many queries count, ``intp``, shape ``(C,)``.
    """

    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    support: NDArray[np.intp]


@dataclass(frozen=True)
class ClassMetric:
    """A number between 0 and 1 for each class; higher is better.

    Attributes:
        name: key in links and files.
        title: heading.
        definition: one plain sentence, shown as a tooltip.
        values: its values for one model, given the number of classes.
        differences: those of one model less those of another on the same images, with paired intervals.
    """

    name: str
    title: str
    definition: str
    values: Callable[[ModelResult, int], ClassValues]
    differences: Callable[[ModelResult, ModelResult, int], ClassValues]


def query_metric(
    name: str, title: str, definition: str, per_query: Callable[[QueryResults], NDArray[np.float64]]
) -> ClassMetric:
    """A metric that is the mean over a class's counted queries of values in [0, 1], shape ``(c,)``."""

    def values(model: ModelResult, classes: int) -> ClassValues:
        return _by_class(per_query(model.results), model.results.codes, classes, mean_interval)

    def differences(model: ModelResult, baseline: ModelResult, classes: int) -> ClassValues:
        gaps = per_query(model.results) - per_query(baseline.results)
        return _by_class(gaps, model.results.codes, classes, difference_interval)

    return ClassMetric(name, title, definition, values, differences)


def _precision_at(k: int) -> ClassMetric:
    words = f"Of the first {k} most similar images, the share that have the query's class, averaged over its queries."
    title = "P@1 (hit@1)" if k == 1 else f"P@{k}"
    return query_metric(f"precision_at_{k}", title, words, lambda results: results.precision[:, k - 1])


def _same_as(name: str) -> ClassMetric:
    metric = METRICS[name]
    return query_metric(name, metric.title, metric.definition, metric.per_query)


CLASS_METRICS: dict[str, ClassMetric] = {
    metric.name: metric
    for metric in (
        *(_precision_at(k) for k in range(1, CUTOFFS + 1)),
        _same_as("r_precision"),
        _same_as("map_at_r"),
    )
}


@dataclass(frozen=True)
class ClassTable:
    """A metric for every class and model, NaN where a class has no counted query.

    Attributes:
        classes: C class names.
        models: M model names.
        values: ``float64``, shape ``(C, M)``.
        low, high: 95% interval of each value, shape ``(C, M)``.
        support: queries counted in each class, ``intp``, shape ``(C,)``.
    """

    classes: list[str]
    models: list[str]
    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    support: NDArray[np.intp]

    def order(self, by: Order) -> NDArray[np.intp]:
        """Places of the classes, shape ``(C,)``; equal ones keep the order of names, those without value come last.

        Args:
            by: ``difficulty`` (least mean over the models first), ``spread`` (largest difference between models
                first), ``name``, or ``support`` (most queries first).
        """
        keys: Mapping[str, NDArray[np.float64]] = {
            "difficulty": self.values.mean(axis=1),
            "spread": self.values.min(axis=1) - self.values.max(axis=1),
            "name": np.zeros(len(self.classes)),
            "support": -self.support.astype(np.float64),
        }
        by_name = np.argsort(np.array(self.classes), kind="stable")
        # Means over equal models may differ in the last digit; that must not decide.
        return np.asarray(by_name[np.argsort(keys[by][by_name].round(12), kind="stable")])


def class_table(evaluation: Evaluation, metric: ClassMetric) -> ClassTable:
    """A metric of every model of an evaluation, for every class of its dataset."""
    classes = len(evaluation.dataset.classes)
    return _table(evaluation, {name: metric.values(model, classes) for name, model in evaluation.models.items()})


def difference_table(evaluation: Evaluation, metric: ClassMetric, baseline: str) -> ClassTable:
    """How much higher the metric of every other model is than that of ``baseline``, with paired intervals.

    Intervals are not corrected for the number of classes: of twenty classes without any difference, expect one whose
    interval leaves out 0.

    Raises:
        LikenessError: the baseline is not among the models, or is the only one.
    """
    others = [name for name in evaluation.models if name != baseline]
    if baseline not in evaluation.models or not others:
        raise LikenessError(
            f"Models were to be compared with {baseline}, but there are {', '.join(evaluation.models)}: "
            "name one of them, and choose at least two."
        )
    first, classes = evaluation.models[baseline], len(evaluation.dataset.classes)
    return _table(evaluation, {name: metric.differences(evaluation.models[name], first, classes) for name in others})


def _table(evaluation: Evaluation, columns: Mapping[str, ClassValues]) -> ClassTable:
    found = list(columns.values())
    values, low, high = (
        np.stack(side, axis=1) for side in ([c.values for c in found], [c.low for c in found], [c.high for c in found])
    )
    return ClassTable(list(evaluation.dataset.classes), list(columns), values, low, high, found[0].support)


def _by_class(values: NDArray[np.float64], codes: NDArray[np.intp], classes: int, interval: _Interval) -> ClassValues:
    """Mean of each class's values, shape ``(c,)``, with its interval."""
    support = np.bincount(codes, minlength=classes)
    starts = np.concatenate([[0], np.cumsum(support)])
    ordered = values[np.argsort(codes, kind="stable")]
    found = np.full((3, classes), np.nan)
    for code in np.flatnonzero(support).tolist():
        part = ordered[starts[code] : starts[code + 1]]
        found[:, code] = part.mean(), *interval(part)
    return ClassValues(found[0], found[1], found[2], support)
