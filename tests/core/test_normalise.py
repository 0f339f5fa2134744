"""Normalisers: against the obvious formula, never falling, the same after a round trip."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calibration import fit as fit_calibration
from core.errors import LikenessError
from core.normalise import METHODS, fit, from_json
from tests.core.metrics.pair_data import all_pairs, items, verified

VECTORS, CODES = items(90, 5)
PAIRS = verified(VECTORS, CODES, draws=0)
SCORES, SAME = all_pairs(VECTORS, CODES)
FITTED = {name: fit(PAIRS, name) for name in METHODS}
WEIGHTS = np.where(SAME, 0.5 / SAME.sum(), 0.5 / (~SAME).sum())


@pytest.mark.parametrize("name", METHODS)
def test_it_rises_from_0_to_1_and_survives_a_round_trip(name: str) -> None:
    table = FITTED[name].table
    assert table.min() >= 0
    assert table.max() <= 1
    assert (np.diff(table) >= 0).all()
    again = from_json(json.loads(json.dumps(FITTED[name].as_json())))
    assert (again.table == table).all()


@given(st.floats(-1, 1))
def test_min_max_and_z_score_are_their_formulas(score: float) -> None:
    low, high = SCORES.min(), SCORES.max()
    assert FITTED["min-max"](score) == pytest.approx(np.clip((score - low) / (high - low), 0, 1), abs=1e-5)
    mean = (SCORES * WEIGHTS).sum()
    deviation = np.sqrt(((SCORES - mean) ** 2 * WEIGHTS).sum())
    assert FITTED["z-score"](score) == pytest.approx(np.clip(0.5 + (score - mean) / deviation / 10, 0, 1), abs=1e-4)


@given(st.floats(-1, 1))
def test_quantile_is_the_share_of_lower_scores(score: float) -> None:
    share = WEIGHTS[score > SCORES].sum()
    assert FITTED["quantile"](score) == pytest.approx(share, abs=0.011)


@given(st.floats(-1, 1))
def test_probability_is_the_calibrated_one_at_even_odds(score: float) -> None:
    calibration = fit_calibration(PAIRS, "logistic")
    assert FITTED["probability"](score) == pytest.approx(float(calibration(score, 0.5)), abs=1e-6)


@pytest.mark.parametrize("name", METHODS)
def test_identical_images_have_a_defined_value(name: str) -> None:
    same = np.tile(np.eye(1, 4, dtype=np.float32), (6, 1))
    found = fit(verified(same, np.arange(6) % 2, draws=0), name)
    assert np.isfinite(found.table).all()
    assert 0 <= found(1.0) <= 1


def test_an_unknown_method_is_refused_in_words() -> None:
    with pytest.raises(LikenessError, match="No normalisation is called 'log'"):
        fit(PAIRS, "log")


@pytest.mark.parametrize(
    "content",
    [None, [], {}, {"method": "min-max"}, {"method": "min-max", "low": "a", "high": 1}, {"method": "quantile"},
     {"method": "quantile", "knots": []}, {"method": "min-max", "low": float("nan"), "high": 1.0},
     {"method": "z-score", "mean": 0, "deviation": None}, {"method": "probability", "calibration": {}}],
)  # fmt: skip
def test_damaged_normalisers_are_refused_in_words(content: object) -> None:
    with pytest.raises(LikenessError, match=r"damaged|no normaliser"):
        from_json(content)
