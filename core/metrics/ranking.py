"""Exact, repeatable ranking of a gallery for every query, in memory that does not grow with their number.

Every score becomes an integer key that sorts by descending score, then by ascending gallery position. No two keys of a
query are equal, so any sort gives the same answer, and numpy sorts integers with vector instructions.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError

# Scores held at once by all threads together (64 MB), unless the gallery is larger than a thread's share; and keys made
# at once by one thread, few enough to stay in a core's own cache.
SCORES_AT_ONCE = 1 << 24
KEYS_AT_ONCE = 1 << 17
MOST_ROWS = 512
MOST_THREADS = 8

_POSITION = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_NOWHERE = np.uint64(0xFFFFFFFFFFFFFFFF)  # no finite score has this key, so it sorts after the whole gallery


@dataclass(frozen=True)
class Ranked:
    """The gallery as seen by a few queries.

    Attributes:
        rows: which queries, ``intp``, shape ``(b,)``.
        keys: one key per gallery item in no particular order, ``uint64``, shape ``(b, g)``: the smaller, the nearer.
            It is scratch memory of the thread, valid until ``visit`` returns.
    """

    rows: NDArray[np.intp]
    keys: NDArray[np.uint64]

    def nearest(self, depth: int) -> NDArray[np.int32]:
        """Gallery positions of the ``depth`` nearest items, nearest first, shape ``(b, depth)``; -1 past the end."""
        if depth < self.keys.shape[1]:
            self.keys.partition(depth, axis=1)
        top = np.sort(self.keys[:, :depth], axis=1)
        found = positions(top)
        return np.pad(found, ((0, 0), (0, depth - found.shape[1])), constant_values=-1)


def positions(keys: NDArray[np.uint64]) -> NDArray[np.int32]:
    """The gallery position in each key, same shape; -1 for the query's own row."""
    return (keys & _POSITION).astype(np.uint32).view(np.int32)


