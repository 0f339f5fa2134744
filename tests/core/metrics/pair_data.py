"""Items of a few classes, and the slow obvious way to score their pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.metrics.pair_scores import pair_scores
from core.metrics.scorer import Cosine
from core.metrics.verification import Verification


def items(n: int = 120, classes: int = 6, dim: int = 16, noise: float = 1.2, seed: int = 0):
    """Unit vectors around the centres of their classes, float32 ``(n, dim)``, and codes ``(n,)``."""
    random = np.random.default_rng(seed)
    codes = random.permutation(np.arange(n) % classes)
    vectors = random.standard_normal((classes, dim))[codes] + noise * random.standard_normal((n, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), codes


def all_pairs(vectors: NDArray[np.float32], codes: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Score of each pair, one at a time in float64, and whether it is of one class."""
    scores, same = [], []
    for i in range(len(vectors)):
        for j in range(i + 1, len(vectors)):
            scores.append(float(np.dot(vectors[i].astype(np.float64), vectors[j].astype(np.float64))))
            same.append(bool(codes[i] == codes[j]))
    return np.array(scores), np.array(same)


def verified(vectors: NDArray[np.float32], codes: NDArray[np.intp], draws: int = 200) -> Verification:
    """All pairs of items, counted."""
    return Verification(pair_scores(Cosine(vectors), codes, draws=draws))
