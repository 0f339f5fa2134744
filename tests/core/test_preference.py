"""The order that an analyst's own weights give."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import LikenessError
from core.preference import Candidate, Weights, prefer

SMALL = Candidate("small", 0.80, 5.0, 4.0)
MIDDLE = Candidate("middle", 0.90, 10.0, 16.0)
LARGE = Candidate("large", 0.95, 20.0, 64.0)
ALL = [SMALL, MIDDLE, LARGE]

positive = st.floats(0.1, 1000)
candidates = st.lists(st.tuples(st.floats(0, 1), positive, positive), min_size=1, max_size=6).map(
    lambda rows: [Candidate(str(i), *row) for i, row in enumerate(rows)]
)
weights = st.tuples(st.floats(0, 10), st.floats(0, 10), st.floats(0, 10))


@pytest.mark.parametrize(
    ("given_weights", "order"),
    [
        (Weights(1, 0, 0), ["large", "middle", "small"]),
        (Weights(0, 1, 0), ["small", "middle", "large"]),
        (Weights(0, 0, 3), ["small", "middle", "large"]),
        (Weights(4, 1, 1), ["large", "middle", "small"]),
        (Weights(2, 1, 1), ["middle", "small", "large"]),
    ],
)
def test_the_weights_decide_the_order(given_weights: Weights, order: list[str]) -> None:
    assert [one.name for one in prefer(ALL, given_weights)] == order


def test_the_parts_by_hand() -> None:
    found = {one.name: one for one in prefer(ALL, Weights(2, 1, 1))}
    middle = found["middle"]  # two thirds of the way in quality, half of it in the logarithms of time and size
    assert (middle.quality, middle.latency, middle.size) == pytest.approx((0.5 * 2 / 3, 0.25 * 0.5, 0.25 * 0.5))
    assert found["small"].score == pytest.approx(0.5)
    assert found["large"].score == pytest.approx(0.5)


def test_halving_the_time_is_worth_the_same_wherever_it_starts() -> None:
    scores = {one.name: one.latency for one in prefer(ALL, Weights(0, 1, 0))}
    assert scores["small"] - scores["middle"] == pytest.approx(scores["middle"] - scores["large"])


def test_what_all_have_alike_decides_nothing() -> None:
    twins = [Candidate("a", 0.9, 7.0, 5.0), Candidate("b", 0.8, 7.0, 5.0)]
    found = prefer(twins, Weights(1, 1, 2))
    assert [one.name for one in found] == ["a", "b"]
    assert [one.score for one in found] == pytest.approx([1.0, 0.75])
    assert [one.score for one in prefer([SMALL], Weights(1, 2, 3))] == pytest.approx([1.0])
    assert prefer([], Weights(1, 1, 1)) == []


def test_equal_scores_keep_their_order() -> None:
    assert [one.name for one in prefer([LARGE, SMALL], Weights(2, 1, 1))] == ["large", "small"]
    assert [one.name for one in prefer([SMALL, LARGE], Weights(2, 1, 1))] == ["small", "large"]


@given(candidates, weights, st.floats(0.01, 100))
def test_scores_stay_in_range_and_only_ratios_of_weights_count(
    models: list[Candidate], numbers: tuple[float, float, float], factor: float
) -> None:
    assume(max(numbers) > 1e-3)
    found = {one.name: one.score for one in prefer(models, Weights(*numbers))}
    assert all(-1e-12 <= score <= 1 + 1e-12 for score in found.values())
    again = {one.name: one.score for one in prefer(models, Weights(*(factor * number for number in numbers)))}
    assert again == pytest.approx(found)


@given(candidates, weights)
def test_a_model_that_is_no_worse_in_anything_is_never_behind(
    models: list[Candidate], numbers: tuple[float, float, float]
) -> None:
    assume(max(numbers) > 1e-3)
    score = {one.name: one.score for one in prefer(models, Weights(*numbers))}
    for a in models:
        for b in models:
            if a.quality >= b.quality and a.latency_ms <= b.latency_ms and a.size_mb <= b.size_mb:
                assert score[a.name] >= score[b.name] - 1e-9


@pytest.mark.parametrize("numbers", [(0, 0, 0), (1, -1, 1), (math.nan, 1, 1), (1, math.inf, 1)])
def test_weights_that_rank_nothing_are_refused(numbers: tuple[float, float, float]) -> None:
    with pytest.raises(LikenessError, match="at least 0, one of them above 0"):
        Weights(*numbers)


@pytest.mark.parametrize("broken", [("a", math.nan, 1.0, 1.0), ("a", 0.5, 0.0, 1.0), ("a", 0.5, 1.0, math.inf)])
def test_models_without_a_measure_are_refused(broken: tuple[str, float, float, float]) -> None:
    with pytest.raises(LikenessError, match=r"a has quality .* above 0"):
        prefer([SMALL, Candidate(*broken)], Weights(1, 1, 1))
