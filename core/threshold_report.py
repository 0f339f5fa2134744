"""All that is said of a threshold: how it was chosen on validation, and what it does there and on test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.calibration import Calibration
from core.metrics.verification import Verification
from core.review import Review, ReviewBand, review
from core.thresholds import Choice, Objective, Outcome, choose, outcome


@dataclass(frozen=True)
class ThresholdReport:
    """A threshold in use.

    Attributes:
        objective: what it was chosen for.
        base_rate: share of same-class pairs that rates and costs are said for, on both splits.
        choice: the threshold that serves the objective best on validation.
        threshold: the one in use: that of ``choice``, or one set by hand.
        val, test: what it does.
        calibration: from scores to probabilities, fitted on validation.
        review: a third answer, for a person to give; None without.
    """

    objective: Objective
    base_rate: float
    choice: Choice
    threshold: float
    val: Outcome
    test: Outcome
    calibration: Calibration
    review: Review | None = None

    @property
    def apart(self) -> list[str]:
        """The error rates, ``fmr`` and ``fnmr``, whose intervals on validation and on test have nothing in common."""
        return [
            name
            for name in ("fmr", "fnmr")
            if self.val.rates[name].low > self.test.rates[name].high
            or self.test.rates[name].low > self.val.rates[name].high
        ]

    def as_json(self) -> dict[str, Any]:
        """The result in the form of the command line's ``--json``."""
        return {
            "threshold": self.threshold,
            "ci": [self.choice.low, self.choice.high],
            "objective": str(self.objective),
            "base_rate": round(self.base_rate, 6),
            "probability": round(float(self.calibration(self.threshold, self.base_rate)), 6),
            "val": self.val.as_json(),
            "test": self.test.as_json(),
            **({"review": self.review.as_json()} if self.review else {}),
        }


def report(
    val: Verification, test: Verification, objective: Objective, calibration: Calibration,
    base_rate: float | None = None, threshold: float | None = None, band: ReviewBand | None = None,
) -> ThresholdReport:  # fmt: skip
    """Choose a threshold on validation and say what it does.

    Args:
        val: pairs to choose on.
        test: pairs to report on.
        objective: what to be good at.
        calibration: fitted on ``val``.
        base_rate: share of same-class pairs where it will be used; None for that of ``val``, so that both splits are
            compared at one.
        threshold: another one to use, set by hand.
        band: limits of a third answer.

    Raises:
        LikenessError: no threshold keeps the objective's limit, or the base rate is not between 0 and 1.
    """
    share = val.base_rate if base_rate is None else base_rate
    choice = choose(val, objective, share)
    used = choice.threshold if threshold is None else threshold
    on_val, on_test = (outcome(pairs, used, objective, share) for pairs in (val, test))
    third = None if band is None else review(val, test, band, share)
    return ThresholdReport(objective, share, choice, used, on_val, on_test, calibration, third)
