"""Learned weights are those of slower searches."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from core.fusion import LABELS
from core.part_scores import PartScores
from core.thresholds import Objective
from core.weight_search import best_mixture, best_place, hundredths, logistic_weights, mixtures, rebalanced

F1 = Objective("f1")


def made(shifts: dict[str, float], pairs: tuple[int, int] = (150, 450), seed: int = 0) -> PartScores:
    """Parts that tell the kinds apart by so many standard deviations; label match says yes or no."""
    random = np.random.default_rng(seed)
    columns = []
    for name, shift in shifts.items():
        same, different = (
            random.normal(0.4 + 0.12 * by, 0.12, count) for by, count in ((shift, pairs[0]), (0, pairs[1]))
        )
        if name == LABELS:
            same, different = (same > 0.5).astype(float), (different > 0.5).astype(float)
        columns.append((same.clip(0, 1), different.clip(0, 1)))
    same, different = (np.stack(side, axis=1).astype(np.float32) for side in zip(*columns, strict=True))
    return PartScores(tuple(shifts), same, different, pairs)


def test_logistic_weights_are_scikit_learns_where_none_would_be_negative() -> None:
    scores = made({"a": 1.5, "b": 0.8, LABELS: 2.0})
    values = np.concatenate([scores.same, scores.different])
    known = np.repeat([1, 0], [len(scores.same), len(scores.different)])
    for base_rate in (scores.base_rate, 0.05):
        mass = np.where(known == 1, base_rate / len(scores.same), (1 - base_rate) / len(scores.different))
        peer = LogisticRegression(C=1 / 2e-6, tol=1e-10, max_iter=10_000).fit(values, known, sample_weight=mass)
        assert (peer.coef_ > 0).all()
        assert logistic_weights(scores, base_rate) == pytest.approx(peer.coef_[0], rel=0.01)


def test_a_part_that_speaks_against_the_truth_gets_nothing_and_the_rest_is_the_best_of_the_rest() -> None:
    scores = made({"a": 1.5, "liar": -1.0, "b": 0.8})
    found = logistic_weights(scores, 0.25)
    values = np.concatenate([scores.same, scores.different]).astype(float)
    sign = np.repeat([1.0, -1.0], [len(scores.same), len(scores.different)])
    mass = np.where(sign > 0, 0.25 / len(scores.same), 0.75 / len(scores.different))

    def loss(at: np.ndarray) -> float:
        return float(mass @ np.logaddexp(0, -sign * (values @ at[:3] + at[3]))) + 1e-6 * float((at[:3] ** 2).sum())

    limits = [(0, None)] * 3 + [(None, None)]
    peer = minimize(loss, np.ones(4), method="SLSQP", bounds=limits, options={"ftol": 1e-14, "maxiter": 500})
    assert found[1] == 0
    assert loss(np.append(found, _best_offset(loss, found))) <= peer.fun + 1e-7


def _best_offset(loss, weights: np.ndarray) -> float:
    return float(minimize(lambda b: loss(np.append(weights, b)), [0.0], tol=1e-12).x[0])


@pytest.mark.parametrize("objective", [F1, Objective("eer"), Objective("fmr", 0.05), Objective("cost", None, 5.0, 1.0)])
def test_of_two_parts_no_hundredth_is_better(objective: Objective) -> None:
    scores = made({"a": 1.2, "b": 1.0})

    def worth(mixture: tuple[int, ...]) -> float:
        curve = scores.curve(dict(zip(scores.names, (share / 100 for share in mixture), strict=True)))
        place = best_place(curve, objective, 0.25)
        if place is None:
            return -np.inf
        value = float(objective.yardstick.of(curve.fmr[place], curve.fnmr[place], 0.25))
        return round(value if objective.yardstick.better == "higher" else -value, 4)

    best = max(worth(one) for one in mixtures(2, 100))
    assert worth(best_mixture(scores, objective, 0.25)) == best


def test_of_equally_good_mixtures_the_one_with_the_fewest_parts_is_taken() -> None:
    alike = made({"a": 9.0, "b": 9.0, "c": 9.0})
    assert sorted(best_mixture(alike, F1, 0.25)) == [0, 0, 100]


def test_a_model_always_has_a_weight() -> None:
    scores = made({"useless": 0.0, LABELS: 9.0})
    useless, labels = best_mixture(scores, F1, 0.25)
    assert useless > 0
    assert useless + labels == 100


def test_an_objective_that_no_threshold_keeps_has_no_place() -> None:
    scores = made({"a": 0.0}, (30, 30))
    assert best_place(scores.curve({"a": 1.0}), Objective("precision", 0.9999), 0.001) is None


@pytest.mark.parametrize(("parts", "steps"), [(1, 4), (2, 10), (3, 20), (4, 5)])
def test_mixtures_are_all_of_them_once(parts: int, steps: int) -> None:
    expected = {one for one in product(range(0, 101, 100 // steps), repeat=parts) if sum(one) == 100}
    found = list(mixtures(parts, steps))
    assert len(found) == len(set(found))
    assert set(found) == expected


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=8).filter(lambda one: sum(one) > 1e-6))
def test_hundredths_add_up_and_are_nearest(weights: list[float]) -> None:
    found = hundredths(weights)
    assert sum(found) == 100
    assert min(found) >= 0
    assert all(abs(share - 100 * one / sum(weights)) < 1 + 1e-6 for share, one in zip(found, weights, strict=True))
    assert hundredths(found) == found


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6).filter(lambda one: sum(one) > 1e-3), st.floats(0, 1))
def test_rebalanced_weights_add_up_and_the_others_keep_their_proportions(weights: list[float], moved: float) -> None:
    before = {str(place): one / sum(weights) for place, one in enumerate(weights)}
    after = rebalanced(before, "0", moved)
    assert after["0"] == moved
    assert sum(after.values()) == pytest.approx(1)
    rest = sum(before.values()) - before["0"]
    if rest > 1e-3:
        for name in list(before)[1:]:
            assert after[name] == pytest.approx((1 - moved) * before[name] / rest, abs=1e-9)
