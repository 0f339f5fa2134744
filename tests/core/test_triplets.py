"""Three images: which pairs match, in numbers and in words."""

from __future__ import annotations

import json
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fusion import Component, Fusion
from core.metrics.scorer import Cosine
from core.normalise import fit
from core.triplets import PAIRS, ScoredPair, TripletDecision, contradiction, decide, sentence
from tests.core.metrics.pair_data import items, verified
from tests.fakes import fake

A = fake("fake-a")
SEEDS = st.integers(0, 10_000)
THRESHOLDS = st.floats(-1, 1)


def three(seed: int) -> list[dict[str, np.ndarray]]:
    vectors, _ = items(3, classes=2, dim=8, seed=seed)
    return [{A.name: vector} for vector in vectors]


def decision(*scores: float, threshold: float = 0.5) -> TripletDecision:
    pairs = zip(PAIRS, scores, strict=True)
    return TripletDecision("m", threshold, tuple(ScoredPair(a, b, s, None, s >= threshold) for (a, b), s in pairs))


@given(SEEDS, THRESHOLDS)
def test_it_is_a_naive_loop_over_the_pairs(seed: int, threshold: float) -> None:
    images = three(seed)
    found = decide(A, images, round(threshold, 6))
    vectors = np.stack([image[A.name] for image in images])
    for pair, (a, b) in zip(found.pairs, PAIRS, strict=True):
        assert (pair.a, pair.b) == (a, b)
        assert pair.score == Cosine(vectors).pairs(np.array([a]), np.array([b]))[0]
        assert pair.distance == pytest.approx(np.linalg.norm(vectors[a] - vectors[b]), abs=1e-6)
    assert found.any_match == any(pair.same for pair in found.pairs)
    assert found.best.score == max(pair.score for pair in found.pairs)


@given(SEEDS, THRESHOLDS, THRESHOLDS)
def test_a_higher_threshold_finds_no_more(seed: int, one: float, other: float) -> None:
    low, high = (decide(A, three(seed), round(threshold, 6)) for threshold in sorted((one, other)))
    assert low.any_match or not high.any_match
    assert {pair.names for pair in high.matches} <= {pair.names for pair in low.matches}


@given(SEEDS, THRESHOLDS)
def test_the_order_of_the_images_is_no_matter(seed: int, threshold: float) -> None:
    images = three(seed)
    found = decide(A, images, round(threshold, 6))
    for order in permutations(range(3)):
        again = decide(A, [images[place] for place in order], round(threshold, 6))
        assert again.any_match == found.any_match
        assert again.contradicts_itself == found.contradicts_itself
        assert {order[again.best.a], order[again.best.b]} == {found.best.a, found.best.b}
        assert sorted(pair.score for pair in again.pairs) == sorted(pair.score for pair in found.pairs)


def test_one_image_three_times_matches_itself() -> None:
    found = decide(A, three(0)[:1] * 3, 0.999)
    assert len(found.matches) == 3
    assert not found.contradicts_itself


def test_a_fusion_has_scores_but_no_distances() -> None:
    vectors, codes = items(60)
    fusion = Fusion("both", (Component(A, fit(verified(vectors, codes), "min-max"), 1.0),))
    found = decide(fusion, [{A.name: vector} for vector in vectors[:3]], 0.5)
    assert [pair.distance for pair in found.pairs] == [None, None, None]
    assert found.model == "both"


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ((0.31, 0.71, 0.2), "Yes: A and C match (0.71 >= 0.50). B matches neither."),
        ((0.31, 0.2, 0.9), "Yes: B and C match (0.90 >= 0.50). A matches neither."),
        ((0.31, 0.49999, 0.2), "No: no two match. The most alike are A and C (0.49999 < 0.50000)."),
        ((0.8, 0.7, 0.6), "Yes: all three match. The least alike are B and C (0.60 >= 0.50)."),
        ((0.6, 0.2, 0.8), "Yes: B and C match (0.80 >= 0.50), and so do A and B (0.60 >= 0.50)."),
    ],
)
def test_the_answer_in_words(scores: tuple[float, ...], said: str) -> None:
    assert sentence(decision(*scores)) == said


def test_two_of_three_matches_cannot_be_true() -> None:
    found = decision(0.6, 0.2, 0.8)
    assert found.contradicts_itself
    assert contradiction(found).startswith("A and C do not match (0.20 < 0.50).")
    for consistent in (decision(0.1, 0.2, 0.3), decision(0.1, 0.2, 0.6), decision(0.6, 0.7, 0.8)):
        assert not consistent.contradicts_itself
        assert not contradiction(consistent)


def test_the_json_names_the_images() -> None:
    found = json.loads(json.dumps(decision(0.31, 0.71, 0.2).as_json(("x.jpg", "y.jpg", "z.jpg"))))
    assert found["any_match"]
    assert found["best"] == ["x.jpg", "z.jpg"]
    assert found["pairs"][1] == {"a": "x.jpg", "b": "z.jpg", "score": 0.71, "same": True, "distance": None}
