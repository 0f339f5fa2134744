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
from core.part_scores import SAMPLE, PartScores
from core.thresholds import Choice, Objective, choose
from core.verify import verify
from tests.parts import A, B, Workbench, slow_scores, workbench

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


@pytest.mark.parametrize("base_rate", [None, 0.02])
def test_a_value_is_what_the_best_threshold_reaches_counting_pair_by_pair(
    base_rate: float | None, workbench: Workbench
) -> None:
    found = learn(workbench.dataset, workbench.parts, workbench.store, objective=F1, base_rate=base_rate)
    for one in found.candidates:
        sums = sum(weight * slow_scores(workbench, part, "val")[0] for part, weight in one.fusion.weights.items())
        same = slow_scores(workbench, "fake-a", "val")[1]
        share = same.mean() if base_rate is None else base_rate
        best = 0.0
        for threshold in sums:
            recall, false = (sums[same] >= threshold).mean(), (sums[~same] >= threshold).mean()
            best = max(best, 2 * share * recall / (share + share * recall + (1 - share) * false))
        assert one.value == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize(("objective", "taken"), [(F1, "grid"), (Objective("cost"), "logistic")])
def test_the_better_candidate_is_taken_whether_higher_or_lower_is_better(
    objective: Objective, taken: str, workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = iter([0.1, 0.2])
    monkeypatch.setattr(module, "_value", lambda *_: next(values))
    found = learn(workbench.dataset, workbench.parts, workbench.store, objective=objective)
    assert found.fusion is {one.way: one.fusion for one in found.candidates}[taken]


def test_of_equally_good_weights_those_of_fewer_parts_are_taken(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_value", lambda *_: 0.5)
    monkeypatch.setattr(module, "logistic_weights", lambda *_: np.array([1.0, 1.0, 1.0]))
    monkeypatch.setattr(module, "best_mixture", lambda *_: (0, 100, 0))
    found = learn(workbench.dataset, workbench.parts, workbench.store, objective=F1)
    assert found.fusion.weights == {"fake-b": 1.0}


def test_weights_are_looked_for_on_200000_pairs_of_validation_at_most(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[PartScores] = []

    def many(*arguments: object) -> PartScores:
        assert arguments[3] == "val"
        scores = np.zeros((SAMPLE, 3), np.float32)
        return PartScores(tuple(workbench.parts.weights), scores, scores, (SAMPLE, SAMPLE))

    def look(scores: PartScores, *_: object) -> tuple[int, ...]:
        seen.append(scores)
        return 50, 50, 0

    monkeypatch.setattr(module, "part_scores", many)
    monkeypatch.setattr(module, "best_mixture", look)
    learn(workbench.dataset, workbench.parts, workbench.store, objective=F1, by="grid")
    assert (len(seen[0].same), len(seen[0].different)) == (SAMPLE // 2, SAMPLE // 2)


def test_a_model_whose_weight_is_less_than_a_hundredth_does_not_make_a_fusion_of_the_labels(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "logistic_weights", lambda *_: np.array([0.05, 0.0, 18.0]))
    found = learn(workbench.dataset, workbench.parts, workbench.store, objective=F1)
    assert [one.way for one in found.candidates] == ["grid"]
    with pytest.raises(LikenessError, match="No model tells these validation pairs apart"):
        learn(workbench.dataset, workbench.parts, workbench.store, objective=F1, by="logistic")


def test_weights_that_keep_no_limit_do_not_keep_others_from_being_found(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []

    def first_fails(*arguments: object) -> Choice:
        calls.append(arguments)
        if len(calls) == 1:
            raise LikenessError("No threshold reaches a precision of 0.9")
        return choose(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "choose", first_fails)
    found = learn(workbench.dataset, workbench.parts, workbench.store, objective=F1)
    assert [one.way for one in found.candidates] == ["grid"]


def test_where_no_weights_keep_a_limit_it_says_so(workbench: Workbench) -> None:
    data = workbench.dataset
    noise = replace(data, labels=np.random.default_rng(1).permutation(data.labels))
    with pytest.raises(LikenessError, match=r"No threshold reaches a precision of 0\.9999"):
        learn(noise, workbench.parts, workbench.store, objective=Objective("precision", 0.9999), base_rate=1e-4)


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
