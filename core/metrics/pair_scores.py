"""Scores of all pairs of a set of items: exact counts, and how they vary with the items that were drawn.

n items make n (n - 1) / 2 pairs but only n of them are independent, so uncertainty is taken over items. The number of
false matches is a sum over pairs; its first-order (Hájek) part is a sum over items, of how many false matches each
takes part in. Draws give every item a random weight (multiplier bootstrap; van der Vaart and Wellner, "Weak
Convergence and Empirical Processes", 1996, chapter 2.9), the same for all models. Their spread is then set to the
variance of the U-statistic: the delete-one jackknife, which has the pair-wise part twice, less that part once
(Fogliato, Patil and Perona, arXiv 2306.01198; Efron and Stein, Annals of Statistics 9, 1981). Classes are taken as they
are: the question answered is what other images of these classes would show, not images of other classes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError
from core.metrics.grid import BINS, to_bins
from core.metrics.item_draws import ItemDraws, SortedClasses
from core.metrics.pair_sampling import different_class_pairs, pair_counts, same_class_pairs
from core.metrics.scorer import Scorer

Scores = NDArray[np.float32]
LEVELS = 500
DRAWS = 1000
SCORES_AT_ONCE = 1 << 23  # 32 MB of float32
_MOST_THREADS = 8
_SAMPLE = 20_000
_QUANTILES = 200


@dataclass(frozen=True)
class PairScores:
    """What is known of all pairs of n items; everything that is shown of them is looked up in this.

    Attributes:
        bins: bins of :mod:`core.metrics.grid` that hold a pair, ascending, int32 ``(k,)``.
        same: same-class pairs in each of ``bins``, int64 ``(k,)``.
        different: different-class pairs in each of ``bins``, int64 ``(k,)``.
        levels: bins at which classes and draws are known, ascending, int32 ``(t,)``; ``t`` is at most 500.
        sizes: items of each class, int64 ``(c,)``.
        class_pairs: same-class, then different-class partners of the items of each class by level, int64
            ``(2, c, t + 1)``: column ``i`` has those below ``levels[i]`` and not below ``levels[i - 1]``. A same-class
            pair counts twice, as each of its items is the other's partner.
        draws: FNMR, then FMR, each less its estimate, in each draw of the items and at each level, float32
            ``(2, b, t)``.
    """

    bins: NDArray[np.int32]
    same: NDArray[np.int64]
    different: NDArray[np.int64]
    levels: NDArray[np.int32]
    sizes: NDArray[np.int64]
    class_pairs: NDArray[np.int64]
    draws: NDArray[np.float32]


def score_counts(scorer: Scorer, codes: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many same-class and how many different-class pairs fall into each bin of the grid, int64 ``(BINS,)`` each.

    Arguments and errors as in :func:`pair_scores`. Without draws, and so the fastest way to a curve.
    """
    classes = _checked(scorer, codes)
    from core.metrics.pair_kernels import count_pairs

    block_of = scorer.blocks(classes.order, classes.order)
    with _Workers() as workers:
        for start, stop in _blocks(len(codes)):
            scores = block_of(slice(start, stop), start)

            def count(part: slice, counts: NDArray[np.int64], row: int = start, block: Scores = scores) -> None:
                count_pairs(block[part], row + part.start, row, classes.codes, counts)

            workers.run(count, len(scores))
    return workers.total[0], workers.total[1]


