"""How good a network in training is: the leaderboard's metrics on validation images, and what it gets most wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.metrics.retrieval import evaluate_queries
from core.metrics.scorer import Cosine

Items = NDArray[np.intp]
Similarities = Callable[[NDArray[np.float32]], NDArray[np.float32]]
_HARD = 6


@dataclass(frozen=True)
class Judgement:
    """Values by metric, and the hardest triplets by item number with both similarities, hardest first."""

    values: dict[str, float]
    hard: list[tuple[int, int, int, float, float]]


def judge(
    gallery: NDArray[np.float32], queries: NDArray[np.float32], gallery_codes: Items, query_codes: Items,
    similarities: Similarities,
) -> Judgement:  # fmt: skip
    """Retrieval of validation images among training images, and all pairs of validation images.

    Args:
        gallery: vectors of training images, float32 ``(g, d)``, of unit length.
        queries: those of validation images, ``(q, d)``.
        gallery_codes: their classes.
        query_codes: their classes.
        similarities: scores of all pairs of vectors, float32 ``(q, q)``; higher is more alike.
    """
    vectors, codes = np.concatenate([gallery, queries]), np.concatenate([gallery_codes, query_codes])
    items = np.arange(len(vectors))
    found = evaluate_queries(Cosine(vectors), codes, items[len(gallery) :], items[: len(gallery)])
    scores = similarities(queries)
    return Judgement(
        {
            "precision_at_5": round(float(found.precision[:, 4].mean()), 6),
            "retrieval_accuracy": round(float(found.hit_at_1.mean()), 6),
            "roc_auc": round(area(scores, query_codes), 6),
        },
        hardest(scores, query_codes),
    )


def area(scores: NDArray[np.float32], codes: Items) -> float:
    """The area under the ROC curve of all pairs of different items: the chance that a same-class pair scores higher.

    By ranks (Mann-Whitney); ties count half.

    Args:
        scores: ``(n, n)``, symmetric.
        codes: class of each item.
    """
    from scipy.stats import rankdata

    one, other = np.triu_indices(len(codes), 1)
    same = codes[one] == codes[other]
    positives = int(same.sum())
    ranks = rankdata(scores[one, other])[same].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * (len(same) - positives)))


def hardest(scores: NDArray[np.float32], codes: Items, count: int = _HARD) -> list[tuple[int, int, int, float, float]]:
    """Anchors whose least alike image of their class is furthest behind the most alike one of another class.

    Args:
        scores: of all pairs, ``(n, n)``.
        codes: class of each item.
        count: how many at most.

    Returns:
        Item numbers of anchor, positive and negative, and both scores.
    """
    same = codes[:, None] == codes
    other = same & ~np.eye(len(codes), dtype=bool)
    positive, negative = np.where(other, scores, np.inf).argmin(1), np.where(same, -np.inf, scores).argmax(1)
    items = np.arange(len(codes))
    to_positive, to_negative = scores[items, positive], scores[items, negative]
    able = np.flatnonzero(other.any(1) & ~same.all(1))
    order = able[np.argsort((to_positive - to_negative)[able], kind="stable")][:count]
    return [
        (int(a), int(positive[a]), int(negative[a]), round(float(to_positive[a]), 6), round(float(to_negative[a]), 6))
        for a in order
    ]
