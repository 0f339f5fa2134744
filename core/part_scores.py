"""Scores of a fusion's parts for a sample of pairs: error rates of any weights in milliseconds.

For weights that are tried by the thousand or drawn by hand. Numbers to be reported come from all pairs
(:mod:`core.verify`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError
from core.fusion import Fusion
from core.fusion_parts import alone
from core.metrics.pair_sampling import different_class_pairs, pair_counts, same_class_pairs
from core.progress import Progress, silent
from core.records import Dataset
from core.scorers import scorer_of
from core.store import EmbeddingStore
from core.vectors import class_codes, split_rows

Array = NDArray[np.float64]
# Up to so many pairs all are scored, in one block; of more, a sample.
_MOST_PAIRS = 1_000_000
SAMPLE = 200_000
_STEPS = 2000


@dataclass(frozen=True)
class SampledCurve:
    """Error rates at evenly spaced thresholds from 0 to just above 1, ``(t,)`` each."""

    thresholds: Array
    fmr: Array
    fnmr: Array


@dataclass(frozen=True)
class PartScores:
    """What each of ``k`` parts says of pairs, in [0, 1]; each kind drawn evenly, in random order.

    Attributes:
        names: of the parts, as in ``fusion.weights``.
        same: of same-class pairs, float32 ``(a, k)``.
        different: of different-class pairs, float32 ``(b, k)``.
        pairs: how many same-class and different-class pairs the split has.
    """

    names: tuple[str, ...]
    same: NDArray[np.float32]
    different: NDArray[np.float32]
    pairs: tuple[int, int]

    @property
    def complete(self) -> bool:
        """Whether these are all pairs."""
        return (len(self.same), len(self.different)) == self.pairs

    @property
    def base_rate(self) -> float:
        """Share of same-class pairs in the split."""
        return self.pairs[0] / sum(self.pairs)

    def thinned(self, most: int = SAMPLE) -> PartScores:
        """At most so many of these pairs, half of them of one class if it can."""
        alike, apart = _split((len(self.same), len(self.different)), most)
        return replace(self, same=self.same[:alike], different=self.different[:apart])

    def curve(self, weights: Mapping[str, float]) -> SampledCurve:
        """Error rates of a weighted sum; a part that is not named has no weight."""
        column = np.array([weights.get(name, 0.0) for name in self.names], np.float32)
        missed, rejected = (_below(scores @ column) for scores in (self.same, self.different))
        return SampledCurve(np.arange(_STEPS + 2) / _STEPS, 1 - rejected, missed)


def part_scores(
    dataset: Dataset, fusion: Fusion, store: EmbeddingStore, split: str, progress: Progress = silent
) -> PartScores:
    """Score pairs of a split with every part of a fusion: all, or a seeded sample, half of it of one class if it can.

    Raises:
        LikenessError: the split is empty or lacks pairs of one class or of two, or vectors are missing.
    """
    rows = split_rows(dataset, split)
    codes, random = class_codes(dataset)[rows], np.random.default_rng(0)
    counts = pair_counts(codes)
    if not all(counts):
        kind = "two classes" if counts[0] else "one class"
        raise LikenessError(f"{dataset.title} has no two images of {kind} in {split!r}. Choose another split.")
    whole = sum(counts) <= _MOST_PAIRS
    alike, apart = _split(counts, sum(counts) if whole else SAMPLE)
    drawn = same_class_pairs(codes, alike, random), different_class_pairs(codes, apart, random)
    first, second = np.concatenate(drawn).T
    here, items, columns = dataset.take(rows), np.arange(len(rows)), []
    for done, name in enumerate(fusion.weights):
        progress("Scoring pairs with each part", done, len(fusion.weights))
        scorer = scorer_of(here, alone(fusion, name), store)
        found = scorer.blocks(items, items)(slice(None))[first, second] if whole else scorer.pairs(first, second)
        columns.append(found.astype(np.float32))
    scores = np.stack(columns, axis=1)
    return PartScores(tuple(fusion.weights), scores[:alike], scores[alike:], counts)


def _split(counts: tuple[int, int], most: int) -> tuple[int, int]:
    """How many pairs of each kind to take, of so many: half and half, or more of one where the other has too few."""
    alike = min(counts[0], max(most // 2, most - counts[1]))
    return alike, min(counts[1], most - alike)


def _below(scores: NDArray[np.float32]) -> Array:
    """The share of scores below each threshold, ``(t,)``; a score a rounding error below a threshold reaches it."""
    places = np.clip((scores * _STEPS + np.float32(1e-3)).astype(np.int32), 0, _STEPS)
    return np.concatenate([[0.0], np.cumsum(np.bincount(places, minlength=_STEPS + 1)) / len(scores)])