def pair_scores(
    scorer: Scorer,
    codes: NDArray[np.integer],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> PairScores:
    """Score all pairs of items, in memory that does not grow with their number.

    Args:
        scorer: of n items.
        codes: class of each item, integers from 0, shape ``(n,)``.
        draws: how often the items are weighted anew.
        seed: of the weights. Models that see the same items in the same order get the same weights.
        progress: called with the number of items done, and of how many.

    Raises:
        LikenessError: there is not one code for each item, no pair of one class, or none of two.
    """
    classes = _checked(scorer, codes)
    from core.metrics.pair_kernels import count_partners

    levels = _choose_levels(scorer, codes)
    level_of = np.searchsorted(levels, np.arange(BINS, dtype=np.int32), side="right").astype(np.int16)
    block_of = scorer.blocks(classes.order, classes.order)
    items = ItemDraws(classes, len(levels), draws, seed)
    with _Workers() as workers:
        for start, stop in _blocks(len(codes)):
            scores = block_of(slice(start, stop))
            partners = np.zeros((2, stop - start, len(levels) + 1), np.int32)

            def count(
                part: slice, counts: NDArray[np.int64], row: int = start, block: Scores = scores,
                found: NDArray[np.int32] = partners,
            ) -> None:  # fmt: skip
                count_partners(block[part], row + part.start, classes.codes, level_of, counts, found[:, part])

            workers.run(count, len(scores))
            items.add(start, partners)
            progress(stop, len(codes))
    same, different = workers.total
    occupied = np.flatnonzero(same + different).astype(np.int32)
    return PairScores(
        bins=occupied,
        same=same[occupied],
        different=different[occupied],
        levels=levels,
        sizes=classes.sizes,
        class_pairs=items.pairs,
        draws=items.draws(),
    )


def _checked(scorer: Scorer, codes: NDArray[np.integer]) -> SortedClasses:
    if codes.shape != (len(scorer),) or not np.issubdtype(codes.dtype, np.integer):
        raise LikenessError(
            f"There are {len(scorer)} items but class codes of shape {codes.shape} and type {codes.dtype}: "
            "give one integer for each item."
        )
    classes = SortedClasses.of(codes)
    if not classes.pairs[0]:
        raise LikenessError(
            "No two images are of one class, so no same-class pair can be scored. Choose another split."
        )
    if not classes.pairs[1]:
        raise LikenessError("All images are of one class, so no different-class pair can be scored. Add another class.")
    return classes


def _choose_levels(scorer: Scorer, codes: NDArray[np.integer]) -> NDArray[np.int32]:
    """Where curves are drawn and draws are kept: close where scores are many, in the tails, and evenly between.

    Taken from a sample of pairs. Values at a level are exact wherever it lies.
    """
    random = np.random.default_rng(0)
    same, different = pair_counts(codes)
    pairs = [
        same_class_pairs(codes, min(same, _SAMPLE), random),
        different_class_pairs(codes, min(different, _SAMPLE), random),
    ]
    # Logistic steps: as many quantiles between 0.1% and 1% as between 9% and 50%.
    shares = 1 / (1 + np.exp(-np.linspace(-8, 8, _QUANTILES)))
    scores = [scorer.pairs(*part.T) for part in pairs]
    everything = np.concatenate(scores)
    even = np.linspace(everything.min(), everything.max(), LEVELS - 2 * _QUANTILES - 2)
    chosen = np.concatenate([to_bins(np.quantile(part, shares)) for part in scores] + [to_bins(even), [0, BINS]])
    return np.unique(chosen).astype(np.int32)


def _blocks(items: int) -> Iterator[tuple[int, int]]:
    rows = max(1, SCORES_AT_ONCE // items)
    return ((start, min(start + rows, items)) for start in range(0, items, rows))


class _Workers:
    """Threads that count, each into a histogram of its own."""

    def __init__(self) -> None:
        threads = min(_MOST_THREADS, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(threads)
        self._counts = [np.zeros((2, BINS), np.int64) for _ in range(threads)]

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def run(self, count: Callable[[slice, NDArray[np.int64]], None], rows: int) -> None:
        """Share ``rows`` of a block out; returns when all are counted."""
        cuts = np.linspace(0, rows, len(self._counts) + 1).astype(int).tolist()
        parts = [slice(start, stop) for start, stop in pairwise(cuts)]
        for _ in self._pool.map(count, parts, self._counts):
            pass

    @property
    def total(self) -> NDArray[np.int64]:
        """Same-class, then different-class pairs in each bin, ``(2, BINS)``."""
        return np.asarray(sum(self._counts))
