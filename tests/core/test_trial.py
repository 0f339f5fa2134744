"""What weights do at once agrees with what all pairs say."""

from __future__ import annotations

import numpy as np
import pytest

from core.fusion import LABELS, reweighted
from core.part_scores import PartScores, part_scores
from core.thresholds import Objective, choose
from core.trial import best_single, trial
from core.verify import verify
from tests.parts import Workbench, workbench

__all__ = ["workbench"]


@pytest.mark.parametrize("objective", [Objective("f1"), Objective("eer"), Objective("accuracy")])
def test_it_says_what_counting_all_pairs_says(objective: Objective, workbench: Workbench) -> None:
    weights = {"fake-a": 0.5, "fake-b": 0.4, LABELS: 0.1}
    val, test = (part_scores(workbench.dataset, workbench.parts, workbench.store, split) for split in ("val", "test"))
    found = trial(val, test, weights, objective, val.base_rate)
    assert found is not None
    fusion = reweighted(workbench.parts, weights, "mine")
    exact_val, exact_test = (
        verify(workbench.dataset, fusion, workbench.store, split).verification for split in ("val", "test")
    )
    assert exact_test.rates(found.threshold) == pytest.approx((found.fmr, found.fnmr))
    reached = [
        float(objective.yardstick.of(*map(np.asarray, exact_val.rates(threshold)), val.base_rate))
        for threshold in (found.threshold, choose(exact_val, objective).threshold)
    ]
    assert reached[0] == pytest.approx(reached[1], abs=0.01)
    assert found.value == pytest.approx(
        float(objective.yardstick.of(np.asarray(found.fmr), np.asarray(found.fnmr), val.base_rate))
    )


def test_a_limit_that_is_never_kept_is_no_trial() -> None:
    # The pair that scores highest is of two classes, so no threshold is without an error.
    same, different = (np.array(column, np.float32)[:, None] for column in ([0.2, 0.5, 0.8], [0.1, 0.3, 0.9]))
    pairs = PartScores(("a",), same, different, (3, 3))
    assert trial(pairs, pairs, {"a": 1.0}, Objective("precision", 0.9), 0.5) is None
    assert trial(pairs, pairs, {"a": 1.0}, Objective("precision", 0.6), 0.5) is not None


def test_the_best_single_model_is_never_label_match(workbench: Workbench) -> None:
    val = part_scores(workbench.dataset, workbench.parts, workbench.store, "val")
    values = {}
    for name in ("fake-a", "fake-b"):
        found = trial(val, val, {name: 1.0}, Objective("f1"), val.base_rate)
        assert found is not None
        values[name] = found.value
    assert best_single(val, Objective("f1"), val.base_rate) == max(values, key=values.__getitem__)
