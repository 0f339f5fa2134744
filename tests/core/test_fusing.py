"""Weights are learned on validation, for the objective, and never on test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core import fusing as module
from core.errors import LikenessError
from core.fusing import learn
from core.fusion import LABELS
from core.fusion_parts import fusion_of
from core.thresholds import Objective, choose
from core.verify import verify
from tests.parts import A, B, Workbench, workbench

__all__ = ["workbench"]
F1 = Objective("f1")


@pytest.mark.parametrize("objective", [F1, Objective("eer"), Objective("fmr", 0.1), Objective("cost", None, 3.0, 1.0)])
def test_the_sum_is_at_least_as_good_on_validation_as_each_part(objective: Objective, workbench: Workbench) -> None:
    found = learn(workbench.dataset, workbench.parts, workbench.store, objective=objective)
    assert sum(found.fusion.weights.values()) == pytest.approx(1)
    assert found.fusion.name == "learned"
    assert "validation" in found.fusion.origin
    sign = 1 if objective.yardstick.better == "higher" else -1
    best = max(sign * one.value for one in found.candidates)
    for model in (A, B):
        pairs = verify(workbench.dataset, model, workbench.store, "val").verification
        fmr, fnmr = pairs.rates(choose(pairs, objective).threshold)
        value = float(objective.yardstick.of(np.asarray(fmr), np.asarray(fnmr), pairs.base_rate))
        assert best >= sign * value - 2e-3  # the search looks at 2,000 thresholds, and all pairs at every one
    assert next(one for one in found.candidates if one.fusion is found.fusion).value == pytest.approx(sign * best)


def test_test_images_have_no_say(workbench: Workbench) -> None:
    data = workbench.dataset
    labels = data.labels.copy()
    test = np.flatnonzero(data.splits == "test")
    labels[test] = np.roll(labels[test], 3)
    known = learn(data, workbench.parts, workbench.store, objective=F1)
    blind = learn(replace(data, labels=labels), workbench.parts, workbench.store, objective=F1)
    assert known.fusion.weights == blind.fusion.weights


@pytest.mark.parametrize("way", ["logistic", "grid"])
def test_one_way_can_be_asked_for(way: str, workbench: Workbench) -> None:
    found = learn(workbench.dataset, workbench.parts, workbench.store, objective=F1, by=way, name="mine")
    assert [one.way for one in found.candidates] == [way]
    assert found.fusion.name == "mine"
    assert module.WAYS[way] in found.fusion.origin


def test_an_unknown_way_is_refused(workbench: Workbench) -> None:
    with pytest.raises(LikenessError, match="cannot be learned by 'magic'"):
        learn(workbench.dataset, workbench.parts, workbench.store, objective=F1, by="magic")


def test_where_no_model_helps_the_regression_has_nothing_to_say(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "logistic_weights", lambda scores, _: np.zeros(len(scores.names)))
    with pytest.raises(LikenessError, match="No model tells these validation pairs apart"):
        learn(workbench.dataset, workbench.parts, workbench.store, objective=F1, by="logistic")
    both = learn(workbench.dataset, workbench.parts, workbench.store, objective=F1)
    assert [one.way for one in both.candidates] == ["grid"]


def test_without_labels_models_are_weighed(workbench: Workbench) -> None:
    parts = fusion_of(workbench.dataset, [A, B], workbench.store, "quantile")
    found = learn(workbench.dataset, parts, workbench.store, objective=F1)
    assert LABELS not in found.fusion.weights
    assert set(found.fusion.weights) <= {"fake-a", "fake-b"}
