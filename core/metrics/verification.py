"""Error rates, curves and summary numbers of all pairs, with intervals over items; everything is a look-up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.metrics.drawn_curves import areas, between, crossing, equal_errors
from core.metrics.grid import threshold_bin, to_thresholds
from core.metrics.pair_scores import PairScores
from core.metrics.rates import RATES, Rate

Array = NDArray[np.float64]
Interval = tuple[float, float]

FAR_LEVELS = (0.1, 0.01, 0.001)
# A rate is known to about a third of itself from 30 errors on (Doddington et al., Speech Communication 31, 2000).
RULE_OF_30 = 30
_Z = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A number with its 95% interval over items."""

    value: float
    low: float
    high: float

    @property
    def interval(self) -> Interval:
        """Low and high."""
        return self.low, self.high

    def as_json(self) -> dict[str, object]:
        """The value and its interval."""
        return {"value": round(self.value, 6), "ci": [round(end, 6) for end in self.interval]}


@dataclass(frozen=True)
class Counts:
    """Pairs called right and wrong at a threshold."""

    true_match: int
    false_match: int
    true_non_match: int
    false_non_match: int


class Verification:
    """All pairs of a set of items, ready to be asked about any threshold.

    Thresholds are points of :mod:`core.metrics.grid`; a pair is called the same if its score is not below.

    Attributes:
        scores: what was counted.
        items: number of items.
        pairs: number of same-class and of different-class pairs.
        base_rate: share of same-class pairs among all pairs.
        bins: thresholds at which a rate can change, as bins, ascending, ``(k + 1,)``; the last calls nothing the same.
        fnmr: false non-match rate at ``bins``, rising from 0 to 1.
        fmr: false match rate at ``bins``, falling from 1 to 0.
    """

    def __init__(self, scores: PairScores) -> None:
        self.scores = scores
        self.items = int(scores.sizes.sum())
        self._below = np.stack([_running(scores.same), _running(scores.different)])
        self.pairs = int(self._below[0, -1]), int(self._below[1, -1])
        self.base_rate = self.pairs[0] / sum(self.pairs)
        self.bins = np.append(scores.bins, scores.bins[-1] + 1)
        self.fnmr: Array = self._below[0] / self.pairs[0]
        self.fmr: Array = (self.pairs[1] - self._below[1]) / self.pairs[1]

    # At a threshold

    def counts(self, threshold: float) -> Counts:
        """Pairs called right and wrong."""
        missed, rejected = self._below[:, self._place(threshold_bin(threshold))].tolist()
        return Counts(self.pairs[0] - missed, self.pairs[1] - rejected, rejected, missed)

    def rates(self, threshold: float) -> tuple[float, float]:
        """FMR and FNMR."""
        place = self._place(threshold_bin(threshold))
        return float(self.fmr[place]), float(self.fnmr[place])

    def estimate(self, rate: Rate | str, threshold: float, base_rate: float | None = None) -> Estimate:
        """A rate at a threshold, with its interval.

        FMR and FNMR have a Wilson interval with as many pairs as would, if independent, be worth these dependent ones
        (Fogliato, Patil and Perona, arXiv 2306.01198). Others combine those two intervals (MOVER; Zou and Donner,
        Statistics in Medicine 27, 2008) with the correlation that both rates have through the items they share.

        Args:
            rate: one of :data:`core.metrics.rates.RATES`, or its name.
            threshold: a point of the grid.
            base_rate: share of same-class pairs that it is to hold for; None for that of these pairs.
        """
        rate = RATES[rate] if isinstance(rate, str) else rate
        share = self.base_rate if base_rate is None else base_rate
        place = threshold_bin(threshold)
        fmr, fnmr = self.rates(threshold)
        match, miss = self._wilson(1, fmr, place), self._wilson(0, fnmr, place)

        def value(at_fmr: float, at_fnmr: float) -> float:
            return float(rate.of(np.asarray(at_fmr), np.asarray(at_fnmr), share))

        middle, correlation = value(fmr, fnmr), self._correlation(place)
        ends = []
        for end in (0, 1):
            by_match, by_miss = value(match[end], fnmr) - middle, value(fmr, miss[end]) - middle
            step = math.sqrt(max(0.0, by_match**2 + by_miss**2 + 2 * correlation * by_match * by_miss))
            ends.append(middle + math.copysign(step, by_match + by_miss))
        return Estimate(middle, max(rate.least, min(ends)), min(rate.most, max(ends)))

    # Summaries

    @cached_property
    def roc_auc(self) -> Estimate:
        """Chance that a same-class pair scores above a different-class pair; ties count half."""
        below = self._below[1]
        wins = float((self.scores.same * (below[:-1] + below[1:]).astype(np.float64)).sum()) / 2
        return _summary(wins / self.pairs[0] / self.pairs[1], areas(*self.draws()))

    @cached_property
    def eer(self) -> Estimate:
        """(FMR + FNMR) / 2 at the threshold where they are closest."""
        place = self.eer_place
        return _summary(float(self.fmr[place] + self.fnmr[place]) / 2, equal_errors(*self.draws()))

    @cached_property
    def eer_place(self) -> int:
        """Where FMR and FNMR are closest, as a place in ``bins``; the lowest such threshold."""
        return int(np.abs(self.fmr - self.fnmr).argmin())

    def tar_at_far(self, far: float) -> Estimate | None:
        """Recall at the lowest threshold whose FMR is at most ``far``; None where too few pairs support it."""
        if far * self.pairs[1] < RULE_OF_30:
            return None
        place = int((self.fmr > far).sum())
        fmr, fnmr = self.draws()
        return _summary(1 - float(self.fnmr[place]), 1 - crossing(-fmr, -far, fnmr))

    # Curves to draw

    @cached_property
    def levels(self) -> Array:
        """At most 500 thresholds at which curves are drawn, ascending, ``(t,)``."""
        return to_thresholds(self.scores.levels)

    @cached_property
    def level_rates(self) -> tuple[Array, Array]:
        """Exact FMR and FNMR at ``levels``, ``(t,)`` each."""
        places = np.searchsorted(self.bins[:-1], self.scores.levels)
        return self.fmr[places], self.fnmr[places]

    def draws(self) -> tuple[Array, Array]:
        """FMR and FNMR at ``levels`` in each draw of the items, float64 ``(b, t)``, within [0, 1]."""
        fmr, fnmr = self.level_rates
        misses, matches = self.scores.draws
        return np.clip(fmr + matches, 0, 1), np.clip(fnmr + misses, 0, 1)

    def deviations_at(self, bins: NDArray[np.integer]) -> tuple[Array, Array]:
        """FMR and FNMR at some bins, each less its estimate, in each draw of the items: float64 ``(b, len(bins))``."""
        levels, (misses, matches) = self.scores.levels, self.scores.draws.astype(np.float64)
        return between(levels, matches, bins), between(levels, misses, bins)

    def _place(self, threshold: int) -> int:
        return int(np.searchsorted(self.bins[:-1], threshold))

    # How much less pairs say than as many independent ones

    def _wilson(self, kind: int, rate: float, place: int) -> Interval:
        effect = float(np.interp(place, *self._design_effects[kind]))
        return wilson(rate, self.pairs[kind] / effect)

    @cached_property
    def _design_effects(self) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """Levels with at least 30 errors and 30 others, and there the variance against that of independent pairs.

        Rates beyond those levels take over the nearest effect: a handful of errors says nothing of its own dependence.
        Where there is no such level, only disjoint pairs are counted, of which there are n / 2.
        """
        fmr, fnmr = self.level_rates
        return self._effects(0, fnmr), self._effects(1, fmr)

    def _effects(self, kind: int, rates: Array) -> tuple[Array, Array]:
        pairs = self.pairs[kind]
        enough = np.flatnonzero(np.minimum(rates, 1 - rates) * pairs >= RULE_OF_30)
        if not len(enough) or not len(self.scores.draws[kind]):
            return np.zeros(1), np.array([max(1.0, 2 * pairs / self.items)])
        alone = rates[enough] * (1 - rates[enough]) / pairs
        effects = self.scores.draws[kind][:, enough].var(axis=0, dtype=np.float64) / alone
        return self.scores.levels[enough].astype(np.float64), np.maximum(1.0, effects)

    def _correlation(self, place: int) -> float:
        """Of FNMR and FMR at a bin, over the draws: negative where the items that miss also match wrongly less."""
        level = min(int(np.searchsorted(self.scores.levels, place)), len(self.scores.levels) - 1)
        misses, matches = (draws[:, level].astype(np.float64) for draws in self.scores.draws)
        spread = float(misses.std() * matches.std()) if len(misses) else 0.0
        return float(np.mean((misses - misses.mean()) * (matches - matches.mean()))) / spread if spread else 0.0


def wilson(rate: float, pairs: float) -> Interval:
    """Wilson's 95% interval of a share seen in so many independent pairs (JASA 22, 1927).

    >>> [round(end, 4) for end in wilson(0.0, 100)]
    [0.0, 0.037]
    """
    z2 = _Z**2 / pairs
    middle = (rate + z2 / 2) / (1 + z2)
    half = math.sqrt(rate * (1 - rate) * z2 + z2**2 / 4) / (1 + z2)
    return max(0.0, min(rate, middle - half)), min(1.0, max(rate, middle + half))


def _summary(value: float, drawn: Array) -> Estimate:
    """Wilson's interval with the number of independent trials that would vary as the draws do."""
    variance = float(drawn.var()) if len(drawn) else 0.0
    if not variance or not 0 < value < 1:
        return Estimate(value, value, value)
    low, high = wilson(value, value * (1 - value) / variance)
    return Estimate(value, low, high)


def _running(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)])
