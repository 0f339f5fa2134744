"""The compiled loop on given scores against a plain sort: order, ties, and scores that are hard to select from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.metrics.ranking_kernels import judge
from core.metrics.retrieval import CUTOFFS

Floats = NDArray[np.float32]
Codes = NDArray[np.intp]
NAMES = ("precision", "nearest", "reciprocal_rank", "r_precision", "ap_at_r")


def judged(scores: Floats, codes: Codes, classes: Codes) -> dict[str, NDArray[Any]]:
    relevant = ((classes == codes[:, None]) & (scores > -np.inf)).sum(axis=1)
    count = len(codes)
    precision, nearest = np.full((count, CUTOFFS), np.nan), np.full((count, CUTOFFS), -2, np.int32)
    rest = np.full((3, count), np.nan)
    judge(scores, codes, classes, relevant, precision, nearest, *rest)
    return dict(zip(NAMES, (precision, nearest, *rest), strict=True))


def plainly(scores: Floats, code: int, classes: Codes) -> tuple[Any, ...]:
    order = [j for j in sorted(range(len(scores)), key=lambda j: (-scores[j], j)) if scores[j] > -np.inf]
    hits = [bool(classes[j] == code) for j in order]
    r = sum(hits)
    return (
        [sum(hits[:k]) / k for k in range(1, CUTOFFS + 1)],
        (order + [-1] * CUTOFFS)[:CUTOFFS],
        1 / (hits.index(True) + 1),
        sum(hits[:r]) / r,
        sum(sum(hits[:i]) / i for i in range(1, r + 1) if hits[i - 1]) / r,
    )


def assert_plain(scores: Floats, codes: Codes, classes: Codes) -> None:
    """Every value is equal to the last bit."""
    before = scores.copy()
    found = judged(scores, codes, classes)
    np.testing.assert_array_equal(scores, before)
    for i in range(len(codes)):
        if (classes[scores[i] > -np.inf] == codes[i]).any():
            for name, wanted in zip(NAMES, plainly(scores[i], int(codes[i]), classes), strict=True):
                np.testing.assert_array_equal(found[name][i], wanted, err_msg=name)
        else:
            assert all(np.isnan(found[name][i]).all() for name in NAMES if name != "nearest")
            assert (found["nearest"][i] == -2).all()


def nearest(*scores: float) -> list[int]:
    row, codes = np.array([scores], np.float32), np.zeros(len(scores), np.intp)
    return judged(row, codes[:1], codes)["nearest"][0, : len(scores)].tolist()


def test_order_is_by_falling_score_whatever_the_sign() -> None:
    assert nearest(-1.0, 0.5, 1e-30, -1e-30, 0.25, 1.0, -0.5) == [5, 1, 4, 2, 3, 6, 0]
    assert nearest(-1e-45, 0.0, 1e-45, -3e38, 3e38, 7.0, -7.0, 1.0000001) == [4, 5, 7, 2, 1, 0, 6, 3]


def test_zero_equals_minus_zero() -> None:
    assert nearest(-0.0, 0.0, -0.0) == [0, 1, 2]
    assert nearest(0.0, -0.0, 1e-45, 0.0, -1e-45, -0.0) == [2, 0, 1, 3, 5, 4]


scores_of_a_kind = st.sampled_from(
    [
        lambda rng, shape: rng.uniform(-1, 1, shape),
        lambda rng, shape: 0.9 + 1e-5 * rng.standard_normal(shape),  # all in one step of the histogram
        lambda rng, shape: rng.integers(-3, 4, shape) / 3,  # many ties
        lambda rng, shape: rng.choice([0.0, -0.0], shape),
        lambda rng, shape: rng.choice([-1.0, 1.0], shape),
        lambda rng, shape: 100 * rng.standard_normal(shape),  # beyond the histogram
        lambda rng, shape: rng.standard_normal(shape) * 10.0 ** rng.integers(-40, 30, shape),
        lambda rng, shape: np.full(shape, rng.uniform(-1, 1)),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 90), st.integers(1, 6), st.booleans(), scores_of_a_kind)
def test_equals_a_plain_sort(seed: int, items: int, classes: int, own: bool, scores_like: Any) -> None:
    rng = np.random.default_rng(seed)
    count = min(items, 5)
    scores = scores_like(rng, (count, items)).astype(np.float32)
    if own:
        scores[np.arange(count), rng.permutation(items)[:count]] = -np.inf
    assert_plain(scores, rng.integers(0, classes, count), rng.integers(0, classes, items))


@pytest.mark.parametrize("items", [1, 2, 19, 20, 21, 4097])
@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, -1.0, 0.3])
def test_all_scores_equal(items: int, value: float) -> None:
    classes = np.arange(items) % 3
    assert_plain(np.full((3, items), value, np.float32), np.arange(3), classes)


@pytest.mark.parametrize("items", [5, 20, 3000])
def test_one_class_is_all_there_is(items: int) -> None:
    scores = np.random.default_rng(items).standard_normal((2, items)).astype(np.float32)
    scores[0, items // 2] = -np.inf
    classes = np.zeros(items, np.intp)
    assert_plain(scores, classes[:2], classes)
    found = judged(scores, classes[:2], classes)
    assert found["ap_at_r"].tolist() == found["r_precision"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("place", [0, 1, 30, 498, 499])
def test_the_first_relevant_item_ranks_deep_among_ties(place: int) -> None:
    scores, classes = np.zeros((1, 500), np.float32), np.zeros(500, np.intp)
    classes[place] = 1
    scores[0, place:] = -0.0
    scores[0, 499] = 0.5
    assert_plain(scores, np.array([1]), classes)


def test_the_query_itself_is_no_first_relevant_item() -> None:
    scores, classes = np.linspace(1, -1, 100, dtype=np.float32)[None], np.repeat([0, 1], 50)
    scores[0, 60] = -np.inf
    assert_plain(scores, np.array([1]), classes)
