"""How counts of pairs vary with the items that were drawn; see :mod:`core.metrics.pair_scores` for the method.

Of two kinds of pairs, 0 is same-class pairs, whose errors lie below a threshold, and 1 is different-class pairs, whose
errors do not. Each item has a number of errors at each level and, of each kind, a number of partners.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

# Fewer items than this say little of the spread within their class; such classes are taken together.
_SMALL_CLASS = 5
Array = NDArray[np.float64]


@dataclass(frozen=True)
class SortedClasses:
    """Items sorted so that each class, and each stratum of classes, is a run of them.

    Attributes:
        order: item numbers, shape ``(n,)``.
        codes: class of each item in that order, shape ``(n,)``.
        sizes: items of each class, shape ``(c,)``.
        stratum: of each class, shape ``(c,)``: its own, or 0 for the small ones.
    """

    order: NDArray[np.intp]
    codes: NDArray[np.intp]
    sizes: NDArray[np.int64]
    stratum: NDArray[np.intp]

    @classmethod
    def of(cls, codes: NDArray[np.integer]) -> SortedClasses:
        """Sort items of these classes, integers from 0, shape ``(n,)``."""
        sizes = np.bincount(codes).astype(np.int64)
        stratum = np.where(sizes < _SMALL_CLASS, 0, np.cumsum(sizes >= _SMALL_CLASS))
        order = np.lexsort((codes, stratum[codes]))
        return cls(order, codes[order].astype(np.intp), sizes, stratum)

    @cached_property
    def partners(self) -> Array:
        """How many partners of each kind an item of each class has, shape ``(2, c)``."""
        return np.stack([np.maximum(self.sizes - 1, 0), self.sizes.sum() - self.sizes]).astype(np.float64)

    @cached_property
    def pairs(self) -> Array:
        """How many pairs of each kind there are, shape ``(2,)``."""
        return np.asarray((self.partners * self.sizes).sum(axis=1) / 2)

    @cached_property
    def corrections(self) -> Array:
        """What makes up for centring on a stratum's own mean, shape ``(2, strata)``: Efron and Stein's jackknife."""
        n = self.by_stratum(self.sizes.astype(np.float64))
        usual = n / np.maximum(n - 1, 1)
        # In one class a pair counts for two items, so the centre takes more of the spread away.
        within = n * (n - 1) / np.maximum(n - 2, 1) ** 2
        within[0] = usual[0]
        return np.stack([within, usual])

    def by_stratum(self, values: Array) -> Array:
        """Sums over the classes of each stratum: ``(c, ...)`` becomes ``(strata, ...)``."""
        sums = np.zeros((int(self.stratum.max()) + 1, *values.shape[1:]))
        np.add.at(sums, self.stratum, values)
        return sums


class ItemDraws:
    """Takes in the items' errors a block at a time, and keeps only sums over them.

    Attributes:
        pairs: partners of the items of each class by kind and level, int64 ``(2, c, levels + 1)``.
    """

    def __init__(self, classes: SortedClasses, levels: int, draws: int, seed: int) -> None:
        self._classes = classes
        self._random = np.random.default_rng(seed)
        count, strata = len(classes.sizes), int(classes.stratum.max()) + 1
        self.pairs = np.zeros((2, count, levels + 1), np.int64)
        self._squares = np.zeros((2, count, levels))
        self._weighted = np.zeros((2, draws, levels), np.float32)
        self._weighted_partners = np.zeros((2, strata, draws), np.float32)

    def add(self, row: int, partners: NDArray[np.int32]) -> None:
        """Take in the items ``row...`` of the sorted order.

        Args:
            row: the first.
            partners: of each item by kind and level, int32 ``(2, r, levels + 1)``.
        """
        codes = self._classes.codes[row : row + partners.shape[1]]
        starts = np.flatnonzero(np.diff(codes, prepend=-1))
        here = codes[starts]
        self.pairs[:, here] += np.add.reduceat(partners, starts, axis=1, dtype=np.int64)
        below = np.cumsum(partners[:, :, :-1], axis=2, dtype=np.int32)
        below[1] = partners[1].sum(axis=1, dtype=np.int32)[:, None] - below[1]
        errors = below.astype(np.float32)
        self._squares[:, here] += np.add.reduceat(errors * errors, starts, axis=1, dtype=np.float64)
        self._draw(codes, errors)

    def _draw(self, codes: NDArray[np.intp], errors: NDArray[np.float32]) -> None:
        # Weights are drawn item by item, so that they do not depend on the blocks.
        weights = self._random.standard_normal((len(codes), self._weighted.shape[1]), np.float32)
        stratum = self._classes.stratum[codes]
        starts = np.flatnonzero(np.diff(stratum, prepend=-1))
        for kind in range(2):
            scaled = weights * np.sqrt(self._classes.corrections[kind, stratum]).astype(np.float32)[:, None]
            self._weighted[kind] += scaled.T @ errors[kind]
            scaled *= self._classes.partners[kind, codes].astype(np.float32)[:, None]
            self._weighted_partners[kind, stratum[starts]] += np.add.reduceat(scaled, starts, axis=0)

    def draws(self) -> NDArray[np.float32]:
        """Each kind's error rate less its estimate, in each draw and at each level, float32 ``(2, draws, levels)``."""
        found = np.zeros_like(self._weighted)
        for kind, pairs in enumerate(self._classes.pairs):
            expected, spread = self._stratum_rates(kind)
            centred = self._weighted[kind] - self._weighted_partners[kind].T @ expected
            jackknife = spread.sum(axis=0) / pairs**2
            wanted = _variance(self._errors(kind).sum(axis=0) / (2 * pairs), pairs, jackknife,
                               2 * pairs / self._classes.sizes.sum())  # fmt: skip
            ratio = np.divide(wanted, jackknife, out=np.zeros_like(wanted), where=jackknife > 0)
            found[kind] = centred / pairs * np.sqrt(ratio)
        return found

    def _errors(self, kind: int) -> Array:
        """Errors of the items of each class at each level, each pair counted from both its ends, ``(c, levels)``."""
        below = np.cumsum(self.pairs[kind], axis=1)
        return (below[:, :-1] if kind == 0 else below[:, -1:] - below[:, :-1]).astype(np.float64)

    def _stratum_rates(self, kind: int) -> tuple[Array, Array]:
        """Errors a partner, and the corrected sum of squares around them, for each stratum: ``(strata, levels)``."""
        classes, errors = self._classes, self._errors(kind)
        partners, sizes = classes.partners[kind][:, None], classes.sizes[:, None]
        total = classes.by_stratum(sizes * partners)
        summed = classes.by_stratum(errors)
        rate = np.divide(summed, total, out=np.zeros_like(summed), where=total > 0)
        squares = classes.by_stratum(self._squares[kind]) - 2 * rate * classes.by_stratum(errors * partners)
        squares += rate**2 * classes.by_stratum(sizes * partners**2)
        return rate, np.maximum(squares, 0) * classes.corrections[kind][:, None]


def _variance(rate: Array, pairs: Array | float, jackknife: Array, partners: Array | float) -> Array:
    """Variance of an error rate over pairs, from its jackknife, which has the part of single pairs twice.

    Never less than that of independent pairs: what few errors show of their dependence is mostly noise.
    """
    alone = rate * (1 - rate) / pairs
    shared = np.maximum(jackknife - 2 * alone, 0)
    # What two pairs have in common through an item is also in the variance of single pairs.
    partners = np.maximum(partners, 3.0)
    return np.asarray(alone + shared * (partners - 1) / (partners - 2))
