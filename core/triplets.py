"""Three images: do at least two of them belong to the same class?

They do if any of their three pairs reaches the threshold. Classes are an equivalence: where two pairs match, the third
must. A threshold on scores does not know this, so a decision says where its answers cannot all be true.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.backbones import Backbone, Vectors
from core.metrics.distance import to_distances
from core.models import Model
from core.policy import is_match, told_apart

PAIRS = ((0, 1), (0, 2), (1, 2))
NAMES = "ABC"


@dataclass(frozen=True)
class ScoredPair:
    """Two of three images.

    Attributes:
        a: place of the one, 0 to 2.
        b: place of the other, above ``a``.
        score: their similarity.
        distance: the Euclidean distance of their vectors; None where the score is no cosine.
        same: whether the score reaches the threshold.
    """

    a: int
    b: int
    score: float
    distance: float | None
    same: bool

    @property
    def names(self) -> tuple[str, str]:
        """The letters of both, of :data:`NAMES`."""
        return NAMES[self.a], NAMES[self.b]


@dataclass(frozen=True)
class TripletDecision:
    """What a model says of three images; ``pairs`` are in the order of :data:`PAIRS`."""

    model: str
    threshold: float
    pairs: tuple[ScoredPair, ...]

    @property
    def matches(self) -> tuple[ScoredPair, ...]:
        """The pairs that match, most alike first."""
        return tuple(sorted((pair for pair in self.pairs if pair.same), key=lambda pair: -pair.score))

    @property
    def any_match(self) -> bool:
        """Whether at least two of the three belong to one class."""
        return any(pair.same for pair in self.pairs)

    @property
    def best(self) -> ScoredPair:
        """The most alike pair; of equal ones the first."""
        return max(self.pairs, key=lambda pair: pair.score)

    @property
    def contradicts_itself(self) -> bool:
        """Whether two pairs match and the third does not, which cannot be true of classes."""
        return len(self.matches) == 2

    def as_json(self, names: Sequence[str]) -> dict[str, Any]:
        """The answer with the images' names in place of their places."""
        return {
            "any_match": self.any_match,
            "threshold": self.threshold,
            "best": [names[self.best.a], names[self.best.b]],
            "consistent": not self.contradicts_itself,
            "pairs": [
                {
                    "a": names[pair.a], "b": names[pair.b], "score": round(pair.score, 6), "same": pair.same,
                    "distance": None if pair.distance is None else round(pair.distance, 6),
                }
                for pair in self.pairs
            ],
        }  # fmt: skip


def decide(model: Model, images: Sequence[Vectors], threshold: float) -> TripletDecision:
    """Compare three images with one model.

    Args:
        model: what scores pairs.
        images: the vectors of each, by network name (:func:`core.embed.embed_picture`).
        threshold: the score from which on two count as the same class.
    """
    pairs = []
    for a, b in PAIRS:
        found = model.score(images[a], images[b])
        distance = float(to_distances(found)) if isinstance(model, Backbone) else None
        pairs.append(ScoredPair(a, b, found, distance, is_match(found, threshold)))
    return TripletDecision(model.name, threshold, tuple(pairs))


def sentence(found: TripletDecision) -> str:
    """The decision in words.

    >>> pairs = ((0.31, False), (0.71, True), (0.2, False))
    >>> sentence(TripletDecision("m", 0.55, tuple(
    ...     ScoredPair(a, b, score, None, same) for (a, b), (score, same) in zip(PAIRS, pairs))))
    'Yes: A and C match (0.71 >= 0.55). B matches neither.'
    """
    matches, least = found.matches, found.threshold
    if not matches:
        return f"No: no two match. The most alike are {_pair(found.best)} ({_against(found.best, least)})."
    if len(matches) == 3:
        return f"Yes: all three match. The least alike are {_pair(matches[-1])} ({_against(matches[-1], least)})."
    first = f"Yes: {_pair(matches[0])} match ({_against(matches[0], least)})"
    if len(matches) == 2:
        return f"{first}, and so do {_pair(matches[1])} ({_against(matches[1], least)})."
    (other,) = set(NAMES) - set(matches[0].names)
    return f"{first}. {other} matches neither."


def contradiction(found: TripletDecision) -> str:
    """Why the answers cannot all be true, in words; empty where they can."""
    if not found.contradicts_itself:
        return ""
    (third,) = (pair for pair in found.pairs if not pair.same)
    return (
        f"{_pair(third)} do not match ({_against(third, found.threshold)}). Where two pairs are of one class, so is "
        "the third: at least one of the three answers is wrong."
    )


def _pair(pair: ScoredPair) -> str:
    return " and ".join(pair.names)


def _against(pair: ScoredPair, threshold: float) -> str:
    """0.71 >= 0.55."""
    return f" {'>=' if pair.same else '<'} ".join(told_apart(pair.score, threshold))
