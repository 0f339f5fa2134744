"""From a similarity to the probability that two images are of one class.

Fitted on validation pairs, counted by bins of :mod:`core.metrics.grid`, and judged by :mod:`core.reliability`. A
probability holds for one base rate; for another it is corrected through the odds, which is Bayes' rule as long as the
scores of each kind of pair stay as they are (Saerens, Latinne and Decaestecker, Neural Computation 14, 2002).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import LikenessError
from core.metrics.grid import threshold_bin, to_bins, to_thresholds
from core.metrics.verification import Verification

Array = NDArray[np.float64]
_LARGEST = 1e300


@dataclass(frozen=True)
class Calibration(ABC):
    """A non-decreasing map from scores to probabilities; ``base_rate`` is that of the pairs it was fitted on."""

    base_rate: float

    @abstractmethod
    def odds_against(self, bins: NDArray[np.int32]) -> Array:
        """P(different) / P(same) in each bin, in the same shape and at ``base_rate``; from 0 to infinity."""

    @abstractmethod
    def as_json(self) -> dict[str, object]:
        """What :func:`from_json` reads."""

    def __call__(self, scores: ArrayLike, base_rate: float | None = None) -> Array:
        """P(same class) of scores, in their shape, within [0, 1].

        Args:
            scores: similarities.
            base_rate: share of same-class pairs where it will be used; None for that it was fitted at.

        Raises:
            LikenessError: the base rate is not between 0 and 1.
        """
        share = checked_share(self.base_rate if base_rate is None else base_rate)
        change = (1 - share) / share * (self.base_rate / (1 - self.base_rate))
        with np.errstate(over="ignore"):
            return np.asarray(1 / (1 + change * self.odds_against(to_bins(scores))))


@dataclass(frozen=True)
class Isotonic(Calibration):
    """The step function that fits best: ``values[i]`` from ``knots[i]`` to the next; below all, ``values[0]``."""

    knots: tuple[float, ...]
    values: tuple[float, ...]

    @cached_property
    def _steps(self) -> tuple[NDArray[np.int64], Array]:
        values = np.array(self.values)
        with np.errstate(divide="ignore"):
            return np.array([threshold_bin(knot) for knot in self.knots]), (1 - values) / values

    def odds_against(self, bins: NDArray[np.int32]) -> Array:
        """See :class:`Calibration`."""
        knots, odds = self._steps
        return np.asarray(odds[np.maximum(0, np.searchsorted(knots, bins, side="right") - 1)])

    def as_json(self) -> dict[str, object]:
        """See :class:`Calibration`."""
        knots, values = list(self.knots), list(self.values)
        return {"method": "isotonic", "base_rate": self.base_rate, "knots": knots, "values": values}


@dataclass(frozen=True)
class Logistic(Calibration):
    """1 / (1 + exp(-(slope * score + intercept))); ``slope`` is at least 0."""

    slope: float
    intercept: float

    def odds_against(self, bins: NDArray[np.int32]) -> Array:
        """See :class:`Calibration`."""
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(-(self.slope * to_thresholds(bins) + self.intercept)))

    def as_json(self) -> dict[str, object]:
        """See :class:`Calibration`."""
        line = {"slope": self.slope, "intercept": self.intercept}
        return {"method": "logistic", "base_rate": self.base_rate, **line}


def _fit_isotonic(pairs: Verification) -> Isotonic:
    """Pool adjacent violators (Ayer et al., 1955). The first page needs it, and scikit-learn takes long to import."""
    starts, same = pairs.scores.bins, pairs.scores.same
    counts = same + pairs.scores.different
    while len(falls := np.flatnonzero(np.diff(same / counts) <= 0)):
        kept = np.delete(np.arange(len(same)), falls + 1)
        starts, same, counts = starts[kept], np.add.reduceat(same, kept), np.add.reduceat(counts, kept)
    return Isotonic(pairs.base_rate, tuple(to_thresholds(starts).tolist()), tuple((same / counts).tolist()))


def _fit_logistic(pairs: Verification) -> Logistic:
    """Maximum likelihood, without a penalty. A falling line is none that can be used, and the best other is level."""
    from sklearn.linear_model import LogisticRegression

    scores = to_thresholds(pairs.scores.bins)
    positive, negative = _targets(pairs)
    middle, spread = float(scores.mean()), float(scores.std())
    level = float(np.log(pairs.base_rate / (1 - pairs.base_rate)))
    if not spread:
        return Logistic(pairs.base_rate, 0.0, level)
    values = np.tile((scores - middle) / spread, 2)[:, None]
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-9, max_iter=1000)
    model.fit(values, np.repeat([1, 0], len(scores)), np.concatenate([positive, negative]))
    slope = float(model.coef_[0, 0]) / spread
    if slope <= 0:
        return Logistic(pairs.base_rate, 0.0, level)
    return Logistic(pairs.base_rate, slope, float(model.intercept_[0]) - slope * middle)


def _targets(pairs: Verification) -> tuple[Array, Array]:
    """Same-class and different-class pairs in each bin.

    Where the kinds do not overlap, no finite slope is the best; then the targets that Platt proposed, ``(n + 1) /
    (n + 2)`` and ``1 / (n + 2)``, stand in for 1 and 0 ("Probabilistic Outputs for Support Vector Machines", 1999).
    """
    same, different = (counts.astype(np.float64) for counts in (pairs.scores.same, pairs.scores.different))
    if np.flatnonzero(different)[-1] > np.flatnonzero(same)[0]:
        return same, different
    high, low = 1 / (pairs.pairs[0] + 2), 1 / (pairs.pairs[1] + 2)
    return same * (1 - high) + different * low, same * high + different * (1 - low)


METHODS: dict[str, Callable[[Verification], Calibration]] = {"isotonic": _fit_isotonic, "logistic": _fit_logistic}


def fit(pairs: Verification, method: str) -> Calibration:
    """Fit to pairs: those of validation, never of test.

    Raises:
        LikenessError: there is no such method.
    """
    if method not in METHODS:
        raise LikenessError(f"No calibration is called {method!r}. Name one of: {', '.join(METHODS)}.")
    return METHODS[method](pairs)


def from_json(content: object) -> Calibration:
    """Read what ``as_json`` gave.

    Raises:
        LikenessError: it is something else, or its numbers are no calibration.
    """
    fields = content if isinstance(content, dict) else {}
    base_rate, slope, intercept = (_number(fields.get(key)) for key in ("base_rate", "slope", "intercept"))
    if base_rate is not None and 0 < base_rate < 1:
        if fields.get("method") == "logistic" and slope is not None and intercept is not None and slope >= 0:
            return Logistic(base_rate, slope, intercept)
        knots, values = _numbers(fields.get("knots")), _numbers(fields.get("values"))
        if fields.get("method") == "isotonic" and _is_step_function(knots, values):
            return Isotonic(base_rate, knots, values)
    raise LikenessError("This is no calibration, or a damaged one. Fit it again on validation pairs.")


def _is_step_function(knots: tuple[float, ...], values: tuple[float, ...]) -> bool:
    within = all(-1 <= knot <= 1 for knot in knots) and all(0 <= value <= 1 for value in values)
    if not knots or len(knots) != len(values) or not within:
        return False
    return all(np.diff([threshold_bin(knot) for knot in knots]) > 0) and all(np.diff(values) >= 0)


def _numbers(given: object) -> tuple[float, ...]:
    found = [_number(one) for one in given] if isinstance(given, list) else []
    return () if None in found else tuple(one for one in found if one is not None)


def _number(given: object) -> float | None:
    usable = isinstance(given, (int, float)) and not isinstance(given, bool) and abs(given) <= _LARGEST
    return float(given) if usable and isinstance(given, (int, float)) else None


def checked_share(base_rate: float) -> float:
    """A base rate as given; raises a LikenessError unless it is between 0 and 1."""
    if not 0 < base_rate < 1:
        raise LikenessError(f"The base rate is a share between 0 and 1, not {base_rate:g}.")
    return base_rate
