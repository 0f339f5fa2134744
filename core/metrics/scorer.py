"""What gives pairs of items their scores: cosines of vectors, or any other similarity.

All that is counted, ranked or searched asks a scorer for blocks of scores, so that it works alike for one model and for
a weighted sum of several.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError
from core.metrics.grid import similarity

Items = NDArray[np.intp]


class Blocks(Protocol):
    """Scores of some items, the rows, against others, the columns. Safe to call from several threads."""

    def __call__(self, part: slice | Items, start: int = 0) -> NDArray[np.float32]:
        """Scores float32 ``(r, c)`` of a part of the rows against the columns from ``start`` on; a new array."""
        ...


class Scorer(Protocol):
    """Similarities of pairs of ``n`` items, in [-1, 1]: higher is more alike, and the order of a pair is no matter."""

    def __len__(self) -> int:
        """The number of items."""
        ...

    def blocks(self, rows: Items, columns: Items) -> Blocks:
        """Ready to score the items ``rows`` against the items ``columns``, item numbers of shape ``(r,)``, ``(c,)``."""
        ...

    def originals(self, items: Items) -> Items:
        """For each of ``items``, ``(m,)``, the place of the first of them that is equal, so that both must tie.

        Blocks may score them differently in the last bits.
        """
        ...

    def pairs(self, a: Items, b: Items) -> NDArray[np.float64]:
        """Scores of the pairs ``(a[i], b[i])``, ``(n,)``: what a pair has wherever one pair is looked at.

        They do not depend on how many pairs are asked for at once; blocks may differ from them in the last bits.
        """
        ...


class Cosine:
    """The inner product of L2-normalised vectors, float32 ``(n, d)``.

    Raises:
        LikenessError: the array has another form, or a vector is not finite.
    """

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        if vectors.ndim != 2 or vectors.dtype != np.float32:
            raise LikenessError(f"Vectors are a float32 matrix, one a row, not {vectors.dtype} of {vectors.shape}.")
        # Finite lengths bound every inner product (Cauchy-Schwarz), so this also rules out overflow.
        bad = np.flatnonzero(~np.isfinite(np.einsum("ij,ij->i", vectors, vectors)))
        if len(bad):
            raise LikenessError(
                f"{len(bad)} vectors are not finite, the first in row {bad[0]}: embed those images again."
            )
        self.vectors = vectors

    def __len__(self) -> int:
        return len(self.vectors)

    def blocks(self, rows: Items, columns: Items) -> Blocks:
        """See :class:`Scorer`."""
        left, right = self.vectors[rows], self.vectors[columns]

        def block(part: slice | Items, start: int = 0) -> NDArray[np.float32]:
            return np.asarray(left[part] @ right[start:].T)

        return block

    def originals(self, items: Items) -> Items:
        """See :class:`Scorer`."""
        vectors = self.vectors[items] + np.float32(0)  # -0.0 becomes 0.0
        _, kind, counts = np.unique(_sums(vectors), return_inverse=True, return_counts=True)
        found, first = np.arange(len(items)), dict[bytes, int]()
        for place in np.flatnonzero(counts[kind] > 1).tolist():
            found[place] = first.setdefault(blake2b(vectors[place].tobytes(), digest_size=16).digest(), place)
        return found

    def pairs(self, a: Items, b: Items) -> NDArray[np.float64]:
        """See :class:`Scorer`."""
        parts = range(0, len(a), _PAIRS_AT_ONCE)
        found = [similarity(self.vectors[a[i : i + _PAIRS_AT_ONCE]], self.vectors[b[i : i + _PAIRS_AT_ONCE]])
                 for i in parts]  # fmt: skip
        return np.concatenate(found) if found else np.empty(0)


_PAIRS_AT_ONCE = 4096


def _sums(vectors: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Equal rows have equal sums of their bits, and hardly any others: few need to be looked at closely."""
    return np.asarray(vectors.view(np.uint32).sum(axis=1, dtype=np.uint64))
