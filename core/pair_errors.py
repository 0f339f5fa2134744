"""The pairs behind the errors: which different-class pairs score highest, which same-class pairs lowest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.metrics.grid import to_thresholds
from core.metrics.pair_scores import SCORES_AT_ONCE
from core.metrics.scorer import Scorer
from core.scorers import scorer_of
from core.store import EmbeddingStore
from core.vectors import class_codes
from core.verify import SplitPairs

KEPT = 1000
# One wrongly labelled image would otherwise fill the whole list.
_TIMES_SHOWN = 2


@dataclass(frozen=True)
class PairList:
    """Pairs of dataset rows with their scores, worst first: ``rows`` ``(n, 2)``, ``scores`` float64 ``(n,)``."""

    rows: NDArray[np.intp]
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rows)

    def first(self, count: int, keep: NDArray[np.bool_]) -> PairList:
        """The worst ``count`` of those to ``keep``, shape ``(n,)``, with no image in more than two of them."""
        shown: dict[int, int] = {}
        chosen: list[int] = []
        for place in np.flatnonzero(keep).tolist():
            ends = self.rows[place].tolist()
            if len(chosen) < count and all(shown.get(row, 0) < _TIMES_SHOWN for row in ends):
                chosen.append(place)
                shown.update({row: shown.get(row, 0) + 1 for row in ends})
        return PairList(self.rows[chosen], self.scores[chosen])


@dataclass(frozen=True)
class PairErrors:
    """The 1,000 different-class pairs that score highest, and the 1,000 same-class pairs that score lowest."""

    false_matches: PairList
    false_non_matches: PairList

    def at(self, threshold: float, count: int) -> tuple[PairList, PairList]:
        """The worst false matches and the worst false non-matches at a threshold, at most ``count`` of each."""
        matches, misses = self.false_matches, self.false_non_matches
        return matches.first(count, matches.scores >= threshold), misses.first(count, misses.scores < threshold)


def find_pair_errors(pairs: SplitPairs, store: EmbeddingStore) -> PairErrors:
    """Look through all pairs of a split for those at the wrong end, in memory that does not grow with their number."""
    scorer = scorer_of(pairs.dataset.take(pairs.rows), pairs.backbone, store)
    codes = class_codes(pairs.dataset)[pairs.rows]
    known = pairs.verification.scores
    # A bin of slack, as a matrix product may round otherwise than the one that was counted.
    high = _cut(known.bins[::-1], known.different[::-1]) - 1
    low = _cut(known.bins, known.same) + 2
    found: dict[bool, list[NDArray[np.intp]]] = {True: [], False: []}
    items = np.arange(len(codes))
    block_of, rows = scorer.blocks(items, items), max(1, SCORES_AT_ONCE // len(codes))
    limits = [float(to_thresholds(place)) for place in (high, low)]
    for start in range(0, len(codes), rows):
        scores = block_of(slice(start, start + rows), start)
        same = codes[start : start + rows, None] == codes[None, start:]
        later = np.arange(scores.shape[1])[None] > np.arange(len(scores))[:, None]
        for kind, wanted in ((False, ~same & (scores >= limits[0])), (True, same & (scores < limits[1]))):
            found[kind].append(np.argwhere(wanted & later) + start)
    return PairErrors(
        _ordered(np.concatenate(found[False]), scorer, pairs.rows, highest=True),
        _ordered(np.concatenate(found[True]), scorer, pairs.rows, highest=False),
    )


def _cut(bins: NDArray[np.int32], counts: NDArray[np.int64]) -> int:
    """The bin up to which, from the wrong end, enough pairs lie."""
    return int(bins[min(int(np.searchsorted(np.cumsum(counts), KEPT)), len(bins) - 1)])


def _ordered(places: NDArray[np.intp], scorer: Scorer, rows: NDArray[np.intp], *, highest: bool) -> PairList:
    scores = scorer.pairs(places[:, 0], places[:, 1])
    order = np.argsort(-scores if highest else scores, kind="stable")[:KEPT]
    return PairList(rows[places[order]], scores[order])
