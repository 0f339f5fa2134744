"""A threshold for each class beside the one for all, and an honest verdict on whether they pay.

A pair of two classes has no class of its own. A threshold by class serves where one image of the pair is known: the
reference, whose class's threshold then decides. Thresholds are chosen on validation; whether they are better is asked
of test pairs, which had no say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.metrics.grid import to_thresholds
from core.metrics.item_errors import ItemErrors, item_errors
from core.metrics.rates import RATES, Rate
from core.metrics.verification import RULE_OF_30, Estimate, Verification
from core.scorers import scorer_of
from core.store import EmbeddingStore
from core.thresholds import Objective
from core.vectors import class_codes
from core.verify import SplitPairs

Array = NDArray[np.float64]
_Z = 1.959963984540054


@dataclass(frozen=True)
class ClassThreshold:
    """One class: its own threshold, and what it and the common one do on test pairs with it as the reference.

    Attributes:
        label: the class.
        threshold: its own; the common one where validation has too few pairs of it.
        own: whether it has one of its own.
        pairs: same-class pairs in validation and in test.
        common: FMR and FNMR on test with the common threshold; NaN where test has no such pair.
        by_class: the same with its own.
    """

    label: str
    threshold: float
    own: bool
    pairs: tuple[int, int]
    common: tuple[float, float]
    by_class: tuple[float, float]


@dataclass(frozen=True)
class Verdict:
    """Whether thresholds by class beat the common one on test.

    Attributes:
        judged: what they are judged by: a title.
        common: its value with the common threshold.
        by_class: its value with thresholds by class.
        gain: how much better thresholds by class are; positive is better.
        broken: for objectives with a limit, whether they break it by more than the common one does, beyond chance.
    """

    judged: str
    common: float
    by_class: float
    gain: Estimate
    broken: bool

    @property
    def pays(self) -> bool | None:
        """Yes, no (they do harm), or None: these pairs cannot tell."""
        if self.gain.high < 0 or self.broken:
            return False
        return True if self.gain.low > 0 else None


@dataclass(frozen=True)
class ClassThresholds:
    """Every class, in the order of names, and the verdict."""

    classes: tuple[ClassThreshold, ...]
    verdict: Verdict


def class_thresholds(
    val: SplitPairs, test: SplitPairs, store: EmbeddingStore, objective: Objective, threshold: float, base_rate: float
) -> ClassThresholds:
    """Choose a threshold for each class on validation, and compare them with a common one on test.

    Args:
        val: pairs to choose on.
        test: pairs to judge on, of the same dataset and model.
        store: holds the vectors.
        objective: what the thresholds are to be good at.
        threshold: the common one.
        base_rate: share of same-class pairs where they will be used.

    Raises:
        LikenessError: vectors are missing.
    """
    classes = test.dataset.classes
    chosen = _choose(val.verification, objective, threshold, base_rate, len(classes))
    thresholds = np.column_stack([np.full(len(classes), threshold), np.where(np.isnan(chosen), threshold, chosen)])
    scorer = scorer_of(test.dataset.take(test.rows), test.backbone, store)
    errors = item_errors(scorer, class_codes(test.dataset)[test.rows], thresholds)
    val_pairs = _same_pairs(np.bincount(class_codes(val.dataset)[val.rows], minlength=len(classes)))
    test_pairs = _same_pairs(np.bincount(errors.codes, minlength=len(classes)))
    rates = [_class_rates(errors, rule, len(classes)) for rule in (0, 1)]
    rows = tuple(
        ClassThreshold(
            label, float(thresholds[code, 1]), bool(~np.isnan(chosen[code])), (val_pairs[code], test_pairs[code]),
            rates[0][code], rates[1][code],
        )
        for code, label in enumerate(classes)
    )  # fmt: skip
    return ClassThresholds(rows, _verdict(errors, objective, base_rate))


def _choose(pairs: Verification, objective: Objective, common: float, base_rate: float, classes: int) -> Array:
    """The best threshold of each class at the levels of ``pairs``; NaN where there are fewer than 30 pairs of it.

    Of equally good ones the nearest to the common threshold is taken.
    """
    counts = pairs.scores.class_pairs
    below = np.cumsum(counts, axis=2)[:, :, :-1]
    chosen = np.full(classes, np.nan)
    apart = np.abs(pairs.levels - common)
    for code in np.flatnonzero(counts[0].sum(axis=1) / 2 >= RULE_OF_30).tolist():
        same, different = counts[:, code].sum(axis=1)
        fnmr, fmr = below[0, code] / same, 1 - below[1, code] / different
        utility = objective.utility(fmr, fnmr, base_rate)
        if utility.max() > -np.inf:
            chosen[code] = pairs.levels[np.lexsort((apart, -utility.round(12)))[0]]
    return np.asarray(np.clip(chosen, -1, float(to_thresholds(pairs.bins[-1]))))


def _same_pairs(sizes: NDArray[np.int64]) -> list[int]:
    return [int(number) for number in sizes * (sizes - 1) // 2]


def _class_rates(errors: ItemErrors, rule: int, classes: int) -> list[tuple[float, float]]:
    sums = [np.bincount(errors.codes, values, classes)
            for values in (errors.matches[:, rule], errors.different, errors.misses[:, rule], errors.same)]  # fmt: skip
    with np.errstate(invalid="ignore"):
        return list(zip((sums[0] / sums[1]).tolist(), (sums[2] / sums[3]).tolist(), strict=True))


def _verdict(errors: ItemErrors, objective: Objective, base_rate: float) -> Verdict:
    rate = objective.yardstick
    common, by_class, gain = _gain(errors, rate, base_rate)
    broken = False
    if objective.limit is not None:  # is the rate that has a limit worse by more than chance explains?
        broken = _gain(errors, RATES[objective.name], base_rate)[2].high < 0
    return Verdict(rate.title, common, by_class, gain, broken)


def _gain(errors: ItemErrors, rate: Rate, base_rate: float) -> tuple[float, float, Estimate]:
    """A rate with the common threshold, with those by class, and how much better the latter is, with its interval.

    The rate is followed along its slopes (delta method); the variance is over test images.
    """
    values, moved = [], []
    for rule in (0, 1):
        fmr, fnmr = errors.rates(rule)
        slopes = rate.slopes(fmr, fnmr, base_rate)
        by_match, by_miss = errors.influences(rule)
        values.append(float(rate.of(np.asarray(fmr), np.asarray(fnmr), base_rate)))
        moved.append(slopes[0] * by_match + slopes[1] * by_miss)
    noise = errors.paired_noise(1)
    alone = slopes[0] ** 2 * noise[0] + slopes[1] ** 2 * noise[1]
    half = _Z * math.sqrt(max(alone, float(((moved[1] - moved[0]) ** 2).sum()) - alone))
    gain = (values[1] - values[0]) * (1 if rate.better == "higher" else -1)
    return values[0], values[1], Estimate(gain, gain - half, gain + half)
