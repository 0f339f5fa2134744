"""A model that is ready to decide on any two images: with a threshold and probabilities from a dataset's validation."""

from __future__ import annotations

from dataclasses import dataclass

from core.calibration import Calibration, fit
from core.metrics.verification import Verification
from core.models import Model
from core.policy import is_match
from core.records import Dataset
from core.reliability import ReliabilityPoint, observed_around
from core.store import EmbeddingStore
from core.thresholds import Choice, Objective, choose
from core.verify import SplitPairs, verify

DEFAULT_OBJECTIVE = Objective("f1")


@dataclass(frozen=True)
class Judge:
    """A model with what it takes to decide.

    Attributes:
        model: what scores pairs.
        choice: the threshold, and its interval, chosen on validation.
        calibration: from scores to probabilities, fitted on validation.
        base_rate: share of same-class pairs that probabilities are said for.
        val: the pairs of validation.
    """

    model: Model
    choice: Choice
    calibration: Calibration
    base_rate: float
    val: Verification

    @property
    def threshold(self) -> float:
        """The score from which on two images are called the same."""
        return self.choice.threshold

    def same(self, score: float) -> bool:
        """Whether a score reaches the threshold."""
        return is_match(score, self.threshold)

    def probability(self, score: float) -> float:
        """P(same class) of a pair with this score."""
        return float(self.calibration(score, self.base_rate))

    def like_this(self, score: float) -> ReliabilityPoint:
        """What the validation pairs that score nearest to this turned out to be."""
        return observed_around(self.val, score, self.base_rate)


def judge(
    dataset: Dataset, model: Model, store: EmbeddingStore, objective: Objective = DEFAULT_OBJECTIVE,
    base_rate: float | None = None, method: str = "isotonic",
) -> Judge:  # fmt: skip
    """Get a model ready to decide.

    Args:
        dataset: whose validation pairs the threshold is chosen on.
        model: that has embedded it.
        store: holds the vectors.
        objective: what the threshold is to be good at.
        base_rate: share of same-class pairs where it will be used; None for that of validation.
        method: of :data:`core.calibration.METHODS`.

    Raises:
        LikenessError: the split lacks pairs of one kind, vectors are missing, or no threshold serves the objective.
    """
    return judge_by(verify(dataset, model, store, "val"), objective, base_rate, method)


def judge_by(
    pairs: SplitPairs, objective: Objective = DEFAULT_OBJECTIVE, base_rate: float | None = None,
    method: str = "isotonic",
) -> Judge:  # fmt: skip
    """The same from the pairs of validation, already scored by the model."""
    val = pairs.verification
    share = val.base_rate if base_rate is None else base_rate
    return Judge(pairs.backbone, choose(val, objective, share), fit(val, method), share, val)
