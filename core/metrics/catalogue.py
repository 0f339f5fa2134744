"""The retrieval metrics. Adding one is a function of :class:`QueryResults` and a line in ``METRICS``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from core.metrics.averaging import Average, average
from core.metrics.intervals import limits
from core.metrics.retrieval import CUTOFFS, QueryResults


@dataclass(frozen=True)
class Metric:
    """A number between 0 and 1, higher is better, that is an average over queries.

    Attributes:
        name: key in JSON results.
        title: column heading.
        definition: one plain sentence, shown as a tooltip.
        per_query: value of every counted query, shape ``(c,)``.
        average: ``query`` if every query counts the same, ``class`` if every class does.
    """

    name: str
    title: str
    definition: str
    per_query: Callable[[QueryResults], NDArray[np.float64]]
    average: Average = "query"

    def classes(self, results: QueryResults) -> NDArray[np.intp] | None:
        """The class codes to average by, shape ``(c,)``, or None: the ``classes`` of averages and intervals."""
        return results.codes if self.average == "class" else None

    def value(self, results: QueryResults) -> float:
        """Point estimate; raises :class:`LikenessError` if no query counts."""
        return average(self.per_query(results), self.classes(results))


def _precision_at_5(results: QueryResults) -> NDArray[np.float64]:
    return results.precision[:, 4]


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "precision_at_5",
            "P@5",
            "Of the five most similar images, the share that have the query's class, averaged over queries.",
            _precision_at_5,
        ),
        Metric(
            "retrieval_accuracy",
            "Retrieval accuracy",
            "The share of queries whose single most similar image has their class (hit@1).",
            lambda results: results.hit_at_1,
        ),
        Metric(
            "weighted_precision_at_5",
            "Weighted P@5",
            "P@5 of each class, averaged with the number of its queries as weight; this always equals P@5.",
            _precision_at_5,
        ),
        Metric(
            "macro_precision_at_5",
            "Macro P@5",
            "P@5 of each class, averaged so that every class counts the same however many queries it has.",
            _precision_at_5,
            average="class",
        ),
        Metric(
            "mrr",
            "MRR",
            "Mean of 1 ÷ the rank of the first image with the query's class, searching the whole gallery.",
            lambda results: results.reciprocal_rank,
        ),
        Metric(
            "map_at_r",
            "MAP@R",
            "Mean average precision over the first R results, R being how many images of the query's class there are "
            "to find: right images count for more the higher they rank.",
            lambda results: results.ap_at_r,
        ),
        Metric(
            "r_precision",
            "R-precision",
            "Of the first R results, the share that have the query's class, R being how many such images there are "
            "to find.",
            lambda results: results.r_precision,
        ),
    )
}


def summarise(results: QueryResults) -> dict[str, float]:
    """Point estimate of every metric in the catalogue, by name.

    Raises:
        LikenessError: no query counts.
    """
    return {name: metric.value(results) for name, metric in METRICS.items()}


def summary_intervals(results: QueryResults) -> dict[str, tuple[float, float]]:
    """95% interval of every metric in the catalogue, by name, all from the same resamples of the queries.

    Raises:
        LikenessError: no query counts.
    """
    found: dict[str, tuple[float, float]] = {}
    for kind in get_args(Average):
        alike = [metric for metric in METRICS.values() if metric.average == kind]
        values = np.stack([metric.per_query(results) for metric in alike], axis=1)
        ends = limits(values, alike[0].classes(results))
        found |= dict(zip([metric.name for metric in alike], ends, strict=True))
    return {name: found[name] for name in METRICS}


def per_class_precision(results: QueryResults, class_names: Sequence[str], k: int = 5) -> dict[str, float]:
    """P@k of every class that has counted queries, in the order of ``class_names``.

    Args:
        results: with codes that are positions in ``class_names``.
        class_names: name of each class code.
        k: cut-off, 1 to 20.

    Raises:
        ValueError: ``k`` is out of range.
    """
    if not 1 <= k <= CUTOFFS:
        raise ValueError(f"k must be between 1 and {CUTOFFS}, not {k}")
    counts = np.bincount(results.codes, minlength=len(class_names))
    sums = np.bincount(results.codes, weights=results.precision[:, k - 1], minlength=len(class_names))
    return {class_names[code]: float(sums[code] / counts[code]) for code in np.flatnonzero(counts).tolist()}


def class_support(results: QueryResults, class_names: Sequence[str]) -> dict[str, int]:
    """Number of counted queries of every class that has any, in the order of ``class_names``."""
    counts = np.bincount(results.codes, minlength=len(class_names))
    return {class_names[code]: int(counts[code]) for code in np.flatnonzero(counts).tolist()}
