"""Which images of many are near duplicates.

Two images are, when their perceptual hashes agree but for a few bits **and** their vectors confirm it. The hash alone
will not do: photographs of one kind of product on white agree in it by the thousand. Nor will a fixed limit on the
cosine: recompressed photographs reach 0.95, and so do two shirts on one model. So a pair must either be all but
identical, or stand out: be several times closer than either image is to its tenth neighbour. That is Lowe's ratio test
(IJCV 60, 2004) with room for nine copies; it has no scale, so that one limit serves every model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from core.progress import Progress

# Looked at on 8,675 product photographs and 3,900 of ImageNet. Of the products 125,131 pairs agree in all but 8 bits;
# 11 of them stand out too (MobileNetV2), and each is one picture to the eye, or one in another colour. No photograph of
# ImageNet came within 8 bits of another. Of copies at JPEG quality 60, at 75% of the size or cropped by 2% on each
# side, 97% or more are found among the photographs and 77-88% among the products.
HASH_LIMIT = 8
IDENTICAL = 0.01
RATIO = 0.2
_NEIGHBOUR = 10
# Without vectors: few bits, and a hash that is rare in the dataset.
_LONE_LIMIT = 2
_LONE_TENTH = 14
# Pairs looked at together: 16 MB of hashes.
_ROWS, _COLUMNS = 512, 4096
_DISTANCES = 2**24

_Rows = NDArray[np.intp]
_Distances = NDArray[np.float32]
# Which of the pairs (one, other), whose hashes are so many bits apart, are near duplicates: bool, one for each.
_Confirm = Callable[[_Rows, _Rows, NDArray[np.uint8]], NDArray[np.bool_]]


def near_groups(hashes: NDArray[np.uint64], vectors: NDArray[np.float32] | None, progress: Progress) -> list[list[int]]:
    """Groups of positions whose images are near duplicates, each ascending, in the order of their first.

    All pairs of hashes are compared, a block at a time. An image with ten or more near copies is seen as one of a
    series, unless they are all but identical.

    Args:
        hashes: ``(n,)``.
        vectors: L2-normalised, ``(n, d)``; None where there are none, and then only rare hashes are trusted.
        progress: told of the stage ``Comparing``.
    """
    confirm = _by_hash(hashes) if vectors is None else _by_vectors(vectors)
    return _join(len(hashes), _near_pairs(hashes, confirm, progress))


def _near_pairs(values: NDArray[np.uint64], confirm: _Confirm, progress: Progress) -> Iterator[tuple[int, int]]:
    """All pairs of positions whose hashes agree and that are confirmed, the lower one first."""
    for start in range(0, len(values), _ROWS):
        progress("Comparing", start, len(values))
        for left in range(start, len(values), _COLUMNS):
            bits = np.bitwise_count(values[start : start + _ROWS, None] ^ values[left : left + _COLUMNS])
            one, other = np.nonzero(bits <= HASH_LIMIT)
            apart, one, other = bits[one, other], one + start, other + left
            once = one < other
            one, other, apart = one[once], other[once], apart[once]
            if len(one):
                kept = confirm(one, other, apart)
                yield from zip(one[kept].tolist(), other[kept].tolist(), strict=True)
    progress("Comparing", len(values), len(values))


def _by_vectors(vectors: NDArray[np.float32]) -> _Confirm:
    tenth = _Tenth(len(vectors), lambda rows: 1 - vectors[rows] @ vectors.T)

    def confirm(one: _Rows, other: _Rows, apart: NDArray[np.uint8]) -> NDArray[np.bool_]:
        left, i = np.unique(one, return_inverse=True)
        right, j = np.unique(other, return_inverse=True)
        distance = (1 - vectors[left] @ vectors[right].T)[i, j]
        kept: NDArray[np.bool_] = distance <= IDENTICAL
        open_ = np.flatnonzero(~kept)
        kept[open_] = distance[open_] <= RATIO * np.minimum(tenth(one[open_]), tenth(other[open_]))
        return kept

    return confirm


def _by_hash(values: NDArray[np.uint64]) -> _Confirm:
    tenth = _Tenth(len(values), lambda rows: np.bitwise_count(values[rows, None] ^ values).astype(np.float32))

    def confirm(one: _Rows, other: _Rows, apart: NDArray[np.uint8]) -> NDArray[np.bool_]:
        kept: NDArray[np.bool_] = apart <= _LONE_LIMIT
        open_ = np.flatnonzero(kept)
        kept[open_] = np.minimum(tenth(one[open_]), tenth(other[open_])) >= _LONE_TENTH
        return kept

    return confirm


class _Tenth:
    """How far each position's tenth neighbour is, or the farthest where there are fewer; worked out at first need.

    ``distances(rows)`` are those of some positions to all, float32 ``(r, n)``.
    """

    def __init__(self, count: int, distances: Callable[[_Rows], _Distances]) -> None:
        self._distances = distances
        self._place = min(_NEIGHBOUR, count - 1)  # each position is its own nearest
        self._known = np.full(count, np.nan, np.float32)

    def __call__(self, rows: _Rows) -> _Distances:
        new = np.unique(rows[np.isnan(self._known[rows])])
        step = max(1, _DISTANCES // len(self._known))
        for part in (new[start : start + step] for start in range(0, len(new), step)):
            self._known[part] = np.partition(self._distances(part), self._place, axis=1)[:, self._place]
        return self._known[rows]


def _join(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Groups of positions that pairs connect, ascending (union-find with path halving)."""
    parent = list(range(count))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for item in range(count):
        groups[root(item)].append(item)
    return [group for group in groups.values() if len(group) > 1]
