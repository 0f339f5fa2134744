"""Intervals of few values: how often they hold the truth, and what they are where the values do not vary."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import LikenessError
from core.metrics.intervals import limits
from core.metrics.score_interval import difference_interval, mean_interval

Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The limits where (hits/n - p)² = z²·p(1-p)/n, searched for."""
    p = np.linspace(0, 1, 200_001)
    inside = p[(hits / n - p) ** 2 <= 1.959964**2 * p * (1 - p) / n + 1e-12]
    return inside[0], inside[-1]


@pytest.mark.parametrize(("hits", "n"), [(20, 20), (0, 7), (13, 17), (1, 1)])
def test_hits_and_misses_get_wilsons_interval(hits: int, n: int) -> None:
    values = np.repeat([1.0, 0.0], [hits, n - hits])
    assert mean_interval(values) == pytest.approx(wilson(hits, n), abs=2e-5)


def test_graded_values_are_worth_more_than_hits_and_misses_but_never_certain() -> None:
    graded, binary, equal = np.full(20, 0.5), np.repeat([0.0, 1.0], 10), np.full(20, 0.5)
    graded[::2] = 0.7
    widths = [np.ptp(mean_interval(values)) for values in (binary, graded, equal)]
    assert widths[0] > 1.5 * widths[1] > widths[2] > 0.05


def graded(chance: float, spread: float) -> Draw:
    """P@5 of queries whose own chances vary."""
    return lambda rng, n: rng.binomial(5, rng.beta(chance * spread, (1 - chance) * spread, n)) / 5


@pytest.mark.parametrize("n", [5, 20, 60])
@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        (lambda rng, n: (rng.random(n) < 0.9).astype(float), 0.9),
        (graded(0.95, 1), 0.95),
        (graded(0.95, 3), 0.95),
        (graded(0.7, 10), 0.7),
        (lambda rng, n: rng.beta(5, 5, n), 0.5),
    ],
    ids=["hit@1", "P@5 all or nothing", "P@5 near 1", "P@5", "MAP@R"],
)
def test_intervals_cover_at_least_nearly_as_often_as_they_say(draw: Draw, truth: float, n: int) -> None:
    rng = np.random.default_rng(n)
    limits = np.array([mean_interval(draw(rng, n)) for _ in range(500)])
    assert np.mean((limits[:, 0] <= truth) & (truth <= limits[:, 1])) >= 0.91


def test_the_bootstrap_does_not_cover_for_small_classes() -> None:
    rng = np.random.default_rng(1)
    found = np.array([limits((rng.random((20, 1)) < 0.95).astype(float), draws=200)[0] for _ in range(200)])
    assert np.mean((found[:, 0] <= 0.95) & (found[:, 1] >= 0.95)) < 0.75


@pytest.mark.parametrize(("a_only", "b_only"), [(0.01, 0.01), (0.1, 0.02), (0.3, 0.3)])
@pytest.mark.parametrize("n", [5, 20, 60])
def test_paired_differences_are_covered(a_only: float, b_only: float, n: int) -> None:
    rng = np.random.default_rng(n)
    chance = rng.random((500, n))
    gaps = (chance < a_only).astype(float) - (chance > 1 - b_only)
    limits = np.array([difference_interval(row) for row in gaps])
    assert np.mean((limits[:, 0] <= a_only - b_only) & (a_only - b_only <= limits[:, 1])) >= 0.93


def test_no_differences_in_twenty_leave_room_for_rare_ones() -> None:
    low, high = difference_interval(np.zeros(20))
    assert low == pytest.approx(-high)
    assert 1 - 0.025 ** (1 / 20) < high < 0.2  # a difference in a share of that size would be missed once in 40


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0.5, 0.98))
def test_intervals_hold_the_mean_stay_in_range_and_grow_with_their_level(values: list[float], level: float) -> None:
    array = np.array(values)
    low, high = mean_interval(array, level=level)
    lower, higher = mean_interval(array, level=level + 0.01)
    assert 0 <= low <= array.mean() <= high <= 1
    assert lower <= low + 1e-12
    assert high <= higher + 1e-12
    mirrored = mean_interval(1 - array, level=level)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_no_interval_without_values() -> None:
    with pytest.raises(LikenessError, match="at least one value"):
        mean_interval(np.ones(0))