def first_rank(keys: NDArray[np.uint64], wanted: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Rank, from 1, of each query's nearest wanted item, shape ``(b,)``; one past the gallery if none is wanted.

    >>> keys = np.array([[7, 3, 5]], dtype=np.uint64)
    >>> first_rank(keys, np.array([[True, False, False]])).tolist()
    [3]
    """
    best = np.where(wanted, keys, _NOWHERE).min(axis=1)
    return np.asarray(1 + np.count_nonzero(keys < best[:, None], axis=1), np.intp)


def visit_rankings(
    queries: NDArray[np.float32],
    gallery: NDArray[np.float32],
    visit: Callable[[Ranked], None],
    *,
    rows: NDArray[np.intp] | None = None,
    self_rows: NDArray[np.intp] | None = None,
) -> None:
    """Rank the gallery for every query and hand the rankings, a few queries at a time, to ``visit``.

    The score is the inner product: the cosine, as vectors are L2-normalised. Higher is more alike. Of equal scores the
    lower gallery position is nearer; equal gallery rows always score equally, and 0.0 equals -0.0.

    Args:
        queries: L2-normalised ``float32``, shape ``(q, d)``.
        gallery: L2-normalised ``float32``, shape ``(g, d)`` with ``g`` < 2**31.
        visit: called from several threads at once, with every query exactly once; its errors are raised here.
        rows: which queries to rank and in what order, shape ``(r,)``; all of them if None.
        self_rows: each query's own row in the gallery, shape ``(q,)``, -1 for none; that row is never ranked.

    Raises:
        LikenessError: shapes do not fit together, or a vector is not finite.
    """
    check_vectors(queries, gallery, self_rows)
    order = np.arange(len(queries)) if rows is None else rows
    if not len(order) or not len(gallery):
        return
    copies, originals = _copies(gallery)

    # Queries are shared out in equal parts, so that a small job still keeps every thread busy.
    threads = min(MOST_THREADS, os.cpu_count() or 1)
    size = max(1, min(MOST_ROWS, SCORES_AT_ONCE // threads // len(gallery), -(-len(order) // threads)))

    def rank(start: int) -> None:
        block = order[start : start + size]
        scores = queries[block] @ gallery.T
        scores[:, copies] = scores[:, originals]
        _visit_block(block, scores, visit, None if self_rows is None else self_rows[block])

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(rank, range(0, len(order), size)):
            pass


def check_vectors(
    queries: NDArray[np.float32], gallery: NDArray[np.float32], self_rows: NDArray[np.intp] | None = None
) -> None:
    """Raise :class:`LikenessError` unless the arrays fit together and every inner product will be finite."""
    if queries.ndim != 2 or gallery.ndim != 2 or queries.shape[1] != gallery.shape[1]:
        raise LikenessError(
            f"Queries of shape {queries.shape} and a gallery of shape {gallery.shape} cannot be compared: "
            "give two matrices of the same width, made by the same model."
        )
    for name, vectors in (("queries", queries), ("gallery", gallery)):
        if vectors.dtype != np.float32:
            raise LikenessError(f"The {name} are {vectors.dtype} but must be float32: convert them first.")
        # Finite lengths bound every inner product (Cauchy-Schwarz), so this also rules out overflow.
        bad = np.flatnonzero(~np.isfinite(np.einsum("ij,ij->i", vectors, vectors)))
        if len(bad):
            raise LikenessError(
                f"{len(bad)} vectors of the {name} are not finite, the first in row {bad[0]}: embed those images again."
            )
    if self_rows is None:
        return
    if self_rows.shape != (len(queries),) or np.any((self_rows < -1) | (self_rows >= len(gallery))):
        raise LikenessError(
            f"self_rows must hold, for each of {len(queries)} queries, a gallery row below {len(gallery)} or -1."
        )


def _copies(gallery: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows that repeat an earlier one, and the first row each repeats.

    A matrix product may round equal columns differently, depending on where they stand; without this, exact copies
    would not tie.
    """
    first: dict[bytes, int] = {}
    original = np.empty(len(gallery), np.intp)
    for row, vector in enumerate(gallery):
        digest = blake2b((vector + np.float32(0)).tobytes(), digest_size=16).digest()  # + 0: -0.0 becomes 0.0
        original[row] = first.setdefault(digest, row)
    copies = np.flatnonzero(original != np.arange(len(gallery)))
    return copies, original[copies]


def _visit_block(
    rows: NDArray[np.intp],
    scores: NDArray[np.float32],
    visit: Callable[[Ranked], None],
    own: NDArray[np.intp] | None,
) -> None:
    """Turn the scores of one block into keys, a cacheful at a time, in two arrays used over and over."""
    items = scores.shape[1]
    step = max(1, KEYS_AT_ONCE // items)
    flips = np.empty((min(step, len(rows)), items), np.int32)
    keys = np.empty(flips.shape, np.uint64)
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        count = len(rows[part])
        _fill_keys(scores[part], flips[:count], keys[:count])
        if own is not None:
            excluded = np.flatnonzero(own[part] >= 0)
            keys[excluded, own[part][excluded]] = _NOWHERE
        visit(Ranked(rows[part], keys[:count]))


def _fill_keys(scores: NDArray[np.float32], flips: NDArray[np.int32], keys: NDArray[np.uint64]) -> None:
    """Write ``(descending score << 32) | position`` into ``keys``; ``scores`` and ``flips`` are used up.

    Read as integers, positive floats grow with their value and negative ones shrink. Flipping the lower 31 bits of the
    positive ones makes all of them, as unsigned integers, shrink with their value.
    """
    scores += np.float32(0)  # -0.0 becomes 0.0
    bits = scores.view(np.int32)
    np.right_shift(bits, 31, out=flips)
    np.invert(flips, out=flips)
    np.bitwise_and(flips, 0x7FFFFFFF, out=flips)
    np.bitwise_xor(flips, bits, out=flips)
    np.left_shift(flips.view(np.uint32), _HALF, out=keys, dtype=np.uint64)
    np.bitwise_or(keys, np.arange(keys.shape[1], dtype=np.uint64), out=keys)
