"""Intervals by resampling queries, with the same draws for all models.

The percentile bootstrap (Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13). Queries are drawn;
the gallery is taken as given. Values that are all equal give an interval of no width, however few they are.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError
from core.metrics.averaging import averages

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


def limits(
    values: NDArray[np.float64],
    classes: NDArray[np.intp] | None = None,
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> list[tuple[float, float]]:
    """Percentile interval of the average of each column of ``values``, shape ``(n, m)``, from the same resamples.

    With ``classes``, shape ``(n,)``, every class counts the same.

    Raises:
        LikenessError: there are no values.
    """
    return [percentiles(column, level) for column in bootstrap_averages(values, classes, draws, seed).T]


def percentiles(resampled: NDArray[np.float64], level: float) -> tuple[float, float]:
    """The central ``level`` of resampled averages, shape ``(draws,)``."""
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
