"""Probabilities from scores: against scikit-learn on every pair, and against Bayes by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from core.calibration import METHODS, Isotonic, Logistic, fit, from_json
from core.errors import LikenessError
from core.metrics.grid import to_bins, to_thresholds
from core.metrics.verification import Verification
from core.reliability import observed_around, quality
from tests.core.metrics.pair_data import all_pairs, items, verified

VECTORS, CODES = items()
PAIRS = verified(VECTORS, CODES, draws=300)
SCORES, SAME = all_pairs(VECTORS, CODES)
TEST_ITEMS = items(seed=1)
TEST = verified(*TEST_ITEMS, draws=300)
TEST_SCORES, TEST_SAME = all_pairs(*TEST_ITEMS)
EVERYWHERE = np.linspace(-1.2, 1.2, 50_001)


def counted(scores: np.ndarray) -> np.ndarray:
    """Each score as the grid counts it."""
    return to_thresholds(to_bins(scores))


def of_blocks(classes: int, axes: int) -> Verification:
    """Four items of each class, all alike, on so many axes."""
    codes = np.repeat(np.arange(classes), 4)
    return verified(np.eye(classes, dtype=np.float32)[codes % axes], codes, draws=20)


def test_isotonic_is_that_of_scikit_learn_on_every_pair() -> None:
    peer = IsotonicRegression(y_min=0, y_max=1).fit(counted(SCORES), SAME)
    assert fit(PAIRS, "isotonic")(SCORES) == pytest.approx(peer.predict(counted(SCORES)), abs=1e-9)


def test_isotonic_keeps_only_steps() -> None:
    found = fit(PAIRS, "isotonic")
    assert isinstance(found, Isotonic)
    assert (np.diff(found.values) > 0).all()
    assert len(found.knots) < len(PAIRS.scores.bins) / 20


def test_logistic_is_that_of_scikit_learn_on_every_pair() -> None:
    peer = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(SCORES[:, None], SAME)
    found = fit(PAIRS, "logistic")
    assert isinstance(found, Logistic)
    assert found.slope == pytest.approx(peer.coef_[0, 0], rel=1e-4)
    assert found.intercept == pytest.approx(peer.intercept_[0], rel=1e-4)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("base_rate", [None, 1e-6, 0.3, 0.999])
def test_probabilities_never_fall_and_stay_in_bounds(method: str, base_rate: float | None) -> None:
    found = fit(PAIRS, method)(EVERYWHERE, base_rate)
    assert (np.diff(found) >= 0).all()
    assert found.min() >= 0
    assert found.max() <= 1
    assert found.max() > found.min()


@pytest.mark.parametrize("method", METHODS)
def test_another_base_rate_is_bayes_rule(method: str) -> None:
    found = fit(PAIRS, method)
    p, old, new = found(0.3), PAIRS.base_rate, 0.01
    same, different = p / old * new, (1 - p) / (1 - old) * (1 - new)
    assert 0 < p < 1
    assert found(0.3, new) == pytest.approx(same / (same + different), rel=1e-12)
    assert found(0.3, old) == p


@pytest.mark.parametrize("method", METHODS)
def test_perfectly_separated_pairs_are_told_apart_with_finite_numbers(method: str) -> None:
    pairs = of_blocks(3, 3)
    found = fit(pairs, method)
    assert found(0.0) < 0.05
    assert found(1.0) > 0.9
    assert np.isfinite(json.loads(json.dumps(found.as_json()))["base_rate"])
    assert np.isfinite(found(EVERYWHERE)).all()
    assert quality(found, pairs).brier < 0.01


@pytest.mark.parametrize("method", METHODS)
def test_identical_scores_say_no_more_than_the_base_rate(method: str) -> None:
    pairs = of_blocks(2, 1)
    found = fit(pairs, method)
    assert found([-1, 0.5, 1]) == pytest.approx(pairs.base_rate)
    assert found(1.0, 0.01) == pytest.approx(0.01)
    (point,) = quality(found, pairs).points
    assert (point.predicted, point.observed) == pytest.approx((pairs.base_rate, pairs.base_rate))


@pytest.mark.parametrize("method", METHODS)
def test_scores_that_are_the_wrong_way_round_are_not_followed(method: str) -> None:
    codes = np.tile([0, 1], 4)
    vectors = np.eye(4, dtype=np.float32)[np.arange(8) // 2]  # a different-class pair is identical, no other is
    pairs = verified(vectors, codes, draws=10)
    assert fit(pairs, method)([0, 1]) == pytest.approx(pairs.base_rate)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("base_rate", [None, 0.02, 0.5])
def test_the_brier_score_is_that_of_scikit_learn_on_every_pair(method: str, base_rate: float | None) -> None:
    calibration = fit(PAIRS, method)
    share = TEST.base_rate if base_rate is None else base_rate
    weights = np.where(TEST_SAME, share / TEST_SAME.mean(), (1 - share) / (~TEST_SAME).mean())
    peer = brier_score_loss(TEST_SAME, calibration(TEST_SCORES, share), sample_weight=weights)
    assert quality(calibration, TEST, base_rate).brier == pytest.approx(peer, abs=1e-7)


def test_the_calibration_error_is_that_of_a_naive_loop() -> None:
    calibration = fit(PAIRS, "logistic")
    order = np.argsort(TEST_SCORES)
    groups = np.array_split(order, 15)  # one base rate, so equal mass is equal numbers
    gaps = [len(g) * abs(TEST_SAME[g].mean() - calibration(TEST_SCORES[g], TEST.base_rate).mean()) for g in groups]
    found = quality(calibration, TEST)
    assert found.ece == pytest.approx(sum(gaps) / len(order), abs=1e-3)
    assert sum(point.pairs for point in found.points) == sum(TEST.pairs)
    assert [point.predicted for point in found.points] == sorted(point.predicted for point in found.points)
    assert len(found.points) == 15


def test_what_was_fitted_on_the_same_pairs_has_no_error_left() -> None:
    assert quality(fit(PAIRS, "isotonic"), PAIRS).ece == pytest.approx(0, abs=1e-9)


def test_intervals_of_points_hold_them_and_are_wider_than_those_of_independent_pairs() -> None:
    points = quality(fit(PAIRS, "logistic"), TEST).points
    known = [point for point in points if point.interval is not None]
    assert len(known) > 5
    wider = []
    for point in known:
        assert point.interval is not None
        low, high = point.interval
        assert 0 <= low <= point.observed <= high <= 1
        alone = 2 * 1.96 * np.sqrt(point.observed * (1 - point.observed) / point.pairs)
        wider.append((high - low) / alone)
    assert np.median(wider) > 1
    assert all(point.interval is None for point in quality(fit(PAIRS, "logistic"), no_draws()).points)


def no_draws() -> Verification:
    return verified(*TEST_ITEMS, draws=0)


@pytest.mark.parametrize("method", METHODS)
def test_it_survives_json(method: str) -> None:
    found = fit(PAIRS, method)
    assert from_json(json.loads(json.dumps(found.as_json(), allow_nan=False))) == found


ISOTONIC = {"method": "isotonic", "base_rate": 0.1, "knots": [0.0, 0.5], "values": [0.1, 0.9]}
LOGISTIC = {"method": "logistic", "base_rate": 0.1, "slope": 3.0, "intercept": -1}


@pytest.mark.parametrize("whole", [ISOTONIC, LOGISTIC])
def test_whole_json_is_read(whole: dict[str, object]) -> None:
    assert from_json(whole).as_json() == whole


@pytest.mark.parametrize(
    "content",
    [
        None, [], "isotonic", {}, {**ISOTONIC, "method": "magic"}, {**ISOTONIC, "method": ["isotonic"]},
        {**ISOTONIC, "knots": [0.5, 0.0]}, {**ISOTONIC, "knots": [0.5, 0.5]}, {**ISOTONIC, "knots": [0.0]},
        {**ISOTONIC, "knots": [], "values": []}, {**ISOTONIC, "knots": [0.0, 1.5]}, {**ISOTONIC, "knots": "ab"},
        {**ISOTONIC, "values": [0.9, 0.1]}, {**ISOTONIC, "values": [0.1, 1.1]}, {**ISOTONIC, "values": [0.1, None]},
        {**ISOTONIC, "values": [0.1, float("nan")]}, {**ISOTONIC, "values": [False, True]},
        {**ISOTONIC, "base_rate": 0}, {**ISOTONIC, "base_rate": 1}, {**ISOTONIC, "base_rate": True},
        {**LOGISTIC, "slope": -1}, {**LOGISTIC, "slope": float("inf")}, {**LOGISTIC, "slope": 10**400},
        {**LOGISTIC, "intercept": float("nan")}, {**LOGISTIC, "intercept": "0"}, {**LOGISTIC, "base_rate": "0.1"},
    ],
)  # fmt: skip
def test_hostile_json_is_refused_in_words(content: object) -> None:
    with pytest.raises(LikenessError, match="no calibration, or a damaged one"):
        from_json(content)


def test_unknown_methods_and_base_rates_are_refused_in_words() -> None:
    with pytest.raises(LikenessError, match="No calibration is called 'platt'"):
        fit(PAIRS, "platt")
    for share in (0.0, 1.0, float("nan")):
        with pytest.raises(LikenessError, match="between 0 and 1"):
            fit(PAIRS, "logistic")(0.5, share)
        with pytest.raises(LikenessError, match="between 0 and 1"):
            quality(fit(PAIRS, "logistic"), TEST, share)


def test_pairs_that_score_like_this_are_those_of_a_naive_loop() -> None:
    scores, same = all_pairs(VECTORS, CODES)
    for score in (-0.3, 0.0, 0.4, 0.8, 1.0):
        found = observed_around(PAIRS, score)
        near = np.argsort(np.abs(scores - score), kind="stable")[: found.pairs]
        assert found.pairs >= 30
        assert found.observed == pytest.approx(same[near].mean(), abs=2 / found.pairs)
        assert found.interval is not None
        assert 0 <= found.interval[0] <= found.observed <= found.interval[1] <= 1


def test_a_rarer_kind_counts_for_less_among_pairs_that_score_like_this() -> None:
    assert observed_around(PAIRS, 0.4, 0.01).observed < observed_around(PAIRS, 0.4).observed
