"""How many errors each item takes part in, at thresholds that may differ by class.

Of a pair, one item is the reference: its class's threshold decides. What a threshold does to a class, what all of them
do together, and how far either would vary with other items are sums over items of these counts.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError
from core.metrics.grid import threshold_bin
from core.metrics.pair_scores import SCORES_AT_ONCE
from core.metrics.scorer import Scorer

Array = NDArray[np.float64]
_MOST_THREADS = 8


@dataclass(frozen=True)
class ItemErrors:
    """Errors of ``n`` items under each of ``t`` rules.

    Attributes:
        codes: class of each item, ``(n,)``.
        same: partners of its class, ``(n,)``.
        different: partners of other classes, ``(n,)``.
        misses: partners of its class that score below the class's threshold, int64 ``(n, t)``.
        matches: partners of other classes that reach the threshold of the item's class, int64 ``(n, t)``.
        matched: partners of other classes whose own class's threshold the pair reaches, int64 ``(n, t)``.
        apart_same: partners of its class on which a rule decides otherwise than the first, int64 ``(n, t)``.
        apart_different: of partners of other classes, the squares of how many of the two decisions, one by either
            reference, are otherwise than with the first rule, summed, int64 ``(n, t)``.
    """

    codes: NDArray[np.intp]
    same: NDArray[np.int64]
    different: NDArray[np.int64]
    misses: NDArray[np.int64]
    matches: NDArray[np.int64]
    matched: NDArray[np.int64]
    apart_same: NDArray[np.int64]
    apart_different: NDArray[np.int64]

    def miss_values(self, rule: int) -> Array:
        """Jackknife pseudo-values whose mean over a class is its FNMR, ``(n,)``; NaN for the only item of a class.

        A pair belongs to two items, so each item's share of misses counts for twice its distance from the mean
        (J. W. Tukey, Annals of Mathematical Statistics 29, 1958; J. N. Arvesen, ibid. 40, 1969, for U-statistics).
        """
        sizes = self.same + 1.0
        with np.errstate(invalid="ignore", divide="ignore"):
            own = self.misses[:, rule] / self.same
            sums = np.bincount(self.codes, np.nan_to_num(own)) / np.maximum(1, np.bincount(self.codes))
            mean = np.where(self.same > 0, sums[self.codes], np.nan)
            return np.asarray(mean + 2 * (own - mean) * (sizes - 1) / np.maximum(sizes - 2, 1))

    def match_values(self, rule: int) -> Array:
        """Values whose mean over a class is its FMR as the reference, ``(n,)``; NaN where there is one class only."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.matches[:, rule] / self.different)

    def rates(self, rule: int) -> tuple[float, float]:
        """FMR and FNMR of all pairs together; each pair of two classes counts once for either reference."""
        fmr = float(self.matches[:, rule].sum() / self.different.sum())
        return fmr, float(self.misses[:, rule].sum() / self.same.sum())

    def influences(self, rule: int) -> tuple[Array, Array]:
        """By how much each item moves the FMR and the FNMR of all pairs, ``(n,)`` each: their sums are 0.

        The sum of squares is the variance of the rate over items (infinitesimal jackknife; L. A. Jaeckel, Bell
        Laboratories, 1972). Items vary within their class, as classes are taken as they are.
        """
        fmr, fnmr = self.rates(rule)
        match = (self.matches[:, rule] + self.matched[:, rule] - 2 * fmr * self.different) / self.different.sum()
        miss = 2 * (self.misses[:, rule] - fnmr * self.same) / self.same.sum()
        return self._centred(match), self._centred(miss)

    def paired_noise(self, rule: int) -> tuple[float, float]:
        """What pairs on their own add to the variance of a rule's FMR and FNMR less those of the first rule.

        The influences of items have this part twice, as every pair belongs to two items (Efron and Stein, Annals of
        Statistics 9, 1981).
        """
        match = float(self.apart_different[:, rule].sum()) / 2 / float(self.different.sum()) ** 2
        return match, 2 * float(self.apart_same[:, rule].sum()) / float(self.same.sum()) ** 2

    def _centred(self, values: Array) -> Array:
        sizes = np.maximum(1, np.bincount(self.codes))
        return np.asarray(values - (np.bincount(self.codes, values) / sizes)[self.codes])


def item_errors(scorer: Scorer, codes: NDArray[np.intp], thresholds: Array) -> ItemErrors:
    """Count the errors that every item takes part in, in memory that does not grow with the number of pairs.

    Args:
        scorer: of n items.
        codes: class of each item, from 0, ``(n,)``.
        thresholds: points of :mod:`core.metrics.grid`, one for each class and rule, ``(c, t)``.

    Raises:
        LikenessError: the arrays do not fit together.
    """
    if codes.shape != (len(scorer),) or thresholds.ndim != 2 or len(thresholds) <= int(codes.max(initial=-1)):
        raise LikenessError(
            f"{len(scorer)} items, codes of shape {codes.shape} and thresholds of shape {thresholds.shape} do not fit: "
            "give one code for each item and one row of thresholds for each class."
        )
    from core.metrics.pair_kernels import count_errors

    limits = np.array([[threshold_bin(one) for one in row] for row in thresholds.tolist()], np.int32)
    found = np.zeros((5, len(codes), thresholds.shape[1]), np.int64)
    items = np.arange(len(codes))
    block_of = scorer.blocks(items, items)
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    rows = max(1, SCORES_AT_ONCE // threads // max(1, len(codes)))

    def count(start: int) -> None:
        part = slice(start, start + rows)
        count_errors(block_of(part), start, codes, limits, found[:, part])

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(count, range(0, len(codes), rows)):
            pass
    same = (np.bincount(codes) - 1)[codes]
    return ItemErrors(codes, same, len(codes) - 1 - same, *found)
