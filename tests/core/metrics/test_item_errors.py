"""Errors by item, against plain loops over the pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import LikenessError
from core.metrics import item_errors as module
from core.metrics.item_errors import ItemErrors, item_errors
from core.metrics.scorer import Blocks, Cosine
from tests.core.metrics.pair_data import items

Array = NDArray[np.float64]
LEVELS = (-0.5, 0.0, 0.25, 0.5)


@dataclass(frozen=True)
class Given:
    """A scorer whose scores are given, float32 ``(n, n)``."""

    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scores)

    def blocks(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Blocks:
        return lambda part, start=0: self.scores[rows][:, columns][part, start:]

    def pairs(self, a: NDArray[np.intp], b: NDArray[np.intp]) -> Array:
        return self.scores[a, b].astype(np.float64)


@dataclass(frozen=True)
class Case:
    """Items with every score known, and thresholds by class and rule, among which scores often lie exactly."""

    scores: NDArray[np.float32]
    codes: NDArray[np.intp]
    thresholds: Array

    @property
    def counted(self) -> ItemErrors:
        return item_errors(Given(self.scores), self.codes, self.thresholds)

    def matches(self, reference: int, other: int, rule: int) -> bool:
        """Whether a pair counts as a match if the first item is the reference."""
        return bool(self.scores[reference, other] >= self.thresholds[self.codes[reference], rule])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    n, classes, rules = draw(st.integers(1, 9)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    scores = random.choice(LEVELS, (n, n)).astype(np.float32)
    scores = np.triu(scores) + np.triu(scores, 1).T
    return Case(scores, random.integers(0, classes, n), random.choice(LEVELS, (classes, rules)))


@settings(max_examples=60, deadline=None)
@given(cases())
def test_counts_are_those_of_a_loop_over_the_pairs(case: Case) -> None:
    found, n = case.counted, len(case.codes)
    for i in range(n):
        same = [j for j in range(n) if j != i and case.codes[j] == case.codes[i]]
        others = [j for j in range(n) if case.codes[j] != case.codes[i]]
        assert (found.same[i], found.different[i]) == (len(same), len(others))
        for rule in range(case.thresholds.shape[1]):
            assert found.misses[i, rule] == sum(not case.matches(i, j, rule) for j in same)
            assert found.matches[i, rule] == sum(case.matches(i, j, rule) for j in others)
            assert found.matched[i, rule] == sum(case.matches(j, i, rule) for j in others)
            apart = [(case.matches(i, j, rule) - case.matches(i, j, 0)) for j in same]
            assert found.apart_same[i, rule] == sum(step**2 for step in apart)
            moved = [case.matches(i, j, rule) + case.matches(j, i, rule) - case.matches(i, j, 0) - case.matches(j, i, 0)
                     for j in others]  # fmt: skip
            assert found.apart_different[i, rule] == sum(step**2 for step in moved)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_rates_are_shares_of_all_pairs_with_either_item_as_the_reference(case: Case) -> None:
    found, n = case.counted, len(case.codes)
    ordered = [(i, j) for i in range(n) for j in range(n) if i != j]
    same = [pair for pair in ordered if case.codes[pair[0]] == case.codes[pair[1]]]
    different = [pair for pair in ordered if case.codes[pair[0]] != case.codes[pair[1]]]
    if same and different:
        for rule in range(case.thresholds.shape[1]):
            fmr, fnmr = found.rates(rule)
            assert fmr == pytest.approx(np.mean([case.matches(i, j, rule) for i, j in different]))
            assert fnmr == pytest.approx(np.mean([not case.matches(i, j, rule) for i, j in same]))


@settings(max_examples=60, deadline=None)
@given(cases())
def test_values_average_to_the_rates_of_each_class(case: Case) -> None:
    misses, matches = case.counted.miss_values(0), case.counted.match_values(0)
    for code in np.unique(case.codes):
        inside, outside = np.flatnonzero(case.codes == code), np.flatnonzero(case.codes != code)
        if len(inside) > 1:
            missed = [not case.matches(i, j, 0) for i in inside for j in inside if i != j]
            assert misses[inside].mean() == pytest.approx(np.mean(missed))
        else:
            assert np.isnan(misses[inside]).all()
        if len(outside):
            matched = [case.matches(i, j, 0) for i in inside for j in outside]
            assert matches[inside].mean() == pytest.approx(np.mean(matched))
        else:
            assert np.isnan(matches[inside]).all()


@settings(max_examples=60, deadline=None)
@given(cases())
def test_miss_values_are_those_of_the_delete_one_jackknife(case: Case) -> None:
    values = case.counted.miss_values(0)

    def fnmr(kept: NDArray[np.intp]) -> float:
        return float(np.mean([not case.matches(i, j, 0) for i in kept for j in kept if i < j]))

    for code in np.unique(case.codes):
        inside = np.flatnonzero(case.codes == code)
        if len(inside) > 2:
            n = len(inside)
            for i in inside:
                expected = n * fnmr(inside) - (n - 1) * fnmr(inside[inside != i])
                assert values[i] == pytest.approx(expected)


@settings(max_examples=40, deadline=None)
@given(cases())
def test_influences_are_the_slopes_of_the_rates_by_the_weight_of_an_item(case: Case) -> None:
    found, n, step = case.counted, len(case.codes), 1e-6
    if not found.same.sum() or not found.different.sum():
        return
    apart = case.codes[:, None] != case.codes[None]
    matched = np.array([[case.matches(i, j, 0) for j in range(n)] for i in range(n)])
    together = ~apart & ~np.eye(n, dtype=bool)

    def rates(weights: Array) -> Array:
        pairs = np.outer(weights, weights)
        return np.array([pairs[apart & matched].sum() / pairs[apart].sum(),
                         pairs[together & ~matched].sum() / pairs[together].sum()])  # fmt: skip

    slopes = np.array([(rates(1 + step * one) - rates(1 - step * one)) / 2 / step for one in np.eye(n)]).T
    for kind, influences in enumerate(found.influences(0)):
        for code in np.unique(case.codes):
            inside = case.codes == code
            centred = slopes[kind, inside] - slopes[kind, inside].mean()
            np.testing.assert_allclose(influences[inside], centred, atol=1e-6)
            assert influences[inside].sum() == pytest.approx(0, abs=1e-9)


def test_any_block_size_counts_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, codes = items(90, 5)
    thresholds = np.linspace(0.05, 0.6, 10).reshape(5, 2)
    whole = item_errors(Cosine(vectors), codes, thresholds)
    monkeypatch.setattr(module, "SCORES_AT_ONCE", 7 * len(codes))
    parts = item_errors(Cosine(vectors), codes, thresholds)
    for name in ("same", "different", "misses", "matches", "matched", "apart_same", "apart_different"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))


@pytest.mark.parametrize(
    ("codes", "thresholds"),
    [([0, 0], [[0.5]]), ([0, 1, 2], [[0.5], [0.5]]), ([0, 0, 0], [0.5])],
    ids=["too few codes", "a class without threshold", "no rules"],
)
def test_arrays_that_do_not_fit_are_refused(codes: list[int], thresholds: list[float]) -> None:
    with pytest.raises(LikenessError, match="do not fit"):
        item_errors(Given(np.zeros((3, 3), np.float32)), np.array(codes), np.array(thresholds))
