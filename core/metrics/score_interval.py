"""An interval for the mean of a few values in [0, 1], where the bootstrap would claim certainty."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError

_CAUTION = 1.0


def mean_interval(values: NDArray[np.float64], *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval with an effective number of values (E. B. Wilson, JASA 22, 1927, page 209).

    Twenty values of 1 out of twenty do not show that the mean is 1, yet all their resamples say so. Wilson's interval,
    made for hits and misses, keeps its width there. Graded values vary less than hits and misses of the same mean p,
    so n of them are worth more: n·p(1-p)/variance (the effective sample size of Korn and Graubard, Survey Methodology
    24, 1998). A variance from few values, or from a mean close to 0 or 1, is little evidence. One unit is therefore
    added to both sums of squares:

        effective number = n·(n·p(1-p) + 1) / (Σ(x - p)² + 1)

    That is n for hits and misses and where all values are 0 or all are 1. If all values are equal elsewhere, the
    interval is about ±2/n wide, close to the ±1.8/n that the binomial law gives for paired differences that are all 0.

    Args:
        values: in [0, 1], shape ``(n,)``.
        level: share of samples whose interval holds the true mean.

    Raises:
        LikenessError: there are no values.

    >>> [round(limit, 3) for limit in mean_interval(np.ones(20))]
    [0.839, 1.0]
    """
    n = len(values)
    if not n:
        raise LikenessError("An interval needs at least one value, but there is none.")
    mean = float(values.mean())
    binary = n * mean * (1 - mean)
    effective = n * (binary + _CAUTION) / (float(((values - mean) ** 2).sum()) + _CAUTION)
    z = NormalDist().inv_cdf((1 + level) / 2)
    centre = (mean + z * z / (2 * effective)) / (1 + z * z / effective)
    margin = z * math.sqrt(mean * (1 - mean) / effective + (z / (2 * effective)) ** 2) / (1 + z * z / effective)
    return min(mean, max(0.0, centre - margin)), max(mean, min(1.0, centre + margin))


def difference_interval(differences: NDArray[np.float64], *, level: float = 0.95) -> tuple[float, float]:
    """The same for paired differences of such values, which lie in [-1, 1]: of shape ``(n,)``, at least one.

    >>> [round(limit, 3) for limit in difference_interval(np.zeros(20))]
    [-0.176, 0.176]
    """
    low, high = mean_interval((differences + 1) / 2, level=level)
    return 2 * low - 1, 2 * high - 1
