"""How much two models differ on the same items, with intervals and p-values over items.

Both models' draws give the items the same weights (:mod:`core.metrics.pair_scores`), so the difference of what they
draw varies as the difference of what they measure does: items that are hard for both cancel out. Thresholds are taken
as they are, chosen on other items.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError
from core.metrics.drawn_curves import areas, equal_errors
from core.metrics.grid import threshold_bin
from core.metrics.rates import Rate
from core.metrics.verification import Estimate, Verification

Array = NDArray[np.float64]
_Z = 1.959963984540054


@dataclass(frozen=True)
class PairedDifference(Estimate):
    """A number of one model less that of another, with its 95% interval and the two-sided p-value of no difference."""

    p_value: float


def roc_auc_difference(a: Verification, b: Verification) -> PairedDifference:
    """ROC AUC of ``a`` less that of ``b``.

    Raises:
        LikenessError: the two did not see the same items with the same draws, or there are no draws.
    """
    _check(a, b)
    return _difference(a.roc_auc.value - b.roc_auc.value, areas(*a.draws()) - areas(*b.draws()), 1.0)


def eer_difference(a: Verification, b: Verification) -> PairedDifference:
    """Equal error rate of ``a`` less that of ``b``; raises as :func:`roc_auc_difference`."""
    _check(a, b)
    return _difference(a.eer.value - b.eer.value, equal_errors(*a.draws()) - equal_errors(*b.draws()), 1.0)


def rate_difference(
    rate: Rate, a: Verification, b: Verification, thresholds: tuple[float, float], base_rate: float
) -> PairedDifference:
    """A rate of ``a`` less that of ``b``, each at its own threshold; raises as :func:`roc_auc_difference`.

    Each is followed along its slopes at what was measured (delta method).

    Args:
        rate: what is compared.
        a: pairs as one model scores them.
        b: the same pairs as another does.
        thresholds: of ``a`` and of ``b``, points of :mod:`core.metrics.grid`.
        base_rate: share of same-class pairs that the rate holds for.
    """
    _check(a, b)
    (of_a, drawn_a), (of_b, drawn_b) = (_at(rate, pairs, threshold, base_rate)
                                        for pairs, threshold in zip((a, b), thresholds, strict=True))  # fmt: skip
    return _difference(of_a - of_b, drawn_a - drawn_b, rate.most - rate.least)


def _at(rate: Rate, pairs: Verification, threshold: float, base_rate: float) -> tuple[float, Array]:
    """A rate at a threshold, and its deviation from that in each draw, ``(b,)``."""
    fmr, fnmr = pairs.rates(threshold)
    by_match, by_miss = pairs.deviations_at(np.array([threshold_bin(threshold)]))
    slopes = rate.slopes(fmr, fnmr, base_rate)
    value = float(rate.of(np.asarray(fmr), np.asarray(fnmr), base_rate))
    return value, slopes[0] * by_match[:, 0] + slopes[1] * by_miss[:, 0]


def _difference(value: float, drawn: Array, most: float) -> PairedDifference:
    """A normal interval with the spread of the draws, within ``most`` of 0."""
    deviation = float(drawn.std())
    if not deviation:
        return PairedDifference(value, value, value, float(not value))
    low, high = max(-most, value - _Z * deviation), min(most, value + _Z * deviation)
    return PairedDifference(value, low, high, math.erfc(abs(value) / deviation / math.sqrt(2)))


def _check(a: Verification, b: Verification) -> None:
    draws = [pairs.scores.draws.shape[1] for pairs in (a, b)]
    if not np.array_equal(a.scores.sizes, b.scores.sizes) or draws[0] != draws[1] or not draws[0]:
        raise LikenessError(
            f"Two models are compared on the same images with the same draws, but one saw {a.items:,} images in "
            f"{draws[0]:,} draws and the other {b.items:,} in {draws[1]:,}. Score both on one split."
        )
