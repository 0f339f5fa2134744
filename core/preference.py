"""One order of models from an analyst's own weights for quality, latency and size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import LikenessError


@dataclass(frozen=True)
class Candidate:
    """A model to be ranked: ``quality`` is higher the better, milliseconds and megabytes are above 0."""

    name: str
    quality: float
    latency_ms: float
    size_mb: float


@dataclass(frozen=True)
class Weights:
    """How much each criterion matters; only their ratios count.

    Raises:
        LikenessError: a weight is negative or not finite, or all are 0.
    """

    quality: float
    latency: float
    size: float

    def __post_init__(self) -> None:
        given = (self.quality, self.latency, self.size)
        if not all(math.isfinite(weight) and weight >= 0 for weight in given) or not any(given):
            raise LikenessError(
                f"The weights {', '.join(f'{weight:g}' for weight in given)} rank nothing: "
                "give numbers of at least 0, one of them above 0."
            )


@dataclass(frozen=True)
class Preference:
    """What each criterion adds to a model's score; the score is their sum, in [0, 1]."""

    name: str
    quality: float
    latency: float
    size: float

    @property
    def score(self) -> float:
        """1 for a model that is the best of all by every criterion that has a weight, 0 for one that is the worst."""
        return self.quality + self.latency + self.size


def prefer(candidates: Sequence[Candidate], weights: Weights) -> list[Preference]:
    """Rank models by a weighted sum, best first; equal scores keep the order given.

    Each criterion is scaled to [0, 1] over these models, worst to best (min-max normalisation, the usual value function
    of simple additive weighting: Hwang and Yoon, "Multiple Attribute Decision Making", 1981). Latency and size are
    scaled as logarithms, so that halving either is worth the same wherever it starts. A criterion in which all models
    are equal gives each of them its whole weight. Scores depend on which models are ranked: one more, very slow model
    makes the others look alike.

    Raises:
        LikenessError: a quality is not finite, or a latency or size is not above 0.

    >>> fast, good = Candidate("fast", 0.8, 5.0, 10.0), Candidate("good", 0.9, 20.0, 10.0)
    >>> [(one.name, one.score) for one in prefer([fast, good], Weights(1, 1, 0))]
    [('fast', 0.5), ('good', 0.5)]
    """
    for one in candidates:
        if not (math.isfinite(one.quality) and 0 < one.latency_ms < math.inf and 0 < one.size_mb < math.inf):
            raise LikenessError(
                f"{one.name} has quality {one.quality:g}, {one.latency_ms:g} ms and {one.size_mb:g} MB: "
                "expected a finite quality, and a time and a size above 0. Measure it again."
            )
    total = weights.quality + weights.latency + weights.size
    quality = _scaled([one.quality for one in candidates])
    latency = _scaled([-math.log(one.latency_ms) for one in candidates])
    size = _scaled([-math.log(one.size_mb) for one in candidates])
    ranked = [
        Preference(
            one.name,
            weights.quality / total * quality[i],
            weights.latency / total * latency[i],
            weights.size / total * size[i],
        )
        for i, one in enumerate(candidates)
    ]
    # Rounded, as the same score may be summed from other parts.
    return sorted(ranked, key=lambda preference: -round(preference.score, 12))


def _scaled(values: Sequence[float]) -> list[float]:
    """0 for the least value, 1 for the greatest; 1 for all if they are equal."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    return [(value - low) / (high - low) if high > low else 1.0 for value in values]
