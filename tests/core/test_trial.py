"""What weights do at once agrees with what all pairs say."""

from __future__ import annotations

import numpy as np
import pytest

from core.fusion import LABELS, reweighted
from core.part_scores import PartScores, part_scores
from core.thresholds import Objective, choose
from core.trial import best_single, trial
from core.verify import verify
from tests.parts import Workbench, slow_scores, workbench

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
    values: dict[str, float] = {}
    for name in ("fake-a", "fake-b"):
        found = trial(val, val, {name: 1.0}, Objective("f1"), val.base_rate)
        assert found is not None
        values[name] = found.value
    assert best_single(val, Objective("f1"), val.base_rate) == max(values, key=values.__getitem__)


@pytest.mark.parametrize("objective", [Objective("f1"), Objective("cost", None, 5.0, 1.0), Objective("fmr", 0.05)])
def test_of_clearly_different_parts_the_best_model_is_named(objective: Objective) -> None:
    random = np.random.default_rng(0)
    same = np.stack([random.normal(centre, 0.1, 60) for centre in (0.45, 0.7, 0.95)], axis=1)
    different = random.normal(0.4, 0.1, (200, 3))
    for names, best in ((("a", "b", LABELS), "b"), (("b", LABELS, "a"), "a"), ((LABELS, "a", "b"), "b")):
        val = PartScores(
            names, same.clip(0, 1).astype(np.float32), different.clip(0, 1).astype(np.float32), (60, 200)
        )  # fmt: skip
        assert best_single(val, objective, 0.2) == best


def test_error_rates_on_test_are_those_of_pairs_looked_at_one_by_one(workbench: Workbench) -> None:
    weights = {"fake-a": 0.5, "fake-b": 0.4, LABELS: 0.1}
    val, test = (part_scores(workbench.dataset, workbench.parts, workbench.store, split) for split in ("val", "test"))
    found = trial(val, test, weights, Objective("fmr", 0.1), 0.2)
    assert found is not None
    sums = sum(weight * slow_scores(workbench, part, "test")[0] for part, weight in weights.items())
    same = slow_scores(workbench, LABELS, "test")[1]
    wrong = [sum(found.threshold <= one for one in sums[~same]), sum(one < found.threshold for one in sums[same])]
    assert (found.fmr, found.fnmr) == pytest.approx((wrong[0] / (~same).sum(), wrong[1] / same.sum()))
    assert found.value == pytest.approx(1 - found.fnmr)


@pytest.mark.parametrize("part", ["fake-a", LABELS])
def test_all_the_weight_may_be_on_one_part(part: str, workbench: Workbench) -> None:
    val = part_scores(workbench.dataset, workbench.parts, workbench.store, "val")
    found = trial(val, val, {part: 1.0}, Objective("youden"), 0.2)
    assert found is not None
    scores, same = slow_scores(workbench, part, "val")
    best = max((scores[same] >= one).mean() - (scores[~same] >= one).mean() for one in np.unique(scores))
    assert found.value == pytest.approx(best, abs=0.02)
