"""Bootstrap intervals: their coverage, the pairing of models, Holm's correction."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import LikenessError
from core.metrics import (
    average,
    best_model,
    bootstrap_averages,
    bootstrap_weights,
    holm,
    intervals,
    paired_differences,
    tied_for_best,
)

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
        low, high = intervals.interval(coin(rng, 0.7, 150), draws=400, seed=seed)
        covered += low <= 0.7 <= high
    assert 0.90 <= covered / 200 <= 0.99


def test_class_intervals_cover_the_class_average() -> None:
    rng = np.random.default_rng(2)
    classes = np.repeat([0, 1, 2], [100, 40, 20])
    chances = np.array([0.9, 0.6, 0.3])
    covered = wrong = 0
    for seed in range(200):
        values = (rng.random(160) < chances[classes]).astype(float)
        low, high = intervals.interval(values, classes, draws=300, seed=seed)
        covered += low <= 0.6 <= high
        low, high = intervals.interval(values, draws=300, seed=seed)
        wrong += low <= 0.6 <= high
    assert 0.90 <= covered / 200 <= 0.99
    assert wrong < 100  # the interval of the plain mean is about another number


def test_a_wider_level_gives_a_wider_interval_around_the_average() -> None:
    values = coin(np.random.default_rng(3), 0.6, 300)
    low, high = intervals.interval(values)
    lower, higher = intervals.interval(values, level=0.99)
    assert lower < low < average(values) < high < higher


def test_equal_models_differ_by_exactly_nothing() -> None:
    values = np.random.default_rng(4).random(333)
    found = paired_differences({"a": values, "b": values.copy()})
    assert list(found) == ["b"]
    assert (found["b"].value, found["b"].interval, found["b"].p_value) == (0.0, (0.0, 0.0), 1.0)
    assert tied_for_best({"a": values, "b": values.copy()}) == ["a", "b"]


def test_pairing_sees_what_separate_intervals_cannot() -> None:
    rng = np.random.default_rng(5)
    hard = rng.random(400)
    values = {"good": hard, "worse": np.clip(hard - 0.01 * rng.random(400), 0, 1), "bad": hard / 3}
    separate = {name: intervals.interval(array) for name, array in values.items()}
    assert separate["worse"][1] > separate["good"][0]
    assert tied_for_best(values) == ["good"]
    found = paired_differences(values)
    assert found["bad"].value == pytest.approx(values["bad"].mean() - hard.mean())
    assert found["bad"].interval[0] < found["bad"].value < found["bad"].interval[1] < 0


def test_ties_come_best_first_and_leave_out_the_worse() -> None:
    rng = np.random.default_rng(6)
    base = rng.random(300)
    noisy = {name: base + rng.normal(0, 0.3, 300) for name in ("b", "c")}
    values = {"bad": base - 0.4, "c": noisy["c"] - noisy["c"].mean(), "b": noisy["b"] - noisy["b"].mean() + 0.001}
    values["bad"] -= base.mean()
    assert best_model(values) == "b"
    assert tied_for_best(values) == ["b", "c"]


def test_the_average_by_class_can_choose_another_best() -> None:
    classes = np.repeat([0, 1], [180, 20])
    values = {"common": (classes == 0).astype(float), "rare": np.where(classes == 1, 1.0, 0.5)}
    assert tied_for_best(values) == ["common"]
    assert tied_for_best(values, classes) == ["rare"]


def test_the_true_best_is_rarely_left_out() -> None:
    rng = np.random.default_rng(7)
    missed = 0
    for seed in range(100):
        base = rng.random(100)
        values = {str(i): (base + rng.random(100) > 0.8).astype(float) for i in range(4)}
        missed += "0" not in tied_for_best(values, draws=300, seed=seed)
    assert missed <= 9  # 5 expected at most; more than 9 happen once in 30 times


def test_the_smallest_p_value_counts_the_sample_itself() -> None:
    found = paired_differences({"best": np.ones(20), "a": np.zeros(20), "b": np.zeros(20)}, draws=999)
    assert found["a"].p_value == found["b"].p_value == pytest.approx(2 / 1000)
    assert found["a"].adjusted == found["b"].adjusted == pytest.approx(4 / 1000)


def test_more_models_need_a_larger_difference() -> None:
    rng = np.random.default_rng(8)
    noise = rng.standard_normal((4, 100))
    noise = (noise - noise.mean(axis=1, keepdims=True)) / noise.std(axis=1, keepdims=True)
    values = {name: row - 0.21 - i / 1000 for i, (name, row) in enumerate(zip("abcd", noise, strict=True))}
    values = {"d": values["d"], "c": values["c"], "b": values["b"], "a": values["a"], "best": np.zeros(100)}
    assert tied_for_best({"best": values["best"], "a": values["a"]}) == ["best"]
    assert tied_for_best(values) == ["best", "a", "b", "c", "d"]


def test_many_models_do_not_run_out_of_draws() -> None:
    values = {str(i): np.full(30, 0.2) for i in range(60)} | {"best": np.full(30, 0.9)}
    assert tied_for_best(values, draws=100) == ["best"]


def test_holm_by_hand() -> None:
    # Sorted: 0.005·4 = 0.02, 0.01·3 = 0.03, 0.03·2 = 0.06, then 0.04·1 = 0.04 which may not fall below 0.06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


def test_one_model_is_its_own_best() -> None:
    assert paired_differences({"a": np.ones(3)}) == {}
    assert tied_for_best({"a": np.ones(3)}) == ["a"]


@pytest.mark.parametrize(
    ("values", "classes", "words"),
    [
        ({"a": np.ones(3), "b": np.ones(4)}, None, "same queries, but b"),
        ({"a": np.ones(3)}, np.zeros(4, np.intp), "same queries, but a"),
        ({"a": np.ones((3, 2))}, None, "same queries"),
        ({"a": np.ones(0)}, None, "No query counts"),
        ({}, None, "no model"),
    ],
)
def test_models_that_cannot_be_compared_are_refused(
    values: dict[str, Values], classes: NDArray[np.intp] | None, words: str
) -> None:
    with pytest.raises(LikenessError, match=words):
        tied_for_best(values, classes)


def test_no_interval_without_queries() -> None:
    with pytest.raises(LikenessError, match="at least one query"):
        intervals.interval(np.ones(0))
