"""Numbers of many error curves at once, one a row: those that draws of the items make of one curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def areas(fmr: Array, fnmr: Array) -> Array:
    """The ROC's area of each row, ``(b,)``, from FMR and FNMR at ascending thresholds, ``(b, t)``."""
    return np.asarray((np.diff(fnmr) * (1 - (fmr[:, 1:] + fmr[:, :-1]) / 2)).sum(axis=1))


def equal_errors(fmr: Array, fnmr: Array) -> Array:
    """The equal error rate of each row, ``(b,)``, arguments as in :func:`areas`."""
    return crossing(fnmr - fmr, 0.0, (fnmr + fmr) / 2)


def crossing(rising: Array, target: float, values: Array) -> Array:
    """``values`` where each row of ``rising`` first reaches ``target``, between two columns if need be, ``(b,)``."""
    after = np.maximum(1, (rising >= target).argmax(axis=1))
    rows = np.arange(len(rising))
    start, stop = rising[rows, after - 1], rising[rows, after]
    step = np.divide(target - start, stop - start, out=np.zeros_like(start), where=stop > start)
    step = np.clip(step, 0, 1)
    return np.asarray(values[rows, after - 1] * (1 - step) + values[rows, after] * step)


def between(levels: NDArray[np.integer], values: Array, bins: NDArray[np.integer]) -> Array:
    """Rows of ``values``, known at ascending ``levels``, ``(b, t)``, interpolated at ``bins``: ``(b, len(bins))``."""
    after = np.clip(np.searchsorted(levels, bins), 1, len(levels) - 1)
    low, high = levels[after - 1], levels[after]
    step = np.clip((bins - low) / (high - low), 0, 1)
    return np.asarray(values[:, after - 1] * (1 - step) + values[:, after] * step)
