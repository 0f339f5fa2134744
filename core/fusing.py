"""Learning the weights of a fusion on validation pairs: by logistic regression, by trying mixtures, or by both.

Test pairs are never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import LikenessError
from core.fusion import LABELS, Fusion, reweighted
from core.part_scores import part_scores
from core.progress import Progress, silent
from core.records import Dataset
from core.store import EmbeddingStore
from core.thresholds import Objective, choose
from core.verify import verify
from core.weight_search import Mixture, best_mixture, hundredths, logistic_weights, rank

WAYS = {"logistic": "non-negative logistic regression", "grid": "grid search"}
BOTH = "both"
NAME = "learned"


@dataclass(frozen=True)
class Candidate:
    """Weights that one way found.

    Attributes:
        way: of :data:`WAYS`.
        fusion: with these weights.
        value: the objective's yardstick on all validation pairs, at the threshold that serves the objective best.
    """

    way: str
    fusion: Fusion
    value: float


@dataclass(frozen=True)
class Learned:
    """The fusion whose weights do best on validation, and all that were considered."""

    fusion: Fusion
    candidates: tuple[Candidate, ...]


def learn(
    dataset: Dataset, parts: Fusion, store: EmbeddingStore, *, objective: Objective, base_rate: float | None = None,
    by: str = BOTH, name: str = NAME, progress: Progress = silent,
) -> Learned:  # fmt: skip
    """Weigh the parts of a fusion anew, so that they serve an objective on validation pairs.

    Weights are looked for on up to 200,000 pairs, and what both ways find is compared on all. Of equally good ones
    those of fewer parts are taken.

    Args:
        dataset: with validation pairs of both kinds.
        parts: what can be added up (:func:`core.fusion_parts.fusion_of`); its own weights do not matter.
        store: holds the vectors.
        objective: what the fusion is to be good at.
        base_rate: share of same-class pairs where it will be used; None for that of validation.
        by: one of :data:`WAYS`, or :data:`BOTH`.
        name: of the result.
        progress: called while it works.

    Raises:
        LikenessError: there is no such way, no model helps to tell the kinds apart, or no threshold keeps a limit.
    """
    if by not in (*WAYS, BOTH):
        raise LikenessError(f"Weights cannot be learned by {by!r}. Name one of: {', '.join((*WAYS, BOTH))}.")
    scores = part_scores(dataset, parts, store, "val", progress).thinned()
    share = scores.base_rate if base_rate is None else base_rate
    found: dict[str, Mixture] = {}
    if by != "grid":
        weights = logistic_weights(scores, share)
        mixture = hundredths(weights.tolist()) if weights.any() else (0,) * len(weights)
        if any(hundredth for part, hundredth in zip(scores.names, mixture, strict=True) if part != LABELS):
            found["logistic"] = mixture
    if by != "logistic":
        found["grid"] = best_mixture(scores, objective, share, progress)
    if not found:
        raise LikenessError("No model tells these validation pairs apart, so there are no weights to learn.")
    candidates, problems = [], []
    for way, mixture in found.items():
        given = {part: float(weight) for part, weight in zip(scores.names, mixture, strict=True)}
        origin = f"{WAYS[way]} for {objective} on the validation images of {dataset.title}"
        fusion = reweighted(parts, given, name, origin)
        try:
            candidates.append(Candidate(way, fusion, _value(dataset, fusion, store, objective, share, progress)))
        except LikenessError as error:  # with these weights no threshold keeps the limit
            problems.append(error)
    if not candidates:
        raise problems[0]
    sign = 1 if objective.yardstick.better == "higher" else -1
    best = max(candidates, key=lambda one: rank(sign * one.value, len(one.fusion.weights)))
    return Learned(best.fusion, tuple(candidates))


def _value(
    dataset: Dataset, fusion: Fusion, store: EmbeddingStore, objective: Objective, base_rate: float, progress: Progress
) -> float:
    pairs = verify(dataset, fusion, store, "val", progress).verification
    fmr, fnmr = pairs.rates(choose(pairs, objective, base_rate).threshold)
    return float(objective.yardstick.of(np.asarray(fmr), np.asarray(fnmr), base_rate))
