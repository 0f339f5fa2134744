"""Every clause of the answer says what the numbers say."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import answer_words
from core.answer import Answer, answer, check_splits
from core.answer_words import Strong, aim, as_text, caveats, frequency, sentences
from core.errors import LikenessError
from core.evaluate import HEADLINE, Evaluation, Protocol, evaluate
from core.latency import Latency
from core.leaks import Leaks
from core.metrics.verification import Estimate
from core.store import EmbeddingStore
from core.thresholds import Objective
from tests.evaluations import evaluated
from tests.fakes import fake

SIZES = dict.fromkeys(("<b>one</b>", "two", "three", "four"), (30, 25, 25))
VAL = Protocol("val")
DASH = "\N{EN DASH}"


def _both(monkeypatch: pytest.MonkeyPatch, noise: dict[str, float], sizes: object = SIZES) -> tuple[Evaluation, ...]:
    val = evaluated(monkeypatch, sizes, noise, VAL)  # type: ignore[arg-type]
    return val, evaluate(val.dataset, [fake(name) for name in noise], EmbeddingStore(), Protocol("test"))


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Answer:
    return answer(*_both(monkeypatch, {"good": 1.3, "near": 1.32, "bad": 3.0}))


def said(found: Answer) -> str:
    return as_text(sentences(found))


def _faster(found: Answer, times: dict[str, float]) -> Answer:
    models = {name: replace(one, latency=Latency(times[name], 9.0, "here")) for name, one in found.val.models.items()}
    return replace(found, val=replace(found.val, models=models))


def test_the_model_and_its_threshold_are_chosen_on_validation(found: Answer) -> None:
    best = max(found.val.models.values(), key=lambda one: one.values[HEADLINE])
    assert found.model == best.backbone.name
    assert found.threshold.choice.threshold == found.threshold.threshold
    assert found.val_pairs.split == "val"
    assert found.test_pairs.split == "test"
    assert found.threshold.test.rates["fmr"].value == found.test_pairs.verification.rates(found.threshold.threshold)[0]
    assert said(found).startswith(f"Use {found.model}: of 3 models it retrieves best on validation images.")


def test_test_images_have_no_say_in_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    val, test = _both(monkeypatch, {"good": 1.0, "bad": 2.0})
    turned = replace(test, models=dict(reversed(test.models.items())), tied=["bad"])
    swapped = answer(val, turned)
    assert swapped.model == answer(val, test).model == "good"
    assert swapped.better_on_test == "bad"
    assert "On test images bad is measurably better, so the choice is not sure." in said(swapped)


def test_tied_models_are_named_and_the_cheaper_with_what_it_costs(found: Answer) -> None:
    tied = replace(found, val=replace(found.val, tied=[found.model, *(set(found.val.models) - {found.model})]))
    others = tied.tied
    times = {found.model: 10.0, others[0]: 7.5, others[1]: 9.0}
    assert f"It cannot be told from {' and '.join(others)} there; of these, {others[0]} takes 7.5 ms for an image " in (
        said(_faster(tied, times))
    )
    slow = dict.fromkeys(found.val.models, 10.0)
    assert "there, and none of these is clearly faster." in said(_faster(tied, slow))
    alone = replace(found, val=replace(found.val, tied=[found.model]))
    assert "The others are measurably worse there." in said(alone)


def test_many_tied_models_are_not_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"model{number}" for number in range(8)]
    found = answer(*_both(monkeypatch, dict.fromkeys(names, 1.2)))
    tied = replace(found, val=replace(found.val, tied=list(found.val.models)))
    assert re.search(r"told from (model\d, ){3}model\d and 3 more there", said(tied))


def test_a_single_model_is_compared_with_none(monkeypatch: pytest.MonkeyPatch) -> None:
    found = answer(*_both(monkeypatch, {"good": 1.2}))
    assert "Use good, the only model that was compared." in said(found)
    assert "told from" not in said(found)


def test_its_quality_is_that_on_test_with_its_interval(found: Answer) -> None:
    result = found.test.models[found.model]
    value, (low, high) = result.values[HEADLINE], result.intervals[HEADLINE]
    shown = re.search(rf"test image, ([\d.]+) \[([\d.]+){DASH}([\d.]+)\] on average", said(found))
    assert shown is not None
    assert [float(part) for part in shown.groups()] == [round(5 * part, 1) for part in (value, low, high)]
    assert f"(P@5 {value:.1%} [{low * 100:.1f}{DASH}{high * 100:.1f}], {len(result.results)} queries)" in said(found)


def test_the_errors_are_those_of_test_pairs_at_the_threshold(found: Answer) -> None:
    text = said(found)
    assert f"from a similarity of {found.threshold.threshold:.4f} on, chosen on validation images (best F1)" in text
    fmr, fnmr = found.test_pairs.verification.rates(found.threshold.threshold)
    for words, rate in (("different classes, about", fmr), ("one class, about", fnmr)):
        shown = re.search(rf"([\d,]+)(?: test pairs)? of {words} ([\d,]+) ", text)
        assert shown is not None
        base, number = (int(part.replace(",", "")) for part in shown.groups())
        assert abs(number / base - rate) <= 0.5 / base


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_frequency_is_the_rate_within_its_rounding(a: float, b: float, c: float) -> None:
    low, value, high = sorted((a, b, c))
    base, text = frequency(Estimate(value, low, high))
    assert base in (1_000, 10_000, 100_000, 1_000_000)
    number, start, stop = (int(part.replace(",", "")) for part in re.findall(r"[\d,]+", text.replace("none", "0")))
    for shown, true in ((number, value), (start, low), (stop, high)):
        assert abs(shown - true * base) <= 0.5 + 1e-6
    assert base == 1_000 or base == 1_000_000 or value * base / 10 < 1


def test_what_never_happened_is_none() -> None:
    assert frequency(Estimate(0.0, 0.0, 0.004)) == (1_000, f"none [0{DASH}4]")


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        (Objective("f1"), "best F1"),
        (Objective("fmr", 0.01), "largest false match rate, 0.01"),
        (Objective("cost", None, 5, 1), "least expected cost, of 5 a false match and 1 a false non-match"),
    ],
)
def test_the_objective_is_said_in_words(objective: Objective, words: str) -> None:
    assert aim(objective) == words


def test_the_worst_mistake_is_the_most_confused_pair(found: Answer) -> None:
    worst = found.confused[0]
    wrong = round(sum((1 - found.result.results.precision[:, 4]) * 5))
    assert f"{worst.a} and {worst.b} come back for each other, {worst.count} of the {wrong} wrong images" in said(found)
    assert all(a.count >= b.count for a, b in pairwise(found.confused))
    assert "None of the images that it found" in said(replace(found, confused=()))


def test_names_come_as_they_are_in_parts_of_their_own(found: Answer) -> None:
    parts = [part for sentence in sentences(found) for part in sentence]
    for part in parts:
        if isinstance(part, str):
            assert "<" not in part
    assert Strong(found.model) in parts


# What to beware of


def _first(found: Answer) -> str:
    return as_text(caveats(found)[:1])


def test_training_on_test_images_comes_before_all_else(found: Answer) -> None:
    found.test.__dict__["trained_on"] = {found.model: 7}
    found.val.__dict__["trained_on"] = {found.model: 9}
    assert _first(found).startswith(f"{found.model} was trained on 7 of these test images")
    assert said(found).endswith(f"Beware. {_first(found)}")
    found.test.__dict__["trained_on"] = {}
    assert any("with the help of 9 of the validation images" in as_text([one]) for one in caveats(found))


def _leaks(found: Answer, value: float) -> Leaks:
    return Leaks(12, 100, {found.model: {HEADLINE: Estimate(value, value, value)}})


def test_leaks_that_matter_come_early_and_others_last(found: Answer) -> None:
    value = found.found.value
    worse = replace(found, leaks=_leaks(found, value - 0.05), suspects=3)
    assert _first(worse) == (
        "12 of 100 test queries have a near duplicate among the images searched; without them P@5 is "
        f"{value - 0.05:.1%}."
    )
    same = replace(found, leaks=_leaks(found, value - 0.001), suspects=3)
    assert as_text(caveats(same)[-1:]).startswith("12 of 100 test queries")
    assert not any("near duplicate" in as_text([one]) for one in caveats(replace(found, leaks=Leaks(0, 100, {}))))
    assert "nothing here is sure" in _first(replace(found, leaks=Leaks(100, 100, {})))


def test_what_was_seen_in_pre_training_is_said(found: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_words, "seen_in_pretraining", lambda dataset, spec: f"{spec.name} saw it all.")
    assert _first(found).startswith(f"{found.model} saw it all. On kinds of images that it has never seen")


def test_few_images_are_called_few_when_intervals_are_wide(found: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = dict.fromkeys(("a", "b", "c"), (10, 4, 4))
    few = answer(*_both(monkeypatch, {"good": 1.5}, sizes))
    assert any(as_text([one]).startswith("There are 12 test images, so") for one in caveats(few))
    sure = answer(*_both(monkeypatch, {"good": 0.1}))
    assert not any("rough" in as_text([one]) for one in caveats(sure))


def test_a_gap_between_validation_and_test_is_said(found: Answer) -> None:
    used = found.threshold
    far = {**used.test.rates, "fmr": Estimate(0.9, 0.8, 1.0)}
    gap = replace(found, threshold=replace(used, test=replace(used.test, rates=far)))
    assert gap.threshold.apart == ["fmr"]
    assert any("The false match rate differs between validation" in as_text([one]) for one in caveats(gap))
    both = {**far, "fnmr": Estimate(0.99, 0.98, 1.0)}
    gap = replace(found, threshold=replace(used, test=replace(used.test, rates=both)))
    assert any("rate and false non-match rate differ between" in as_text([one]) for one in caveats(gap))


def test_suspects_are_counted(found: Answer) -> None:
    assert any(as_text([one]).startswith("1 image is more like") for one in caveats(replace(found, suspects=1)))
    assert not any("wrong label" in as_text([one]) for one in caveats(replace(found, suspects=0)))


# What cannot be answered


def test_a_split_that_makes_no_pairs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    val, test = _both(monkeypatch, {"good": 1.0}, {"a": (6, 1, 4), "b": (6, 1, 4)})
    with pytest.raises(LikenessError, match="The test images of random do not make pairs"):
        answer(val, test)


def test_an_empty_split_is_refused_with_the_sizes(found: Answer) -> None:
    check_splits(found.dataset)
    without = found.dataset.take(np.flatnonzero(found.dataset.splits == "train"))
    with pytest.raises(LikenessError, match=r"no images in val and test \(train 120, val 0, test 0\)"):
        check_splits(without)


def test_the_base_rate_is_taken(found: Answer) -> None:
    rare = answer(found.val, found.test, base_rate=0.01)
    assert rare.threshold.base_rate == 0.01
    assert math.isclose(found.threshold.base_rate, found.val_pairs.verification.base_rate)
