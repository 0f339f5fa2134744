"""How well probabilities fit: Brier score, calibration error and reliability diagram, from counts of pairs by bin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.calibration import Calibration, checked_share
from core.metrics.grid import to_thresholds
from core.metrics.verification import Interval, Verification, wilson

Array = NDArray[np.float64]
GROUPS = 15
_LEAST_MASS = 0.01
_LEAST_PAIRS = 30


@dataclass(frozen=True)
class ReliabilityPoint:
    """Pairs of about one probability: its mean, and the share of same-class pairs, both at the base rate.

    ``interval`` is the 95% interval of ``observed`` over images; None where all or none are of one class, or the pairs
    were counted without draws.
    """

    predicted: float
    observed: float
    pairs: int
    interval: Interval | None


@dataclass(frozen=True)
class Quality:
    """Brier score and expected calibration error, both from 0 (best) to 1, and the points of a reliability diagram."""

    brier: float
    ece: float
    points: tuple[ReliabilityPoint, ...]


def quality(calibration: Calibration, test: Verification, base_rate: float | None = None) -> Quality:
    """How well probabilities fit test pairs, which are weighted so that ``base_rate`` of them are of one class.

    The calibration error (Naeini, Cooper and Hauskrecht, AAAI 2015) is the mean distance between predicted and observed
    over 15 groups of equal mass. Pairs of one probability stay together, in the group that the middle of their mass
    falls into, so that there may be fewer groups.

    Args:
        calibration: fitted on other pairs.
        test: the pairs to judge on.
        base_rate: share of same-class pairs; None for that of ``test``.

    Raises:
        LikenessError: the base rate is not between 0 and 1.
    """
    share = checked_share(test.base_rate if base_rate is None else base_rate)
    predicted = calibration(to_thresholds(test.scores.bins), share)
    same = test.scores.same * (share / test.pairs[0])
    different = test.scores.different * ((1 - share) / test.pairs[1])
    starts = _group_starts(predicted, same + different)
    mass, observed, mean = (np.add.reduceat(part, starts) for part in (
        same + different, same, (same + different) * predicted))  # fmt: skip
    observed, mean = np.clip(observed / mass, 0, 1), np.clip(mean / mass, 0, 1)
    counts = np.add.reduceat(test.scores.same + test.scores.different, starts)
    intervals = _intervals(test, starts, share, observed)
    points = zip(mean.tolist(), observed.tolist(), counts.tolist(), intervals, strict=True)
    return Quality(
        brier=float((same * (1 - predicted) ** 2 + different * predicted**2).sum()),
        ece=float((mass * np.abs(observed - mean)).sum()),
        points=tuple(ReliabilityPoint(*point) for point in points),
    )


def observed_around(pairs: Verification, score: float, base_rate: float | None = None) -> ReliabilityPoint:
    """What the pairs that score nearest to a score turned out to be: at least 1% of the mass, and 30 pairs.

    Args:
        pairs: of known classes.
        score: a similarity.
        base_rate: share of same-class pairs; None for that of ``pairs``.

    Returns:
        The point whose ``predicted`` and ``observed`` are both the share of same-class pairs among them.
    """
    share = checked_share(pairs.base_rate if base_rate is None else base_rate)
    same = pairs.scores.same * (share / pairs.pairs[0])
    mass = same + pairs.scores.different * ((1 - share) / pairs.pairs[1])
    counts = pairs.scores.same + pairs.scores.different
    distance = np.abs(to_thresholds(pairs.scores.bins) - score)
    order = np.argsort(distance, kind="stable")
    enough = (np.cumsum(mass[order]) >= _LEAST_MASS) & (np.cumsum(counts[order]) >= _LEAST_PAIRS)
    taken = order[: int(enough.argmax()) + 1] if enough.any() else order
    start, stop = int(taken.min()), int(taken.max()) + 1
    starts = np.array([start])
    observed = np.clip(same[start:stop].sum() / mass[start:stop].sum(), 0, 1)
    interval = _intervals(pairs, starts, share, np.array([observed]), stop)[0]
    number = int(counts[start:stop].sum())
    # Where all are of one kind, as many as could at most share no image.
    interval = interval or wilson(float(observed), min(number, max(1, pairs.items // 2)))
    return ReliabilityPoint(float(observed), float(observed), number, interval)


def _group_starts(predicted: Array, mass: Array) -> NDArray[np.intp]:
    """Where each group starts, as places in the ascending probabilities."""
    firsts = np.flatnonzero(np.diff(predicted, prepend=-1.0))
    masses = np.add.reduceat(mass, firsts)
    middles = np.cumsum(masses) - masses / 2
    group = np.minimum(GROUPS - 1, (middles / masses.sum() * GROUPS).astype(int))
    return firsts[np.flatnonzero(np.diff(group, prepend=-1))]


def _intervals(
    test: Verification, starts: NDArray[np.intp], share: float, observed: Array, stop: int | None = None
) -> list[Interval | None]:
    """Wilson's, with as many independent pairs as would vary as the observed share does over draws of images.

    That share is a ratio of sums; its variance is that of its linear part. Deviations between two levels are
    interpolated.
    """
    ends = np.append(starts, len(test.scores.bins) if stop is None else stop)
    by_match, by_miss = test.deviations_at(test.bins[ends])
    mass = share * np.diff(test.fnmr[ends]) - (1 - share) * np.diff(test.fmr[ends])
    same, different = share * np.diff(by_miss), -(1 - share) * np.diff(by_match)
    linear = ((1 - observed) * same - observed * different) / mass
    variances = linear.var(axis=0) if len(linear) else np.zeros(len(observed))
    return [
        wilson(value, value * (1 - value) / variance) if variance > 0 and 0 < value < 1 else None
        for value, variance in zip(observed.tolist(), variances.tolist(), strict=True)
    ]
