"""The report of a threshold: chosen on validation, said of both splits at one base rate."""

from __future__ import annotations

import json

import pytest

from core.calibration import fit
from core.review import review_band
from core.threshold_report import report
from core.thresholds import Objective, choose, outcome
from tests.core.metrics.pair_data import items, verified

VAL, TEST = verified(*items(100, 5)), verified(*items(80, 4, seed=1))
LOGISTIC = fit(VAL, "logistic")


def test_both_splits_are_at_the_base_rate_of_validation() -> None:
    found = report(VAL, TEST, Objective("f1"), LOGISTIC)
    assert found.base_rate == VAL.base_rate != TEST.base_rate
    assert found.threshold == found.choice.threshold == choose(VAL, Objective("f1")).threshold
    assert found.test == outcome(TEST, found.threshold, Objective("f1"), VAL.base_rate)
    assert found.review is None


def test_a_threshold_set_by_hand_does_not_change_the_choice() -> None:
    found = report(VAL, TEST, Objective("f1"), LOGISTIC, 0.2, threshold=0.7)
    assert (found.threshold, found.base_rate) == (0.7, 0.2)
    assert found.choice == choose(VAL, Objective("f1"), 0.2)
    assert found.val.rates["fnmr"].value == pytest.approx(VAL.rates(0.7)[1])


def test_it_is_plain_json_with_a_probability() -> None:
    found = report(VAL, TEST, Objective("eer"), LOGISTIC, band=review_band(VAL, 0.01, 0.01))
    content = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert content["probability"] == pytest.approx(float(LOGISTIC(found.threshold)), abs=1e-6)
    assert content["review"]["reject"] < content["review"]["accept"]
    assert set(content["review"]["test"]) == {"review", "fmr", "fnmr", "ci"}
