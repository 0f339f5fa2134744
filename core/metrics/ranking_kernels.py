"""The loop that ranks candidates and reads off what was found, compiled by numba. It releases the interpreter lock: run
it in threads.

Only the top of a row of scores is put in order, as deep as the metrics look. A coarse histogram of the row finds where
that top ends; sorting takes a fixed number of passes. So the time does not hang on what the scores are.

Imported only where queries are evaluated, as numba takes a moment to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

# The histogram's steps cover [-1, 1]. Scores beyond it fall into the end steps: slower, and as right.
_STEPS = 4096
_ONE, _PER_UNIT = np.float32(1), np.float32(_STEPS / 2)
_LOWEST, _HIGHEST = np.float32(0), np.float32(_STEPS - 1)
_NOWHERE = np.float32(-np.inf)
_SIGN, _ALL_BUT_SIGN, _NO_BITS = np.uint32(0x80000000), np.uint32(0x7FFFFFFF), np.uint32(0)
_HALF, _POSITION, _DIGIT = np.uint64(32), np.uint64(0xFFFFFFFF), np.uint64(0xFF)


@njit(nogil=True, cache=True)
def judge(
    scores: Any, codes: Any, classes: Any, relevant: Any,
    precision: Any, nearest: Any, reciprocal_rank: Any, r_precision: Any, ap_at_r: Any,
) -> None:  # fmt: skip
    """Rank the candidates for some queries; of equal scores the lower position is nearer, and 0.0 equals -0.0.

    Args:
        scores: float32 ``(b, g)``; -inf for the query itself, which is never found.
        codes: class of each query, ``(b,)``.
        classes: class of each candidate, ``(g,)``.
        relevant: candidates of the query's class, itself left out, ``(b,)``; nothing is filled in where there are none.
        precision, nearest, reciprocal_rank, r_precision, ap_at_r: filled in, as in
            :class:`core.metrics.retrieval.QueryResults`, ``(b, k)``, ``(b, k)``, ``(b,)``, ``(b,)``, ``(b,)``.
    """
    items, cutoffs = scores.shape[1], precision.shape[1]
    steps, counts = np.empty(items, np.int16), np.empty(_STEPS, np.int32)
    top, spare = np.empty(items, np.uint64), np.empty(items, np.uint64)
    for i in range(scores.shape[0]):
        if not relevant[i]:
            continue
        depth = min(max(cutoffs, relevant[i]), items)
        _sort(top, spare, _take_top(scores[i], depth, steps, counts, top))
        if scores[i, np.intp(top[depth - 1] & _POSITION)] == _NOWHERE:  # the query itself, behind all others
            depth -= 1
        hits, first, total = 0, 0, 0.0
        for k in range(depth):
            place = np.intp(top[k] & _POSITION)
            hit = classes[place] == codes[i]
            hits += hit
            if hit and not first:
                first = k + 1
            if hit and k < relevant[i]:
                total += hits / (k + 1)
            if k < cutoffs:
                nearest[i, k], precision[i, k] = place, hits / (k + 1)
            if k + 1 == relevant[i]:
                r_precision[i] = hits / (k + 1)
        for k in range(depth, cutoffs):
            nearest[i, k], precision[i, k] = -1, hits / (k + 1)
        ap_at_r[i] = total / relevant[i]
        reciprocal_rank[i] = 1 / (first or _first_rank(scores[i], codes[i], classes))


@njit(nogil=True, cache=True)
def _take_top(row: Any, depth: int, steps: Any, counts: Any, top: Any) -> int:
    """Write the keys of the ``depth`` highest scores, and of all in the same step as the last of them, into ``top``.

    Returns how many. A key is ``(descending score << 32) | position``; they come in the order of their positions.
    """
    for j in range(row.shape[0]):
        steps[j] = np.int16(min(max((row[j] + _ONE) * _PER_UNIT, _LOWEST), _HIGHEST))
    counts[:] = 0
    for j in range(row.shape[0]):
        counts[steps[j]] += 1
    lowest, count = _STEPS, 0
    while count < depth:
        lowest -= 1
        count += counts[lowest]
    bits, count = row.view(np.uint32), 0
    for j in range(row.shape[0]):
        if steps[j] >= lowest:
            top[count] = np.uint64(_falling(bits[j])) << _HALF | np.uint64(j)
            count += 1
    return count


@njit(nogil=True, cache=True)
def _falling(bits: Any) -> Any:
    """Read as integers, positive floats grow with their value and negative ones shrink; make all of them shrink."""
    if bits == _SIGN:  # -0.0 is 0.0
        bits = _NO_BITS
    return bits if bits & _SIGN else bits ^ _ALL_BUT_SIGN


@njit(nogil=True, cache=True)
def _sort(keys: Any, spare: Any, count: int) -> None:
    """Sort ``count`` keys by their upper half, a digit at a time; equal ones stay as they are, by position."""
    starts = np.empty(256, np.intp)
    for shift in range(32, 64, 8):
        starts[:] = 0
        for i in range(count):
            starts[_digit(keys[i], shift)] += 1
        start = 0
        for digit in range(256):
            start, starts[digit] = start + starts[digit], start
        for i in range(count):
            place = _digit(keys[i], shift)
            spare[starts[place]] = keys[i]
            starts[place] += 1
        keys, spare = spare, keys


@njit(nogil=True, cache=True)
def _digit(key: Any, shift: int) -> Any:
    return np.intp(key >> np.uint64(shift) & _DIGIT)


@njit(nogil=True, cache=True)
def _first_rank(row: Any, code: int, classes: Any) -> int:
    """Rank, from 1, of the nearest item of a class that has one."""
    best, place = _NOWHERE, -1
    for j in range(row.shape[0]):
        if classes[j] == code and row[j] > best:
            best, place = row[j], j
    rank = 1
    for j in range(row.shape[0]):
        rank += row[j] > best or (row[j] == best and j < place)
    return rank
