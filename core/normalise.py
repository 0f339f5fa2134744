"""Bringing the scores of different models to one scale, [0, 1], so that they can be added.

Fitted on validation pairs. Every normaliser is a non-decreasing function, known at each point of
:mod:`core.metrics.grid`, so that a score becomes the same number wherever it is asked for. The four are those of the
literature on score fusion (Jain, Nandakumar and Ross, "Score normalization in multimodal biometric systems", Pattern
Recognition 38, 2005).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.calibration import fit as fit_calibration
from core.calibration import from_json as calibration_from_json
from core.errors import LikenessError
from core.metrics.grid import BINS, to_bins, to_thresholds
from core.metrics.verification import Verification

Array = NDArray[np.float64]
_KNOTS = 101
_SPREADS = 5.0


@dataclass(frozen=True)
class Normaliser:
    """A fitted normaliser.

    Attributes:
        method: one of :data:`METHODS`.
        parameters: what was fitted, as plain JSON values; each method says what.
    """

    method: str
    parameters: dict[str, Any]

    @cached_property
    def table(self) -> NDArray[np.float32]:
        """The value of every bin of the grid, float32 ``(BINS,)``, non-decreasing, in [0, 1]."""
        values = METHODS[self.method].values(self.parameters, to_thresholds(np.arange(BINS)))
        return np.clip(values, 0, 1).astype(np.float32)

    def __call__(self, scores: ArrayLike) -> NDArray[np.float32]:
        """Normalised scores, in the shape given."""
        return np.asarray(self.table[to_bins(scores)])

    def as_json(self) -> dict[str, Any]:
        """What :func:`from_json` reads."""
        return {"method": self.method, **self.parameters}


@dataclass(frozen=True)
class Method:
    """A way to normalise: ``fit`` gives parameters from pairs, ``values`` the normalised scores from parameters."""

    name: str
    title: str
    definition: str
    fit: Callable[[Verification], dict[str, Any]]
    values: Callable[[dict[str, Any], Array], Array]


def _fit_min_max(pairs: Verification) -> dict[str, Any]:
    """The lowest and the highest score."""
    low, high = to_thresholds(pairs.scores.bins[[0, -1]]).tolist()
    return {"low": low, "high": high}


def _min_max(fitted: dict[str, Any], scores: Array) -> Array:
    return np.asarray((scores - fitted["low"]) / max(fitted["high"] - fitted["low"], 1e-6))


def _balanced(pairs: Verification) -> tuple[Array, Array]:
    """Scores and weights with which same-class and different-class pairs count the same in all."""
    weights = pairs.scores.same / pairs.pairs[0] / 2 + pairs.scores.different / pairs.pairs[1] / 2
    return to_thresholds(pairs.scores.bins), weights


def _fit_z_score(pairs: Verification) -> dict[str, Any]:
    """Mean and standard deviation, with both kinds of pairs counting alike."""
    scores, weights = _balanced(pairs)
    mean = float(scores @ weights)
    return {"mean": mean, "deviation": float(np.sqrt(((scores - mean) ** 2) @ weights))}


def _z_score(fitted: dict[str, Any], scores: Array) -> Array:
    z = (scores - fitted["mean"]) / max(fitted["deviation"], 1e-6)
    return np.asarray(0.5 + z / (2 * _SPREADS))


def _fit_quantile(pairs: Verification) -> dict[str, Any]:
    """The scores at 101 evenly spaced shares, with both kinds of pairs counting alike."""
    scores, weights = _balanced(pairs)
    places = np.searchsorted(np.cumsum(weights), np.linspace(0, 1, _KNOTS) - 1e-12)
    return {"knots": scores[np.clip(places, 0, len(scores) - 1)].tolist()}


def _quantile(fitted: dict[str, Any], scores: Array) -> Array:
    # Where several shares have one score, the middle one is meant.
    knots, first = np.unique(fitted["knots"], return_index=True)
    last = len(fitted["knots"]) - 1 - np.unique(fitted["knots"][::-1], return_index=True)[1]
    return np.asarray(np.interp(scores, knots, (first + last) / 2 / (len(fitted["knots"]) - 1)))


def _fit_probability(pairs: Verification) -> dict[str, Any]:
    """A logistic calibration."""
    return {"calibration": fit_calibration(pairs, "logistic").as_json()}


def _probability(fitted: dict[str, Any], scores: Array) -> Array:
    return calibration_from_json(fitted["calibration"])(scores, 0.5)


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("min-max", "Min-max", "From 0 for the lowest validation score to 1 for the highest.",
               _fit_min_max, _min_max),
        Method("z-score", "Z-score", "Standard deviations from the mean of validation scores; from 0 for 5 below to 1 "
               "for 5 above.", _fit_z_score, _z_score),
        Method("quantile", "Quantile", "The share of validation scores that are lower.", _fit_quantile, _quantile),
        Method("probability", "Probability", "The calibrated probability that a pair with this score is of one class, "
               "were both kinds equally frequent.", _fit_probability, _probability),
    )
}  # fmt: skip


def fit(pairs: Verification, method: str) -> Normaliser:
    """Fit to pairs: those of validation, never of test.

    Raises:
        LikenessError: there is no such method.
    """
    if method not in METHODS:
        raise LikenessError(f"No normalisation is called {method!r}. Name one of: {', '.join(METHODS)}.")
    return Normaliser(method, METHODS[method].fit(pairs))


def from_json(content: object) -> Normaliser:
    """Read what ``as_json`` gave.

    Raises:
        LikenessError: it is something else, or damaged.
    """
    fields = dict(content) if isinstance(content, dict) else {}
    found = Normaliser(str(fields.pop("method", "")), json.loads(json.dumps(fields)))
    try:
        table = found.table
    except (KeyError, TypeError, ValueError, IndexError, LikenessError) as error:
        raise LikenessError("This is no normaliser of scores, or a damaged one. Fit it again.") from error
    if not np.isfinite(table).all() or (np.diff(table) < 0).any():
        raise LikenessError("This normaliser of scores is damaged: it falls, or is no number. Fit it again.")
    return found
