"""Differences of two models on the same items have intervals and p-values that keep their promise."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import LikenessError
from core.metrics.paired import eer_difference, rate_difference, roc_auc_difference
from core.metrics.rates import RATES
from tests.core.metrics.pair_data import items, verified

A, CODES = items(noise=1.0, seed=3)
B = items(noise=1.6, seed=4)[0]


def sides(a: np.ndarray = A, b: np.ndarray = B, codes: np.ndarray = CODES):
    return verified(a, codes), verified(b, codes)


def test_differences_are_those_of_the_numbers() -> None:
    a, b = verified(A, CODES), verified(items(noise=1.6, seed=3)[0], CODES)
    assert roc_auc_difference(a, b).value == a.roc_auc.value - b.roc_auc.value
    assert eer_difference(a, b).value == a.eer.value - b.eer.value
    found = rate_difference(RATES["f1"], a, b, (0.5, 0.4), 0.1)
    values = [float(RATES["f1"].of(*map(np.asarray, one.rates(t)), 0.1)) for one, t in ((a, 0.5), (b, 0.4))]
    assert found.value == pytest.approx(values[0] - values[1])


def test_a_model_differs_from_itself_by_exactly_nothing() -> None:
    a, b = sides(A, A)
    for found in (roc_auc_difference(a, b), eer_difference(a, b), rate_difference(RATES["fmr"], a, b, (0.4, 0.4), 0.1)):
        assert (found.value, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_the_other_way_round_only_the_sign_changes() -> None:
    a, b = sides()
    there, back = (
        rate_difference(RATES["f1"], a, b, (0.5, 0.3), 0.2),
        rate_difference(RATES["f1"], b, a, (0.3, 0.5), 0.2),
    )
    assert (back.value, back.low, back.high) == pytest.approx((-there.value, -there.high, -there.low))
    assert back.p_value == pytest.approx(there.p_value)


def test_what_both_find_hard_cancels_out() -> None:
    a = verified(A, CODES)
    nearly = A + np.random.default_rng(0).normal(0, 0.02, A.shape).astype(np.float32)
    b = verified(nearly / np.linalg.norm(nearly, axis=1, keepdims=True), CODES)
    paired = roc_auc_difference(a, b)
    apart = np.hypot(a.roc_auc.high - a.roc_auc.low, b.roc_auc.high - b.roc_auc.low)
    assert paired.high - paired.low < 0.3 * apart


@pytest.mark.slow
def test_intervals_of_equally_good_models_hold_0_about_as_often_as_they_say() -> None:
    held: list[list[bool]] = []
    for seed in range(100):
        random = np.random.default_rng(seed)
        codes = np.arange(90) % 9
        centres = random.standard_normal((9, 12))
        models = []
        for _ in range(2):  # the same centres and the same amount of noise, drawn anew
            vectors = centres[codes] + 1.1 * random.standard_normal((90, 12))
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            models.append(verified(vectors.astype(np.float32), codes, 100))
        found = (roc_auc_difference(*models), eer_difference(*models),
                 rate_difference(RATES["f1"], *models, (0.35, 0.35), 0.1))  # fmt: skip
        assert all((one.p_value > 0.05) == (one.low < 0 < one.high) for one in found)
        held.append([one.low <= 0 <= one.high for one in found])
    # 95 of 100 are promised; three standard errors are 6.5, and at 100 draws a spread is itself known to a twentieth.
    assert (np.mean(held, axis=0) >= 0.88).all()


def test_other_items_or_other_draws_cannot_be_paired() -> None:
    a = verified(A, CODES)
    fewer = verified(A[:60], CODES[:60])
    other_draws = verified(A, CODES, 50)
    none = verified(A, CODES, 0)
    for one, other in ((a, fewer), (a, other_draws), (none, none)):
        with pytest.raises(LikenessError, match="compared on the same images with the same draws"):
            roc_auc_difference(one, other)
