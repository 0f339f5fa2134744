"""What an epoch is judged by, against scikit-learn and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from core.training.validation import area, hardest, judge


def _scores(seed: int, n: int, levels: int) -> np.ndarray:
    scores = np.random.default_rng(seed).integers(0, levels, (n, n)).astype(np.float32)
    return np.minimum(scores, scores.T)


@given(seed=st.integers(0, 99), n=st.integers(4, 30), levels=st.sampled_from([2, 5, 1000]))
def test_the_area_is_scikit_learn_s(seed: int, n: int, levels: int) -> None:
    codes = np.r_[0, 0, 1, np.random.default_rng(seed).integers(0, 3, n - 3)]
    scores = _scores(seed, n, levels)
    one, other = np.triu_indices(n, 1)
    assert area(scores, codes) == pytest.approx(roc_auc_score(codes[one] == codes[other], scores[one, other]))


@given(seed=st.integers(0, 99), n=st.integers(3, 20))
def test_the_hardest_triplets_are_the_worst_of_all(seed: int, n: int) -> None:
    codes = np.random.default_rng(seed).integers(0, 4, n)
    scores = _scores(seed, n, 1000)
    slow = []
    for a in range(n):
        near = [float(scores[a, p]) for p in range(n) if p != a and codes[p] == codes[a]]
        far = [float(scores[a, q]) for q in range(n) if codes[q] != codes[a]]
        if near and far:
            slow.append(min(near) - max(far))
    found = hardest(scores, codes, 4)
    assert [near - far for *_, near, far in found] == pytest.approx(sorted(slow)[:4])
    for a, p, q, near, far in found:
        assert codes[a] == codes[p] != codes[q]
        assert p != a
        assert (near, far) == (scores[a, p], scores[a, q])


def test_validation_images_ask_and_training_images_answer() -> None:
    random = np.random.default_rng(3)
    vectors = random.standard_normal((60, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    codes = random.integers(0, 3, 60)
    found = judge(vectors[:40], vectors[40:], codes[:40], codes[40:], lambda given: given @ given.T)
    nearest = np.argsort(-(vectors[40:] @ vectors[:40].T), axis=1)[:, :5]
    right = codes[:40][nearest] == codes[40:, None]
    assert found.values["precision_at_5"] == pytest.approx(right.mean(), abs=1e-6)
    assert found.values["retrieval_accuracy"] == pytest.approx(right[:, 0].mean(), abs=1e-6)
    assert found.values["roc_auc"] == pytest.approx(area(vectors[40:] @ vectors[40:].T, codes[40:]), abs=1e-6)
