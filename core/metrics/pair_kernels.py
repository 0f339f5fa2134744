"""Counting loops over blocks of scores, compiled by numba. They release the interpreter lock: run them in threads.

Imported only where pairs are counted, as numba takes a moment to load.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from core.metrics.grid import BINS, PER_UNIT, SLACK

_LAST = BINS - 1


@njit(nogil=True, cache=True)
def count_pairs(scores: Any, row: int, column: int, codes: Any, counts: Any) -> None:
    """Add the pairs of a block to a histogram, each pair once: those whose column comes after their row.

    Args:
        scores: float32 ``(r, c)``, for the items ``row...`` against the items ``column...``.
        row: item of the first row.
        column: item of the first column.
        codes: class of every item, shape ``(n,)``.
        counts: int64 ``(2, BINS)``: same-class pairs, then different-class pairs; added to.
    """
    for i in range(scores.shape[0]):
        code = codes[row + i]
        for j in range(max(0, row + i + 1 - column), scores.shape[1]):
            place = int((float(scores[i, j]) + 1.0) * PER_UNIT + SLACK)
            counts[int(codes[column + j] != code), min(max(place, 0), _LAST)] += 1


@njit(nogil=True, cache=True)
def count_partners(scores: Any, row: int, codes: Any, level: Any, counts: Any, partners: Any) -> None:
    """As :func:`count_pairs`, against all items, and also the partners of each row's item by level.

    Args:
        scores: float32 ``(r, n)``, for the items ``row...`` against all.
        row: item of the first row.
        codes: class of every item, shape ``(n,)``.
        level: of each bin, int16 ``(BINS,)``.
        counts: int64 ``(2, BINS)``, added to.
        partners: of each row's item, int32 ``(2, r, levels)``: of its class, then of others; added to.
    """
    for i in range(scores.shape[0]):
        me = row + i
        code = codes[me]
        for j in range(scores.shape[1]):
            if j == me:
                continue
            place = min(max(int((float(scores[i, j]) + 1.0) * PER_UNIT + SLACK), 0), _LAST)
            kind = int(codes[j] != code)
            partners[kind, i, level[place]] += 1
            if j > me:
                counts[kind, place] += 1


@njit(nogil=True, cache=True)
def count_errors(scores: Any, row: int, codes: Any, limits: Any, found: Any) -> None:
    """Count the wrong decisions on the pairs of each row's item.

    Args:
        scores: float32 ``(r, n)``, for the items ``row...`` against all.
        row: item of the first row.
        codes: class of every item, shape ``(n,)``.
        limits: the first bin that counts as a match, by class and rule, int32 ``(c, t)``.
        found: int64 ``(5, r, t)``, added to: same-class partners below the limit; others that reach the limit of the
            row's class; others that reach the limit of their own class; then, for both kinds of partners, the squares
            of how many decisions on the pair, by either item's limit, differ from those of the first rule.
    """
    for i in range(scores.shape[0]):
        me = row + i
        code = codes[me]
        for j in range(scores.shape[1]):
            if j == me:
                continue
            place = min(max(int((float(scores[i, j]) + 1.0) * PER_UNIT + SLACK), 0), _LAST)
            other = codes[j]
            first = int(place >= limits[code, 0]) + int(place >= limits[other, 0])
            for rule in range(limits.shape[1]):
                mine, theirs = int(place >= limits[code, rule]), int(place >= limits[other, rule])
                if other == code:
                    found[0, i, rule] += 1 - mine
                    found[3, i, rule] += (mine + theirs - first) ** 2 // 4
                else:
                    found[1, i, rule] += mine
                    found[2, i, rule] += theirs
                    found[4, i, rule] += (mine + theirs - first) ** 2
