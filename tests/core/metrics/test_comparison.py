"""All pairs of models: against slow ways to the same numbers, and how often the test is right and wrong."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import permutation_test

from core.errors import LikenessError
from core.metrics import Difference, average, bootstrap_weights, compare, comparison, holm, intervals, tied_for_best

Values = NDArray[np.float64]
Codes = NDArray[np.intp]


def coin(rng: np.random.Generator, chance: float, n: int) -> Values:
    return (rng.random(n) < chance).astype(np.float64)


def ties(values: Mapping[str, Values], classes: Codes | None = None, alpha: float = 0.05) -> list[str]:
    return tied_for_best({name: average(v, classes) for name, v in values.items()}, compare(values, classes), alpha)


def every_sign(gaps: Values, weights: Values) -> float:
    """The p-value by definition: the share of sign vectors whose sum is at least as far from 0."""
    observed = abs(sum(gaps * weights))
    sums = [abs(sum(np.array(signs) * gaps * weights)) for signs in itertools.product((1, -1), repeat=len(gaps))]
    return float(np.mean([total >= observed - 1e-12 for total in sums]))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=9), st.booleans())
def test_few_queries_are_tested_with_every_sign(pairs: list[tuple[int, int]], by_class: bool) -> None:
    a, b = np.array(pairs, dtype=float).T / 5
    classes = np.arange(len(a)) % 3 if by_class else None
    weights = np.full(len(a), 1 / len(a))
    if classes is not None:
        weights = 1 / (np.bincount(classes)[classes] * len(set(classes.tolist())))
    (found,) = compare({"a": a, "b": b}, classes, draws=10)
    assert found.p_value == found.adjusted == pytest.approx(every_sign(a - b, weights))
    assert found.value == pytest.approx(((a - b) * weights).sum())


@pytest.mark.parametrize("n", [9, 14])
def test_p_values_equal_scipys_permutation_test(n: int) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.random(n) + 0.05, rng.random(n)
    exact = permutation_test(
        (a, b), lambda x, y, axis: (x - y).mean(axis=axis), permutation_type="samples", vectorized=True,
        n_resamples=1 << n,
    )  # fmt: skip
    (found,) = compare({"a": a, "b": b}, flips=20_000)
    assert 0.02 < exact.pvalue < 0.6
    assert found.p_value == pytest.approx(exact.pvalue, abs=1e-12 if n == 9 else 0.012)


def test_random_signs_equal_a_plain_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    values = {name: rng.random(30) for name in "abc"}
    values["b"][7:9] = values["a"][7:9] = values["c"][7:9]  # no sign is drawn where all agree
    order = sorted(values, key=lambda name: values[name].tobytes())
    differing = np.delete(np.arange(30), [7, 8])
    bits = np.random.default_rng(0).bytes(400 * 4)  # 28 signs fill four bytes
    signs = 2.0 * np.unpackbits(np.frombuffer(bits, np.uint8).reshape(400, 4), axis=1, count=28) - 1
    found = {frozenset((d.a, d.b)): d for d in compare(values, flips=400, level=0.5)}
    for a, b in itertools.combinations(order, 2):
        gaps = (values[a] - values[b])[differing]
        beyond = sum(abs((row * gaps).sum()) >= abs(gaps.sum()) - 1e-12 for row in signs)
        assert found[frozenset((a, b))].p_value == pytest.approx((1 + beyond) / 401)
    monkeypatch.setattr(comparison, "SIGNS_AT_ONCE", 28)  # a sign vector at a time
    assert compare(values, flips=400, level=0.5) == list(found.values())


@pytest.mark.parametrize("by_class", [False, True])
def test_intervals_are_of_averages_over_the_same_resamples(by_class: bool) -> None:
    rng = np.random.default_rng(2)
    a, b, classes = rng.random(40), rng.random(40), rng.integers(0, 3, 40)
    gaps = []
    for weights in np.concatenate(list(bootstrap_weights(40, draws=200, seed=5))):
        drawn = np.repeat(np.arange(40), weights)
        chosen = classes[drawn] if by_class else None
        gaps.append(average(a[drawn], chosen) - average(b[drawn], chosen))
    (found,) = compare({"a": a, "b": b}, classes if by_class else None, draws=200, seed=5)
    assert found.interval == pytest.approx(np.quantile(gaps, [0.025, 0.975]), abs=1e-12)


def test_equal_models_are_rarely_told_apart() -> None:
    rng = np.random.default_rng(3)
    chance = wrong = 0
    for seed in range(200):
        base = rng.random(60)
        values = {str(i): (base + rng.random(60) > 0.8).astype(float) for i in range(4)}
        found = compare(values, draws=1, flips=1, seed=seed)
        chance += sum(d.p_value <= 0.05 for d in found)
        wrong += any(d.adjusted <= 0.05 for d in found)
    assert chance / 1200 <= 0.065
    assert chance / 1200 >= 0.02  # nor is the test so timid that it never speaks
    assert wrong <= 18  # 10 expected at most; more than 18 happen once in 200 times


def test_a_clear_difference_is_found() -> None:
    rng = np.random.default_rng(4)
    found = 0
    for _ in range(40):
        hard = rng.random(200)
        values = {"good": (hard < 0.9).astype(float), "bad": (hard + 0.05 * rng.random(200) < 0.85).astype(float)}
        found += ties(values) == ["good"]
    assert found >= 38


def test_equal_models_differ_by_exactly_nothing() -> None:
    rng = np.random.default_rng(5)
    values = rng.random(333)
    others = {str(i): rng.random(333) for i in range(5)}
    found = compare({"a": values, **others, "b": values.copy()})
    (same,) = (d for d in found if (d.a, d.b) == ("a", "b"))
    assert same == Difference("a", "b", 0.0, (0.0, 0.0), 1.0, 1.0)
    assert [d.p_value for d in found if d.a == "a"][:5] == [d.p_value for d in found if d.b == "b" and d.a != "a"]
    assert ties({"a": values, "b": values.copy()}) == ["a", "b"]


@settings(max_examples=20, deadline=None)
@given(st.permutations("abcd"), st.integers(0, 100))
def test_the_order_of_models_changes_nothing(names: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = {name: rng.random(40) + 0.1 * i for i, name in enumerate("abcd")}
    straight = {(d.a, d.b): d for d in compare(values, draws=50, flips=200)}
    for d in compare({name: values[name] for name in names}, draws=50, flips=200):
        other, sign = (straight[d.a, d.b], 1) if (d.a, d.b) in straight else (straight[d.b, d.a], -1)
        assert (d.p_value, d.adjusted) == (other.p_value, other.adjusted)
        assert d.value == pytest.approx(sign * other.value)
        assert d.interval == pytest.approx(sorted(sign * limit for limit in other.interval))


def test_pairing_sees_what_separate_intervals_cannot() -> None:
    rng = np.random.default_rng(5)
    hard = rng.random(400)
    values = {"good": hard, "worse": np.clip(hard - 0.01 * rng.random(400), 0, 1), "bad": hard / 3}
    separate = {name: intervals.limits(array[:, None])[0] for name, array in values.items()}
    assert separate["worse"][1] > separate["good"][0]
    assert ties(values) == ["good"]
    bad = compare(values)[1]
    assert (bad.a, bad.b, bad.value) == ("good", "bad", pytest.approx(hard.mean() - values["bad"].mean()))
    assert 0 < bad.interval[0] < bad.value < bad.interval[1]


def test_ties_come_best_first_and_leave_out_the_worse() -> None:
    rng = np.random.default_rng(6)
    base = rng.random(300)
    noisy = {name: base + rng.normal(0, 0.3, 300) for name in ("b", "c")}
    values = {"bad": base - 0.4, "c": noisy["c"] - noisy["c"].mean(), "b": noisy["b"] - noisy["b"].mean() + 0.001}
    values["bad"] -= base.mean()
    assert ties(values) == ["b", "c"]


def test_the_average_by_class_can_choose_another_best() -> None:
    classes = np.repeat([0, 1], [180, 20])
    values = {"common": (classes == 0).astype(float), "rare": np.where(classes == 1, 1.0, 0.5)}
    assert ties(values) == ["common"]
    assert ties(values, classes) == ["rare"]


def test_more_models_need_a_larger_difference() -> None:
    found = [Difference("a", "b", 0.1, (0.0, 0.2), 0.01, adjusted) for adjusted in (0.05, 0.0501)]
    assert [tied_for_best({"b": 0.5, "a": 0.6}, [d]) for d in found] == [["a"], ["a", "b"]]
    rng = np.random.default_rng(8)
    noise = rng.standard_normal((4, 100))
    noise = (noise - noise.mean(axis=1, keepdims=True)) / noise.std(axis=1, keepdims=True)
    values = {"best": np.zeros(100)} | {str(i): row - 0.21 - i / 1000 for i, row in enumerate(noise)}
    assert ties({name: values[name] for name in ("best", "0")}) == ["best"]
    assert ties(values) == ["best", "0", "1", "2", "3"]


def test_many_models_do_not_run_out_of_flips() -> None:
    values = {str(i): np.full(30, 0.2 + i / 1000) for i in range(30)} | {"best": np.full(30, 0.9)}
    found = compare(values, draws=10, flips=10)
    assert len(found) == 31 * 30 / 2
    assert max(d.adjusted for d in found) < 0.05


def test_one_query_tells_nothing_apart() -> None:
    (found,) = compare({"a": np.ones(1), "b": np.zeros(1)})
    assert (found.value, found.p_value) == (1.0, 1.0)


def test_holm_by_hand() -> None:
    # Sorted: 0.005·4 = 0.02, 0.01·3 = 0.03, 0.03·2 = 0.06, then 0.04·1 = 0.04 which may not fall below 0.06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


def test_one_model_is_its_own_best() -> None:
    assert compare({"a": np.ones(3)}) == []
    assert ties({"a": np.ones(3)}) == ["a"]


@pytest.mark.parametrize(
    ("values", "classes", "words"),
    [
        ({"a": np.ones(3), "b": np.ones(4)}, None, "same queries, but b"),
        ({"a": np.ones(3)}, np.zeros(4, np.intp), "same queries, but a"),
        ({"a": np.ones((3, 2))}, None, "same queries"),
        ({"a": np.ones(0)}, None, "at least one query"),
        ({}, None, "no model"),
    ],
)
def test_models_that_cannot_be_compared_are_refused(
    values: dict[str, Values], classes: Codes | None, words: str
) -> None:
    with pytest.raises(LikenessError, match=words):
        compare(values, classes)
