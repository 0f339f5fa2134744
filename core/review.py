"""Three answers instead of two: same, different, and what a person has to look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import LikenessError
from core.metrics.grid import threshold_bin, to_thresholds
from core.metrics.verification import Estimate, Verification, wilson


@dataclass(frozen=True)
class ReviewBand:
    """Same from ``accept`` on, different below ``reject``; a person looks at what lies between."""

    reject: float
    accept: float

    def as_json(self) -> dict[str, float]:
        """As in a policy file."""
        return {"reject": self.reject, "accept": self.accept}


def review_band(pairs: Verification, max_fmr: float, max_fnmr: float) -> ReviewBand:
    """The narrowest band whose automatic answers keep both limits on these pairs.

    At most ``max_fmr`` of different-class pairs are accepted and at most ``max_fnmr`` of same-class pairs rejected.
    Where one threshold keeps both, the band is empty.

    Raises:
        LikenessError: a limit is not between 0 and 1.
    """
    for limit in (max_fmr, max_fnmr):
        if not 0 <= limit <= 1:
            raise LikenessError(f"A limit for automatic answers is a share between 0 and 1, not {limit:g}.")
    accept = int((pairs.fmr > max_fmr).sum())
    reject = int(np.searchsorted(pairs.fnmr, max_fnmr, side="right")) - 1
    place = min(accept, reject)
    ends = to_thresholds(pairs.bins[[place, accept]]).tolist()
    return ReviewBand(*ends)


@dataclass(frozen=True)
class Workload:
    """What a band does on a set of pairs.

    Attributes:
        review: share of pairs that a person looks at, at the base rate.
        fmr: share of different-class pairs that are accepted unseen.
        fnmr: share of same-class pairs that are rejected unseen.
    """

    review: Estimate
    fmr: Estimate
    fnmr: Estimate

    def as_json(self) -> dict[str, object]:
        """Values and 95% intervals."""
        return {
            **{name: round(one.value, 6) for name, one in vars(self).items()},
            "ci": {name: [round(one.low, 6), round(one.high, 6)] for name, one in vars(self).items()},
        }


@dataclass(frozen=True)
class Review:
    """A band, and what it does on validation, where it was chosen, and on test."""

    band: ReviewBand
    val: Workload
    test: Workload

    def as_json(self) -> dict[str, object]:
        """As in a policy file."""
        return {**self.band.as_json(), "val": self.val.as_json(), "test": self.test.as_json()}


def review(val: Verification, test: Verification, band: ReviewBand, base_rate: float) -> Review:
    """What a band does on validation and on test, at one base rate."""
    return Review(band, workload(val, band, base_rate), workload(test, band, base_rate))


def workload(pairs: Verification, band: ReviewBand, base_rate: float | None = None) -> Workload:
    """What a band does on a set of pairs, with intervals over images.

    The share to review has a Wilson interval with as many independent pairs as would vary as it does over the draws.
    """
    share = pairs.base_rate if base_rate is None else base_rate
    fmr, fnmr = (np.array(rate) for rate in zip(pairs.rates(band.reject), pairs.rates(band.accept), strict=True))
    value = float(share * (fnmr[1] - fnmr[0]) + (1 - share) * (fmr[0] - fmr[1]))
    ends = np.array([threshold_bin(band.reject), threshold_bin(band.accept)])
    by_match, by_miss = pairs.deviations_at(ends)
    drawn = share * (by_miss[:, 1] - by_miss[:, 0]) + (1 - share) * (by_match[:, 0] - by_match[:, 1])
    variance = float(drawn.var()) if len(drawn) else 0.0
    known = variance > 0 and 0 < value < 1
    low, high = wilson(value, value * (1 - value) / variance if known else pairs.items / 2)
    review = Estimate(value, low, high)
    return Workload(review, pairs.estimate("fmr", band.accept), pairs.estimate("fnmr", band.reject))
