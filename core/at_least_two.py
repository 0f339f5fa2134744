"""How well a threshold tells triplets of images that hold a match from those of three different classes.

A triplet is said to hold a match if its largest pair score reaches the threshold, so one number a triplet answers for
every threshold. A threshold that was chosen for pairs does not serve: a triplet has three chances to match wrongly,
which asks for a higher one, and half of these triplets hold a match, far more than of all pairs are of one class, which
asks for a lower one. So one is chosen on triplets of validation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError
from core.metrics.grid import threshold_bin, to_bins
from core.metrics.pair_sampling import pair_counts, three_class_count, three_class_triplets
from core.metrics.rates import RATES
from core.metrics.verification import Estimate
from core.models import Model
from core.records import Dataset
from core.sampled import Sample, draw_triplets, ratio
from core.scorers import scorer_of
from core.store import EmbeddingStore
from core.thresholds import optimum
from core.triplets import PAIRS
from core.vectors import class_codes, split_rows

Array = NDArray[np.float64]
SIZE = 1000
_LEVELS = 400
KINDS = ("match", "no match")
_FIRST, _SECOND = (list(places) for places in zip(*PAIRS, strict=True))


def most(dataset: Dataset, split: str) -> int:
    """How many triplets :func:`draw_mixed` can draw; 0 where there are none of one kind."""
    codes = class_codes(dataset)[split_rows(dataset, split)]
    return 2 * min(pair_counts(codes)[0], three_class_count(codes))


def draw_mixed(dataset: Dataset, split: str, size: int = SIZE, seed: int = 0) -> Sample:
    """Triplets of different images: half hold a match, the others are of three classes; of an odd size, one more match.

    A match is exactly two images of one class, none drawn twice, and one of another class. Images come in any order.

    Raises:
        LikenessError: the size is below 2, the split is empty or of fewer than three classes, or cannot give so many.
    """
    if size < 2:
        raise LikenessError(f"{size} triplets were asked for, but one of each kind is needed. Ask for 2 or more.")
    rows, random = split_rows(dataset, split), np.random.default_rng([seed, size, 4])
    codes = class_codes(dataset)[rows]
    if (classes := len(np.unique(codes))) < 3:
        raise LikenessError(
            f"{dataset.title} has images of {classes} class{'es' * (classes > 1)} in {split!r}, but a triplet without "
            "a match needs three. Add a class, or choose another split."
        )
    alike = (size + 1) // 2
    matching = draw_triplets(dataset, split, alike, seed).rows
    apart = rows[three_class_triplets(codes, size - alike, random)]
    chosen = random.permuted(np.concatenate([matching, apart]), axis=1)
    return Sample(seed, chosen, np.arange(size) < alike, dataset.ids[chosen])


@dataclass(frozen=True)
class KindRates:
    """How triplets of one kind are told, as in scikit-learn's ``classification_report``; ``support`` is their number.

    Precision is 1 where nothing is said to be of this kind.
    """

    precision: Estimate
    recall: Estimate
    f1: Estimate
    support: int


@dataclass(frozen=True)
class TripletReport:
    """What a threshold does on triplets of both kinds; intervals are over images, which triplets share.

    Attributes:
        threshold: from which a pair matches.
        kinds: the rates of each of :data:`KINDS`.
        accuracy: the share of triplets that is told right.
        pair_found: of the matches that are found, how often the most alike pair is the one of one class; a pair that
            ties counts its share.
    """

    threshold: float
    kinds: Mapping[str, KindRates]
    accuracy: Estimate
    pair_found: Estimate

    def average(self, *, weighted: bool) -> dict[str, float]:
        """Precision, recall and F1 averaged over both kinds, alike or by their support."""
        found = self.kinds.values()
        weights = [kind.support if weighted else 1 for kind in found]
        columns = {name: [getattr(kind, name).value for kind in found] for name in ("precision", "recall", "f1")}
        return {name: float(np.average(values, weights=weights)) for name, values in columns.items()}

    def as_json(self) -> dict[str, object]:
        """Values with their 95% intervals, by kind and over all."""
        kinds = {
            name: {key: getattr(kind, key).as_json() for key in ("precision", "recall", "f1")}
            | {"support": kind.support}
            for name, kind in self.kinds.items()
        }
        averages = {f"{name} avg": self.average(weighted=name == "weighted") for name in ("macro", "weighted")}
        over_all = {"accuracy": self.accuracy.as_json(), "pair_found": self.pair_found.as_json()}
        return {"threshold": self.threshold, **kinds, **over_all, **averages}


@dataclass(frozen=True)
class TripletScores:
    """Triplets of both kinds as one model scores them, ready to be asked about any threshold.

    Attributes:
        sample: the triplets; ``same`` are those with a match.
        alike: whether each pair, in the order of :data:`core.triplets.PAIRS`, is of one class, ``(n, 3)``.
        bins: the pairs' scores as bins of :mod:`core.metrics.grid`, int32 ``(n, 3)``.
    """

    sample: Sample
    alike: NDArray[np.bool_]
    bins: NDArray[np.int32]

    @cached_property
    def largest(self) -> NDArray[np.int32]:
        """The bin of each triplet's largest score, ``(n,)``: all that an answer hangs on."""
        return np.asarray(self.bins.max(axis=1))

    @cached_property
    def base_rate(self) -> float:
        """The share of triplets with a match."""
        return float(self.sample.same.mean())

    @cached_property
    def thresholds(self) -> NDArray[np.int32]:
        """Where an answer changes, as bins, ascending, ``(k,)``; the last calls nothing a match."""
        return np.append(np.unique(self.largest), self.largest.max() + 1)

    @cached_property
    def levels(self) -> NDArray[np.int32]:
        """At most 400 of ``thresholds``, evenly many answers apart, at which curves are drawn."""
        places = np.linspace(0, len(self.thresholds) - 1, _LEVELS).astype(np.intp)
        return self.thresholds[np.unique(places)]

    def rates(self, thresholds: NDArray[np.int32]) -> tuple[Array, Array]:
        """Share of the triplets without a match that are called one, and of those with one that are not.

        In the shape of ``thresholds``, which are bins.
        """
        same = self.sample.same
        missed, rejected = (np.searchsorted(np.sort(self.largest[kind]), thresholds) for kind in (same, ~same))
        return 1 - rejected / (~same).sum(), missed / same.sum()

    def best_threshold(self, rate: str = "f1") -> float:
        """The threshold at which one of :data:`core.metrics.rates.RATES` is best, at ``base_rate``; the lowest such."""
        return optimum(RATES[rate].of(*self.rates(self.thresholds), self.base_rate), self.thresholds)

    def report(self, threshold: float) -> TripletReport:
        """What a threshold, a point of the grid, does."""
        called, same = self.largest >= threshold_bin(threshold), self.sample.same
        top = self.bins == self.largest[:, None]
        right = (top & self.alike).sum(axis=1) / top.sum(axis=1)
        kinds = {name: self._kind(called == yes, same == yes) for name, yes in zip(KINDS, (True, False), strict=True)}
        accuracy = ratio(called == same, np.ones(len(same)), self.sample)
        return TripletReport(threshold, kinds, accuracy, ratio(right * (called & same), called & same, self.sample))

    def _kind(self, called: NDArray[np.bool_], true: NDArray[np.bool_]) -> KindRates:
        both = called & true
        return KindRates(
            ratio(both, called, self.sample),
            ratio(both, true, self.sample),
            ratio(2.0 * both, 1.0 * called + true, self.sample),
            int(true.sum()),
        )


def score_triplets(
    dataset: Dataset, model: Model, store: EmbeddingStore, split: str, size: int = SIZE, seed: int = 0
) -> TripletScores:
    """Draw triplets of both kinds and score them.

    Raises:
        LikenessError: as :func:`draw_mixed`, or vectors are missing.
    """
    sample, scorer, codes = (
        draw_mixed(dataset, split, size, seed),
        scorer_of(dataset, model, store),
        class_codes(dataset),
    )
    first, second = sample.rows[:, _FIRST], sample.rows[:, _SECOND]
    scores = scorer.pairs(first.ravel(), second.ravel()).reshape(first.shape)
    return TripletScores(sample, codes[first] == codes[second], to_bins(scores))
