"""The grid that pair scores are counted on.

A score is a cosine in [-1, 1]. It falls into the bin below it on a grid of 0.000002, finer than what two JPEG decoders
make of one photo. Thresholds are points of the grid, so every count at a threshold is exact, in memory that does not
grow with the number of pairs, and ``score >= threshold`` means the same wherever it is asked.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

PER_UNIT = 500_000
BINS = 2 * PER_UNIT + 1
DECIMALS = 6
# Of a step: decimal numbers are not exact in binary, and 0.621698 must not fall below the point it names.
SLACK = 1e-6


def to_bins(scores: ArrayLike) -> NDArray[np.int32]:
    """The bin of each score: how many steps of the grid lie below it. Rounding beyond [-1, 1] is taken back.

    >>> to_bins([-1.0, 0.0, 0.0000019, 1.0000001]).tolist()
    [0, 500000, 500000, 1000000]
    """
    steps = np.floor((np.asarray(scores, np.float64) + 1) * PER_UNIT + SLACK)
    return np.clip(steps, 0, BINS - 1).astype(np.int32)


def threshold_bin(threshold: float) -> int:
    """The first bin at or above a threshold that is itself a point of the grid; one past the last where it is above 1.

    >>> threshold_bin(0.621698), threshold_bin(1.000002)
    (810849, 1000001)
    """
    return int(np.clip(round((threshold + 1) * PER_UNIT), 0, BINS))


def to_thresholds(bins: ArrayLike) -> NDArray[np.float64]:
    """The lowest score of each bin, as the decimal number it stands for.

    >>> to_thresholds([810849]).tolist()
    [0.621698]
    """
    return np.round(np.asarray(bins, np.float64) / PER_UNIT - 1, DECIMALS)


def similarity(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosines of unit vectors, row by row, shapes ``(..., d)``: the score of a pair wherever one pair is looked at.

    Summed in float64, so that it does not depend on how many pairs are asked for at once.
    """
    return np.asarray((a.astype(np.float64) * b.astype(np.float64)).sum(axis=-1))
