"""What queries score with all candidates, whole rows at a time, in memory that does not grow with their number."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from core.metrics.scorer import Items, Scorer

Scores = NDArray[np.float32]
# Scores in the hands of all threads together (64 MB), unless one row is more; and those kept for later rows (256 MB).
SCORES_AT_ONCE = 1 << 24
SCORES_KEPT = 1 << 26
MOST_ROWS = 512
MOST_THREADS = 8

# All cores work on one ranking, so a second one waits. Limits of the matrix library hold for the whole process, and
# two that overlap would not be taken back in order.
_ALONE = Lock()


def visit_rows(
    scorer: Scorer,
    queries: Items,
    candidates: Items,
    visit: Callable[[slice, Scores], None],
) -> None:
    """Score every query against all candidates and hand the rows, some queries at a time, to ``visit``.

    Equal candidates always score equally, and a query scores -inf with itself. The rows do not depend on threads.

    Args:
        scorer: of n items.
        queries: item numbers, shape ``(q,)``.
        candidates: item numbers, no two alike, shape ``(g,)``. Where they are the queries, in the same order, a score
            is worked out once for both of its items, as far as there is memory to keep it.
        visit: called from several threads at once, with every part of the queries exactly once, and its scores float32
            ``(len(part), g)``, which it must leave as they are; its errors are raised here.
    """
    if not len(queries) or not len(candidates):
        return
    rows = _Rows(scorer, queries, candidates)
    # Queries are shared out in equal parts, so that a small job still keeps every thread busy.
    threads = min(MOST_THREADS, os.cpu_count() or 1)
    size = max(1, min(MOST_ROWS, SCORES_AT_ONCE // threads // len(candidates), -(-len(queries) // threads)))
    parts = [slice(start, min(start + size, len(queries))) for start in range(0, len(queries), size)]

    def work(part: slice) -> Scores:
        block, scores = rows.of(part)
        visit(part, scores)
        return block

    with _ALONE, threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
        for first in range(0, len(parts), threads):
            rows.keep(list(pool.map(work, parts[first : first + threads])))


class _Rows:
    """Whole rows of scores, put together from a block of their own and from those kept of earlier rows."""

    def __init__(self, scorer: Scorer, queries: Items, candidates: Items) -> None:
        self._block_of = scorer.blocks(queries, candidates)
        originals = scorer.originals(candidates)
        self._copies = np.flatnonzero(originals != np.arange(len(originals)))
        self._originals = originals[self._copies]
        place = np.full(len(scorer), -1)
        place[candidates] = np.arange(len(candidates))
        self._own = place[queries]
        self._kept: list[tuple[int, Scores]] = []  # of the first rows: blocks, each with the first of its columns
        self._known = 0  # how many rows these are: so many columns of later rows are known
        self._room = SCORES_KEPT if np.array_equal(queries, candidates) else 0

    def of(self, part: slice) -> tuple[Scores, Scores]:
        """The block that was scored for some rows, and the whole rows."""
        block = self._block_of(part, self._known)
        scores = block
        if self._kept:
            scores = np.empty((len(block), self._known + block.shape[1]), np.float32)
            known = (kept[:, part.start - first : part.stop - first].T for first, kept in self._kept)
            np.concatenate([*known, block], axis=1, out=scores)
        # A matrix product may round equal columns differently, depending on where they stand.
        scores[:, self._copies] = scores[:, self._originals]
        own = self._own[part]
        asked = np.flatnonzero(own >= 0)
        scores[asked, own[asked]] = -np.inf
        return block, scores

    def keep(self, blocks: list[Scores]) -> None:
        """Keep the next blocks in turn, up to the first for which there is no room."""
        first = self._known
        for block in blocks:
            if block.size > self._room:
                self._room = 0
                return
            self._room -= block.size
            self._kept.append((first, block))
            self._known += len(block)
