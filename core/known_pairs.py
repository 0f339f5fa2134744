"""Pairs whose classes are known, to look up those that score about as much as a new one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from core.metrics.pair_scores import SCORES_AT_ONCE
from core.metrics.scorer import Scorer
from core.pair_errors import PairList
from core.scorers import scorer_of
from core.store import EmbeddingStore
from core.verify import SplitPairs

# So many images have all their scores in memory at once.
_MOST_IMAGES = isqrt(SCORES_AT_ONCE)
_POOL = 1000


@dataclass(frozen=True)
class KnownPairs:
    """The pairs of a split, ready to be asked for those nearest to a score.

    Attributes:
        rows: rows of the dataset whose pairs are looked through, ascending, ``(n,)``.
        scorer: of those rows.
    """

    rows: NDArray[np.intp]
    scorer: Scorer

    @classmethod
    def open(cls, pairs: SplitPairs, store: EmbeddingStore) -> KnownPairs:
        """The pairs of a split as one model scores them; of more than 2,896 images so many, evenly spread.

        Raises:
            LikenessError: vectors are missing; the message says which command computes them.
        """
        rows = pairs.rows
        if len(rows) > _MOST_IMAGES:
            rows = rows[np.linspace(0, len(rows) - 1, _MOST_IMAGES).astype(np.intp)]
        return cls(rows, scorer_of(pairs.dataset.take(rows), pairs.backbone, store))

    def nearest(self, score: float, count: int = 8, but: Collection[int] = ()) -> PairList:
        """The ``count`` pairs whose scores lie nearest to a score, nearest first, with no image in more than two.

        The pair of the two rows ``but`` is left out: the one that is asked about, where it is among them.
        """
        size, items = len(self.rows), np.arange(len(self.rows))
        distance = np.abs(self.scorer.blocks(items, items)(slice(None)) - np.float32(score))
        distance[np.tri(size, dtype=bool)] = np.inf  # each pair once, and no image with itself
        pool = min(_POOL, size * (size - 1) // 2)
        a, b = np.unravel_index(np.argpartition(distance, pool - 1, axis=None)[:pool], distance.shape)
        scores = self.scorer.pairs(a, b)
        order = np.lexsort((b, a, np.abs(scores - score)))
        found = PairList(self.rows[np.stack([a, b], axis=1)[order]], scores[order])
        return found.first(count, np.array([set(ends) != set(but) for ends in found.rows.tolist()]))
