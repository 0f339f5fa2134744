"""The loop that ranks a gallery for one query after another, compiled by numba. It releases the interpreter lock: run
it in threads.

Of a row of scores only the top is ever put in order: as deep as the metrics look. The rest is passed over a few times,
in step with the vector units, so that the time does not hang on what the scores are.

Imported only where queries are evaluated, as numba takes a moment to load.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

# Steps of a coarse grid over [-1, 1]; scores beyond it count as its ends, which costs time but changes nothing.
_STEPS = 4096
_ONE, _PER_UNIT = np.float32(1), np.float32(_STEPS / 2)
_LOWEST, _HIGHEST = np.float32(0), np.float32(_STEPS - 1)
_NOWHERE = np.float32(-np.inf)
_POSITION = np.uint64(0xFFFFFFFF)
_SIGN, _BELOW_SIGN, _NONE = np.uint32(0x80000000), np.uint32(0x7FFFFFFF), np.uint32(0)
_HALF, _DIGIT = np.uint64(32), np.uint64(0xFF)


@njit(nogil=True, cache=True)
def judge(
    scores: Any, own: Any, codes: Any, classes: Any, relevant: Any,
    precision: Any, nearest: Any, reciprocal_rank: Any, r_precision: Any, ap_at_r: Any,
) -> None:  # fmt: skip
    """Rank the gallery for each query of a block; of equal scores the lower position is nearer, and 0.0 equals -0.0.

    Args:
        scores: finite float32 ``(b, g)``; a query's own is overwritten.
        own: position of each query itself in the gallery, -1 for none, ``(b,)``; it is never ranked.
        codes: class of each query, ``(b,)``.
        classes: class of each gallery item, ``(g,)``.
        relevant: gallery items of the query's class, itself left out; at least 1, ``(b,)``.
        precision, nearest, reciprocal_rank, r_precision, ap_at_r: filled in, as in
            :class:`core.metrics.retrieval.QueryResults`, ``(b, k)``, ``(b, k)``, ``(b,)``, ``(b,)``, ``(b,)``.
    """
    cutoffs = precision.shape[1]
    steps, counts = np.empty(scores.shape[1], np.int16), np.empty(_STEPS, np.int32)
    top, spare = np.empty(scores.shape[1], np.uint64), np.empty(scores.shape[1], np.uint64)
    for i in range(scores.shape[0]):
        row, others = scores[i], scores.shape[1]
        if own[i] >= 0:
            row[own[i]] = _NOWHERE
            others -= 1
        depth = min(max(cutoffs, relevant[i]), others)
        _sort(top, spare, _take_top(row, depth, steps, counts, top))
        hits, first, total = 0, 0, 0.0
        for k in range(depth):
            position = np.int64(top[k] & _POSITION)
            hit = classes[position] == codes[i]
            hits += hit
            if hit and first == 0:
                first = k + 1
            if hit and k < relevant[i]:
                total += hits / (k + 1)
            if k < cutoffs:
                nearest[i, k] = position
                precision[i, k] = hits / (k + 1)
            if k + 1 == relevant[i]:
                r_precision[i] = hits / (k + 1)
        for k in range(depth, cutoffs):
            nearest[i, k] = -1
            precision[i, k] = hits / (k + 1)
        ap_at_r[i] = total / relevant[i]
        reciprocal_rank[i] = 1 / (first if first else _first_rank(row, codes[i], classes))


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
    cut, count = _STEPS, 0
    while count < depth:
        cut -= 1
        count += counts[cut]
    bits, count = row.view(np.uint32), 0
    for j in range(row.shape[0]):
        if steps[j] >= cut:
            top[count] = np.uint64(_falling(bits[j])) << _HALF | np.uint64(j)
            count += 1
    return count


@njit(nogil=True, cache=True)
def _falling(bits: Any) -> Any:
    """Read as integers, positive floats grow with their value and negative ones shrink; make all of them shrink."""
    if bits == _SIGN:  # -0.0 is 0.0
        bits = _NONE
    return bits if bits & _SIGN else bits ^ _BELOW_SIGN


@njit(nogil=True, cache=True)
def _sort(keys: Any, spare: Any, count: int) -> None:
    """Sort ``count`` keys by their upper half, digit by digit; equal ones stay in order, which is that of positions."""
    starts = np.empty(256, np.intp)
    for shift in range(32, 64, 8):
        starts[:] = 0
        for i in range(count):
            starts[np.intp(keys[i] >> np.uint64(shift) & _DIGIT)] += 1
        start = 0
        for digit in range(256):
            start, starts[digit] = start + starts[digit], start
        for i in range(count):
            digit = np.intp(keys[i] >> np.uint64(shift) & _DIGIT)
            spare[starts[digit]] = keys[i]
            starts[digit] += 1
        keys, spare = spare, keys


@njit(nogil=True, cache=True)
def _first_rank(row: Any, code: int, classes: Any) -> int:
    """Rank, from 1, of the nearest item of a class."""
    best, place = _NOWHERE, -1
    for j in range(row.shape[0]):
        if classes[j] == code and row[j] > best:
            best, place = row[j], j
    rank = 1
    for j in range(row.shape[0]):
        rank += row[j] > best or (row[j] == best and j < place)
    return rank
