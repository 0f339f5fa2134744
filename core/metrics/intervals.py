"""Intervals and comparisons by resampling queries, with the same draws for all models.

The percentile bootstrap (Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13). Queries are drawn;
the gallery is taken as given. Values that are all equal give an interval of no width, however few they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError
from core.metrics.averaging import average, averages

DRAWS = 1000
WEIGHTS_AT_ONCE = 1 << 21  # weights in memory, so at most 16 MB as float64 for up to two million queries


def bootstrap_weights(n: int, draws: int = DRAWS, seed: int = 0) -> Iterator[NDArray[np.uint8]]:
    """How often each of ``n`` queries is drawn, in chunks of shape ``(c, n)`` that make up ``draws`` rows.

    Each row is multinomial: it sums to ``n``. Rows depend on ``n`` and ``seed`` only, not on the chunks, and are made
    anew by every call, so memory does not grow with ``draws``. A count beyond 255 has no chance to happen.

    >>> [chunk.sum(axis=1).tolist() for chunk in bootstrap_weights(4, draws=3)]
    [[4, 4, 4]]
    """
    rng = np.random.default_rng(seed)
    step = max(1, WEIGHTS_AT_ONCE // n)
    for start in range(0, draws, step):
        chunk = np.empty((min(step, draws - start), n), np.uint8)
        for row in chunk:
            row[:] = np.bincount(rng.integers(n, size=n), minlength=n)
        yield chunk


def bootstrap_averages(
    values: NDArray[np.float64], classes: NDArray[np.intp] | None = None, draws: int = DRAWS, seed: int = 0
) -> NDArray[np.float64]:
    """Averages of each column of ``values``, shape ``(n, m)``, over resampled queries: shape ``(draws, m)``.

    With ``classes``, shape ``(n,)``, every class counts the same; see :func:`core.metrics.averaging.averages`.

    Raises:
        LikenessError: there are no values.
    """
    if not len(values):
        raise LikenessError("An interval needs at least one query, but none has its class in the gallery.")
    chunks = bootstrap_weights(len(values), draws, seed)
    return np.concatenate([averages(values, chunk.astype(np.float64), classes) for chunk in chunks])


def interval(
    values: NDArray[np.float64],
    classes: NDArray[np.intp] | None = None,
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of the average of per-query values, shape ``(n,)``; by class if ``classes`` are given.

    Raises:
        LikenessError: there are no values.
    """
    return _percentiles(bootstrap_averages(values[:, None], classes, draws, seed)[:, 0], level)


@dataclass(frozen=True)
class Difference:
    """One model's average less the best model's: negative where it is worse.

    Attributes:
        value: the difference, at most 0.
        interval: its percentile interval, not corrected for the number of models.
        p_value: two-sided bootstrap p-value, in (0, 1].
        adjusted: the p-value after Holm's correction over the models compared with the best.
    """

    value: float
    interval: tuple[float, float]
    p_value: float
    adjusted: float


def best_model(values: Mapping[str, NDArray[np.float64]], classes: NDArray[np.intp] | None = None) -> str:
    """Name of the model with the highest average; the first of equals. Raises as :func:`paired_differences`."""
    _check_paired(values, classes)
    return max(values, key=lambda name: average(values[name], classes))


def paired_differences(
    values: Mapping[str, NDArray[np.float64]],
    classes: NDArray[np.intp] | None = None,
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Difference]:
    """Compare every model with the best one, on the same resamples of the same queries.

    Args:
        values: per-query values of each model, all of shape ``(n,)`` and for the same queries in the same order.
        classes: class code of each query, shape ``(n,)``, if every class is to count the same.
        level: of the intervals; 1 - ``level`` is also the error rate that the draws must be able to resolve.
        draws: the least number of resamples; more are taken where so many models need them.
        seed: of the resamples.

    Returns:
        For each model but the best, how it differs.

    Raises:
        LikenessError: there is no model or no query, or the models do not have the same number of queries.
    """
    best = best_model(values, classes)
    others = [name for name in values if name != best]
    if not others:
        return {}
    # The least p-value is 2 / (draws + 1). Holm multiplies it by the number of models: it has to stay well below.
    draws = max(draws, math.ceil(10 * len(others) / (1 - level)))
    # Averages are linear, so differences are taken first: equal models then differ by exactly 0 in every resample.
    gaps = np.stack([values[name] - values[best] for name in others], axis=1)
    resampled = bootstrap_averages(gaps, classes, draws, seed)
    p_values = [_two_sided(column) for column in resampled.T]
    return {
        name: Difference(average(gaps[:, i], classes), _percentiles(resampled[:, i], level), p_values[i], adjusted)
        for i, (name, adjusted) in enumerate(zip(others, holm(p_values), strict=True))
    }


def tied_for_best(
    values: Mapping[str, NDArray[np.float64]],
    classes: NDArray[np.intp] | None = None,
    *,
    alpha: float = 0.05,
    draws: int = DRAWS,
    seed: int = 0,
) -> list[str]:
    """The best model and those not significantly different from it after Holm's correction, best average first.

    The list leaves out the truly best model with probability ``alpha`` at most. It may leave out some other model that
    is just as good more often, the more so the more models there are, as the best is picked by looking.
    Arguments and errors as in :func:`paired_differences`, with ``alpha`` for 1 - ``level``.
    """
    best = best_model(values, classes)
    differences = paired_differences(values, classes, level=1 - alpha, draws=draws, seed=seed)
    tied = [name for name, difference in differences.items() if difference.adjusted > alpha]
    return [best, *sorted(tied, key=lambda name: -differences[name].value)]


def holm(p_values: list[float]) -> list[float]:
    """P-values corrected for their number, in the order given (Holm, Scandinavian Journal of Statistics 6, 1979).

    >>> holm([0.01, 0.5, 0.25])
    [0.03, 0.5, 0.5]
    """
    adjusted = [0.0] * len(p_values)
    least = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = least
    return adjusted


def _two_sided(differences: NDArray[np.float64]) -> float:
    """Twice the smaller share of resamples on either side of 0, counting the sample itself (never 0, at most 1)."""
    sides = min(np.count_nonzero(differences <= 0), np.count_nonzero(differences >= 0))
    return float(min(1.0, 2 * (1 + sides) / (1 + len(differences))))


def _percentiles(resampled: NDArray[np.float64], level: float) -> tuple[float, float]:
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _check_paired(values: Mapping[str, NDArray[np.float64]], classes: NDArray[np.intp] | None) -> None:
    shapes = {name: array.shape for name, array in values.items()}
    if not shapes:
        raise LikenessError("There is no model to compare: choose at least one.")
    wanted = next(iter(shapes.values())) if classes is None else classes.shape
    for name, shape in shapes.items():
        if shape != wanted or len(shape) != 1:
            raise LikenessError(
                f"Models must be compared on the same queries, but {name} has values of shape {shape} "
                f"where {wanted} was expected: evaluate all models on the same images."
            )
