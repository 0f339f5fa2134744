"""Bootstrap intervals: their draws and their coverage."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import LikenessError
from core.metrics import average, bootstrap_averages, bootstrap_weights, intervals

Values = NDArray[np.float64]


def coin(rng: np.random.Generator, chance: float, n: int) -> Values:
    return (rng.random(n) < chance).astype(np.float64)


def test_weights_are_multinomial_and_repeatable(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = np.concatenate(list(bootstrap_weights(50, draws=400, seed=3)))
    assert weights.shape == (400, 50)
    assert weights.dtype == np.uint8
    assert (weights.sum(axis=1) == 50).all()
    assert weights.astype(float).var(axis=0).mean() == pytest.approx(1 - 1 / 50, abs=0.05)
    monkeypatch.setattr(intervals, "WEIGHTS_AT_ONCE", 350)  # seven rows a chunk
    chunks = list(bootstrap_weights(50, draws=400, seed=3))
    assert [len(chunk) for chunk in chunks] == [7] * 57 + [1]
    np.testing.assert_array_equal(np.concatenate(chunks), weights)
    assert not np.array_equal(np.concatenate(list(bootstrap_weights(50, draws=400, seed=4))), weights)


def test_a_chunk_of_weights_stays_small() -> None:
    assert next(bootstrap_weights(100_000)).nbytes <= 4 << 20


@pytest.mark.parametrize("by_class", [False, True])
def test_averages_equal_a_plain_loop_over_drawn_queries(by_class: bool) -> None:
    rng = np.random.default_rng(0)
    values, classes = rng.random((12, 2)), np.array([5, 1, 1, 5, 1, 1, 1, 9, 1, 1, 5, 1])
    found = bootstrap_averages(values, classes if by_class else None, draws=60, seed=1)
    missing = 0
    for row, weights in zip(found, np.concatenate(list(bootstrap_weights(12, draws=60, seed=1))), strict=True):
        drawn = np.repeat(np.arange(12), weights)
        groups = [drawn[classes[drawn] == code] for code in (1, 5, 9)] if by_class else [drawn]
        missing += sum(not len(group) for group in groups)
        np.testing.assert_allclose(row, np.mean([values[group].mean(axis=0) for group in groups if len(group)], axis=0))
    assert (missing > 0) == by_class  # the case of a class that was not drawn did occur


def test_intervals_cover_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for seed in range(200):
        low, high = intervals.limits(coin(rng, 0.7, 150)[:, None], draws=400, seed=seed)[0]
        covered += low <= 0.7 <= high
    assert 0.90 <= covered / 200 <= 0.99


def test_class_intervals_cover_the_class_average() -> None:
    rng = np.random.default_rng(2)
    classes = np.repeat([0, 1, 2], [100, 40, 20])
    chances = np.array([0.9, 0.6, 0.3])
    covered = wrong = 0
    for seed in range(200):
        values = (rng.random(160) < chances[classes]).astype(float)
        low, high = intervals.limits(values[:, None], classes, draws=300, seed=seed)[0]
        covered += low <= 0.6 <= high
        low, high = intervals.limits(values[:, None], draws=300, seed=seed)[0]
        wrong += low <= 0.6 <= high
    assert 0.90 <= covered / 200 <= 0.99
    assert wrong < 100  # the interval of the plain mean is about another number


def test_a_wider_level_gives_a_wider_interval_around_the_average() -> None:
    values = coin(np.random.default_rng(3), 0.6, 300)
    low, high = intervals.limits(values[:, None])[0]
    lower, higher = intervals.limits(values[:, None], level=0.99)[0]
    assert lower < low < average(values) < high < higher


def test_no_interval_without_queries() -> None:
    with pytest.raises(LikenessError, match="at least one query"):
        intervals.limits(np.ones((0, 1)))
