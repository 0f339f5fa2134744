"""An ablation's numbers are those of its variants, and its verdict says no more than they show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.ablation import Ablation, Gain, ablate, p_value
from core.errors import LikenessError
from core.fusion import LABELS, reweighted
from core.metrics.comparison import holm
from core.metrics.rates import RATES
from core.thresholds import Objective, choose
from core.variants import Variant, variants_of
from tests.core.metrics.pair_data import items, verified
from tests.parts import Workbench, workbench

__all__ = ["workbench"]
F1 = Objective("f1")


def variant(name: str, kind: str, noise: float, weights: dict[str, float]) -> Variant:
    """Items around the same centres; more noise is a worse model. Validation and test differ by their seed."""
    val, test = (verified(*items(noise=noise, seed=seed)) for seed in (1, 2))
    return Variant(name, kind, weights, val, test)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def good() -> Ablation:
    whole = variant("sum", "whole", 0.5, {"a": 0.6, "b": 0.4})
    return ablate([whole, variant("a", "alone", 1.6, {"a": 1}), variant("b", "alone", 1.2, {"b": 1})], F1)


def test_each_variant_has_its_own_threshold_from_validation(good: Ablation) -> None:
    for row in good.rows:
        threshold = choose(row.variant.val, F1, good.base_rate).threshold
        assert row.threshold == threshold
        fmr, fnmr = row.variant.test.rates(threshold)
        assert row.values["f1"].value == pytest.approx(
            float(RATES["f1"].of(np.asarray(fmr), np.asarray(fnmr), good.base_rate))
        )
        assert row.values["roc_auc"] == row.variant.test.roc_auc
        assert row.values["eer"] == row.variant.test.eer


def test_gains_are_differences_and_positive_is_better_whatever_the_number(good: Ablation) -> None:
    whole, *others = good.rows
    assert whole.gains == {}
    for row in others:
        assert row.gains["f1"].value == pytest.approx(whole.values["f1"].value - row.values["f1"].value)
        assert row.gains["eer"].value == pytest.approx(row.values["eer"].value - whole.values["eer"].value)
        assert all(gain.low < gain.value < gain.high for gain in row.gains.values())
        assert all(gain.value > 0 for gain in row.gains.values())
    adjusted = holm([row.gains["f1"].p_value for row in others])
    assert [row.gains["f1"].adjusted for row in others] == list(adjusted)


def test_a_sum_that_is_better_beats_the_best_single_model(good: Ablation) -> None:
    assert good.best_single is not None
    assert good.best_single.variant.name == "b"
    assert good.pays is True
    assert good.verdict().startswith("The fusion beats b, the best single model by validation: F1 on test is ")


def test_a_sum_that_is_worse_is_called_so() -> None:
    whole = variant("sum", "whole", 1.6, {"a": 0.5, "b": 0.5})
    found = ablate([whole, variant("a", "alone", 0.5, {"a": 1})], F1)
    assert found.pays is False
    assert "The fusion is worse than a" in found.verdict()


def test_a_difference_within_chance_decides_nothing() -> None:
    whole = variant("sum", "whole", 1.2, {"a": 0.5, "b": 0.5})
    found = ablate([whole, variant("a", "alone", 1.2, {"a": 1})], F1)
    gain = found.rows[1].gains["f1"]
    assert (gain.value, gain.low, gain.high, gain.p_value) == (0, 0, 0, 1)
    assert found.pays is None
    assert "cannot be told from a" in found.verdict()


def test_label_match_that_does_as_well_is_named(good: Ablation) -> None:
    same = replace(good.rows[0].variant, name=LABELS, kind="alone", weights={LABELS: 1.0})
    found = ablate([*(row.variant for row in good.rows), same], F1)
    assert "But it cannot be told from label match alone" in found.verdict()
    assert found.best_single is not None
    assert found.best_single.variant.name == "b"


def test_a_sum_of_one_model_is_that_model() -> None:
    found = ablate([variant("sum", "whole", 1.0, {"a": 1.0}), variant("a", "alone", 1.0, {"a": 1.0})], F1)
    assert found.verdict() == "No sum did better on validation than a alone, so that is what the fusion is."


def test_without_single_models_nothing_is_claimed() -> None:
    found = ablate([variant("sum", "whole", 1.0, {"a": 0.5, "b": 0.5})], F1)
    assert found.best_single is None
    assert found.pays is None
    assert "nothing is said" in found.verdict()


@pytest.mark.parametrize("objective", [Objective("fmr", 0.2), Objective("precision", 0.4)])
def test_the_rate_with_a_limit_stands_beside_the_yardstick(objective: Objective) -> None:
    whole = variant("sum", "whole", 0.8, {"a": 0.5, "b": 0.5})
    found = ablate([whole, variant("a", "alone", 1.2, {"a": 1})], objective)
    assert list(found.rows[0].values) == [objective.yardstick.name, objective.name, "roc_auc", "eer"]
    assert set(found.rows[1].gains) == set(found.rows[0].values)


def test_another_base_rate_moves_thresholds_and_numbers() -> None:
    both = [variant("sum", "whole", 0.8, {"a": 0.5, "b": 0.5}), variant("a", "alone", 1.2, {"a": 1})]
    usual, rare = ablate(both, F1), ablate(both, F1, 0.01)
    assert rare.base_rate == 0.01
    assert rare.rows[0].threshold > usual.rows[0].threshold
    assert rare.rows[0].values["f1"].value < usual.rows[0].values["f1"].value


def test_json_holds_every_variant(good: Ablation) -> None:
    found = good.as_json()
    assert (found["judged_by"], found["best_single"], found["pays"]) == ("f1", "b", True)
    assert [row["name"] for row in found["variants"]] == ["sum", "a", "b"]
    assert found["variants"][0]["gain_of_the_fusion"] == {}
    gain = found["variants"][1]["gain_of_the_fusion"]["f1"]
    assert gain["ci"][0] < gain["value"] < gain["ci"][1]


@pytest.mark.parametrize(("p", "adjusted", "value", "pays"), [
    (0.03, 0.09, 0.1, None), (0.01, 0.05, 0.1, True), (0.01, 0.05, -0.1, False),
])  # fmt: skip
def test_only_what_is_beyond_chance_after_correction_counts(
    p: float, adjusted: float, value: float, pays: bool | None, good: Ablation
) -> None:
    best = replace(good.rows[2], gains={"f1": Gain(value, value - 0.2, value + 0.2, p, adjusted)})
    found = replace(good, rows=(*good.rows[:2], best))
    assert found.pays is pays
    assert p_value(adjusted) in found.verdict()
    assert "after Holm's correction for 2 comparisons" in found.verdict()


def test_the_best_single_model_is_told_on_validation_and_is_the_cheapest_where_costs_count(good: Ablation) -> None:
    swapped = replace(good.rows[1].variant, test=good.rows[2].variant.test, val=good.rows[1].variant.val)
    other = replace(good.rows[2].variant, test=good.rows[1].variant.test)
    for objective in (F1, Objective("cost", None, 3.0, 1.0)):
        found = ablate([good.rows[0].variant, swapped, other], objective)
        assert found.best_single is not None
        assert found.best_single.variant.name == "b"
        assert found.rows[1].values[objective.yardstick.name].value != found.rows[1].on_val
    cost = ablate([row.variant for row in good.rows], Objective("cost", None, 3.0, 1.0))
    assert all(row.gains["cost"].value > 0 for row in cost.rows[1:])
    assert cost.pays is True


def test_the_base_rate_is_that_of_validation_where_none_is_given() -> None:
    whole = variant("sum", "whole", 0.8, {"a": 0.5, "b": 0.5})
    uneven = replace(whole, test=verified(*items(classes=3, noise=0.8, seed=2)))
    assert uneven.test.base_rate != uneven.val.base_rate
    assert ablate([uneven], F1).base_rate == uneven.val.base_rate


def test_variants_of_other_images_cannot_be_judged(good: Ablation) -> None:
    fewer = replace(good.rows[1].variant, test=verified(*items(n=60, seed=2)))
    with pytest.raises(LikenessError, match="compared on the same images"):
        ablate([good.rows[0].variant, fewer], F1)


def test_an_objective_that_the_fusion_cannot_serve_is_said() -> None:
    useless = variant("c", "whole", 30.0, {"c": 1})
    with pytest.raises(LikenessError, match=r"No threshold reaches a precision of 0\.99"):
        ablate([useless], Objective("precision", 0.99), 1e-4)


def test_of_a_dataset_every_variant_is_judged(workbench: Workbench) -> None:
    fusion = reweighted(workbench.parts, {"fake-a": 0.6, "fake-b": 0.3, LABELS: 0.1}, "mine")
    found = ablate(variants_of(workbench.dataset, fusion, workbench.parts, workbench.store), F1)
    assert len(found.rows) == 7
    assert all(isinstance(row.gains["f1"], Gain) for row in found.rows[1:])


@pytest.mark.parametrize(("value", "said"), [(1.0, "p = 1.000"), (0.0494, "p = 0.049"), (0.0009, "p < 0.001")])
def test_p_values_in_words(value: float, said: str) -> None:
    assert p_value(value) == said


def test_a_variant_that_never_keeps_the_limit_is_named_and_the_others_are_judged() -> None:
    random = np.random.default_rng(0)
    vectors = random.standard_normal((60, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[1] = vectors[0]  # the pair that scores highest is of two classes
    hopeless = verified(vectors, np.arange(60) % 6)
    blind = Variant(LABELS, "alone", {LABELS: 1.0}, hopeless, hopeless)
    whole = variant("sum", "whole", 0.5, {"a": 0.6, "b": 0.4})
    objective = Objective("precision", 0.9)
    found = ablate([replace(whole, test=hopeless), blind], objective, 0.1)
    assert [row.variant.name for row in found.rows] == ["sum"]
    assert found.left_out == (f"{LABELS} alone",)
    assert f"{LABELS} alone" in found.note()
    assert found.as_json()["left_out"] == [f"{LABELS} alone"]
    assert ablate([whole], objective, 0.1).note() == ""
