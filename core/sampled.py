"""Small balanced samples of pairs, and triplets: the protocols of earlier work, with honest intervals.

A sample depends on the dataset's rows and a seed only, so that all models see the same one. Samples of different sizes
are drawn apart: a small one is no part of a larger one.

Pairs that share an image vary together. The variance of a ratio of sums is taken from its linear part, with the
product of every two terms that share an image (Aronow, Samii and Assenova, Political Analysis 23, 2015), and no smaller
than for independent pairs; Wilson's interval then has as many pairs as would vary so much. A bootstrap that multiplies
the weights of a pair's images counts what pairs do on their own up to three times (Owen, Annals of Applied Statistics
1, 2007), which is most of it where a sample has hardly more pairs than images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import LikenessError
from core.metrics.grid import threshold_bin, to_bins
from core.metrics.pair_sampling import different_class_pairs, same_class_pairs
from core.metrics.scorer import Scorer
from core.metrics.verification import Estimate, wilson
from core.records import Dataset
from core.scorers import scorer_of
from core.store import EmbeddingStore
from core.vectors import class_codes, split_rows
from core.verify import SplitPairs

Array = NDArray[np.float64]
SIZES = (95, 335, 635, 935)
# Squared terms of a sum that are no more than the last bits of 64.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Sample:
    """Pairs or triplets of images that were drawn.

    Attributes:
        seed: that they were drawn with.
        rows: rows of the dataset, ``(n, 2)`` for pairs, ``(n, 3)`` for triplets.
        same: whether each pair is of one class, or each triplet holds such a pair, ``(n,)``.
        ids: content ids of ``rows``, in the same shape.
    """

    seed: int
    rows: NDArray[np.intp]
    same: NDArray[np.bool_]
    ids: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.rows)

    def as_json(self) -> dict[str, object]:
        """The seed, and content ids with which the same images can be compared again anywhere."""
        return {"seed": self.seed, "size": len(self), "ids": self.ids.tolist(), "same": self.same.tolist()}


@dataclass(frozen=True)
class SampleResult:
    """What a model makes of a sample; ``threshold`` is None for triplets, which need none."""

    sample: Sample
    threshold: float | None
    rates: dict[str, Estimate]

    def as_json(self) -> dict[str, object]:
        """Values, 95% intervals and the sample."""
        return {
            "threshold": self.threshold,
            **{name: round(rate.value, 6) for name, rate in self.rates.items()},
            "ci": {name: [round(rate.low, 6), round(rate.high, 6)] for name, rate in self.rates.items()},
            "sample": self.sample.as_json(),
        }


def draw_pairs(dataset: Dataset, split: str, size: int, seed: int = 0) -> Sample:
    """Different pairs of a split, half of them of one class; of an odd size, one more.

    Raises:
        LikenessError: the size is below 2, or the split is empty or cannot give so many.
    """
    if size < 2:
        raise LikenessError(
            f"A sample of {size} pairs was asked for, but one of each kind is needed. Ask for 2 or more."
        )
    rows, random = split_rows(dataset, split), np.random.default_rng([seed, size, 2])
    codes = class_codes(dataset)[rows]
    alike = (size + 1) // 2
    drawn = [same_class_pairs(codes, alike, random), different_class_pairs(codes, size - alike, random)]
    chosen = rows[np.concatenate(drawn)]
    return Sample(seed, chosen, np.arange(size) < alike, dataset.ids[chosen])


def draw_triplets(dataset: Dataset, split: str, size: int = SIZES[-1], seed: int = 0) -> Sample:
    """Triplets of a split, ``rows`` of anchor, positive, negative: any image of another class than the pair before it.

    No pair of anchor and positive is drawn twice.

    Raises:
        LikenessError: the size is below 1, or the split is empty, of one class, or has fewer same-class pairs.
    """
    if size < 1:
        raise LikenessError(f"A sample of {size} triplets was asked for. Ask for 1 or more.")
    rows, random = split_rows(dataset, split), np.random.default_rng([seed, size, 3])
    codes = class_codes(dataset)[rows]
    if len(np.unique(codes)) < 2:
        raise LikenessError("All images are of one class, so no triplet can be drawn. Add another class.")
    pairs = random.permuted(same_class_pairs(codes, size, random), axis=1)
    order = np.argsort(codes, kind="stable")
    _, group, sizes = np.unique(codes[order], return_inverse=True, return_counts=True)
    own = codes[order].searchsorted(codes[pairs[:, 0]])
    counts = sizes[group[own]]
    # Any place after the anchor's class, going round, is of another class.
    places = (own + counts + random.integers(0, len(rows) - counts)) % len(rows)
    chosen = rows[np.column_stack([pairs, order[places]])]
    return Sample(seed, chosen, np.ones(size, bool), dataset.ids[chosen])


def evaluate_pairs(
    pairs: SplitPairs, store: EmbeddingStore, threshold: float, sizes: Sequence[int] = SIZES, seed: int = 0
) -> list[SampleResult]:
    """Accuracy, precision, recall and F1 of a model at a threshold, on one sample of each size.

    Precision is 1 where nothing is called the same, as in :mod:`core.metrics.rates`.

    Args:
        pairs: names the dataset, the split and the model.
        store: holds its vectors.
        threshold: a point of :mod:`core.metrics.grid`, chosen on other pairs.
        sizes: how many pairs each.
        seed: of the samples.

    Raises:
        LikenessError: as :func:`draw_pairs`, or vectors are missing.
    """
    scorer = scorer_of(pairs.dataset, pairs.backbone, store)
    samples = [draw_pairs(pairs.dataset, pairs.split, size, seed) for size in sizes]
    return [SampleResult(sample, threshold, pair_rates(sample, scorer, threshold)) for sample in samples]


def protocols(
    pairs: SplitPairs, store: EmbeddingStore, threshold: float, seed: int = 0
) -> tuple[list[SampleResult], SampleResult]:
    """Samples of every size of :data:`SIZES` that the split can give, and of as many triplets as it can.

    Arguments as in :func:`evaluate_pairs`.

    Raises:
        LikenessError: the split gives not even two pairs, or vectors are missing.
    """
    same, different = pairs.verification.pairs
    most = 2 * min(same, different)
    sizes = [size for size in SIZES if size <= most] or [most]
    return evaluate_pairs(pairs, store, threshold, sizes, seed), evaluate_triplets(
        pairs, store, min(SIZES[-1], same), seed
    )


def evaluate_triplets(pairs: SplitPairs, store: EmbeddingStore, size: int = SIZES[-1], seed: int = 0) -> SampleResult:
    """Share of triplets whose anchor is more alike to the positive; arguments and errors as :func:`evaluate_pairs`."""
    sample = draw_triplets(pairs.dataset, pairs.split, size, seed)
    scorer = scorer_of(pairs.dataset, pairs.backbone, store)
    return SampleResult(sample, None, {"triplet_accuracy": triplet_accuracy(sample, scorer)})


def pair_rates(sample: Sample, scorer: Scorer, threshold: float) -> dict[str, Estimate]:
    """Rates of a sample of pairs; ``scorer`` of every row of the dataset."""
    called = to_bins(scorer.pairs(*sample.rows.T)) >= threshold_bin(threshold)
    found, same = called & sample.same, sample.same
    ratios: dict[str, tuple[ArrayLike, ArrayLike]] = {
        "accuracy": (called == same, np.ones(len(sample))),
        "precision": (found, called),
        "recall": (found, same),
        "f1": (found * 2.0, same * 1.0 + called),
    }
    return {name: ratio(part, whole, sample) for name, (part, whole) in ratios.items()}


def triplet_accuracy(sample: Sample, scorer: Scorer) -> Estimate:
    """As :func:`evaluate_triplets`; two scores of one bin of the grid are a tie, and a tie counts half."""
    anchor, positive, negative = sample.rows.T
    ahead = np.sign(to_bins(scorer.pairs(anchor, positive)) - to_bins(scorer.pairs(anchor, negative)))
    return ratio((ahead + 1) / 2, np.ones(len(sample)), sample)


def ratio(part: ArrayLike, whole: ArrayLike, sample: Sample) -> Estimate:
    """Sum of ``part`` over sum of ``whole``, both ``(n,)``, with its 95% interval; 1 of [0, 1] where that is 0 over 0.

    Pairs or triplets that share an image vary together.
    """
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    total = float(whole.sum())
    if not total:
        return Estimate(1.0, 0.0, 1.0)
    value = float(part.sum()) / total
    terms = (part - value * whole) / total
    for kind in (sample.same, ~sample.same):  # how many there are of each kind is no chance
        terms[kind] -= terms[kind].mean() if kind.any() else 0.0
    alone = float((terms**2).sum())
    if alone < _ROUNDING / total**2:
        # Nothing to see variance by: as many as could at most share no image.
        most = len(np.unique(sample.rows)) / sample.rows.shape[1]
        return Estimate(value, *wilson(value, min(float((whole > 0).sum()), most)))
    variance = max(alone, shared_variance(terms, sample.rows))
    return Estimate(value, *wilson(value, value * (1 - value) / variance))


def shared_variance(terms: Array, rows: NDArray[np.intp]) -> float:
    """Sum of the products of every two terms that share an image, each with itself too.

    Sums over images count two terms once for each image they share; sums over pairs of images, and over triplets, take
    back what is too much (inclusion and exclusion).

    Args:
        terms: shape ``(n,)``.
        rows: the images of each term, all different, shape ``(n, m)``.
    """
    images, places = np.unique(rows, return_inverse=True)
    ordered = np.sort(places.reshape(rows.shape), axis=1)
    found = 0.0
    for size in range(1, rows.shape[1] + 1):
        subsets = [ordered[:, list(columns)] for columns in combinations(range(rows.shape[1]), size)]
        numbers = np.concatenate(subsets) @ len(images) ** np.arange(size)  # one for each subset
        _, group = np.unique(numbers, return_inverse=True)
        sums = np.bincount(group, np.tile(terms, len(subsets)))
        found += (-1) ** (size + 1) * float((sums**2).sum())
    return found
