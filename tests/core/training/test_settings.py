"""Settings: sane defaults for each objective, and one sentence for whatever makes no sense."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import LikenessError
from core.training.settings import AUGMENTATIONS, LOSSES, METRICS, MINING, OBJECTIVES, Settings, choose, from_json

_given = st.fixed_dictionaries({}, optional={
    "loss": st.sampled_from(LOSSES), "mining": st.sampled_from(MINING), "metric": st.sampled_from(list(METRICS)),
    "augmentation": st.sampled_from(AUGMENTATIONS), "protocol": st.sampled_from(["", "siamese"]),
    "margin": st.floats(0, 2), "label_smoothing": st.floats(0, 0.9), "dim": st.integers(1, 4096),
    "epochs": st.integers(1, 10_000), "frozen_epochs": st.integers(0, 10_000), "batch": st.integers(2, 4096),
    "lr": st.floats(1e-7, 10), "patience": st.integers(1, 10_000), "seed": st.integers(0, 2**31),
})  # fmt: skip


@given(objective=st.sampled_from(OBJECTIVES), fast=st.booleans(), given_=_given)
def test_what_is_given_stands_and_survives_json(objective: str, fast: bool, given_: dict[str, Any]) -> None:
    found = choose(objective, "m", fast=fast, **given_)
    assert {name: getattr(found, name) for name in given_} == given_
    assert from_json(json.loads(json.dumps(found.as_json()))) == found
    usual = choose(objective, "m", fast=fast)
    untouched = {field.name for field in fields(Settings)} - set(given_)
    assert all(getattr(found, name) == getattr(usual, name) for name in untouched)


def test_each_objective_has_defaults_of_its_own() -> None:
    assert choose("finetune", "m").dim == 0  # the feature itself
    assert choose("finetune", "m").frozen_epochs == 1
    assert choose("finetune", "m", from_scratch=True).frozen_epochs == 0
    assert choose("finetune", "m", from_scratch=True).trunk_lr == 1.0
    assert choose("siamese", "m").metric == "roc_auc"
    assert choose("triplet", "m").metric == "precision_at_5"
    for objective in OBJECTIVES:
        assert choose(objective, "m", fast=True).dim > 0
        assert choose(objective, "m", fast=True).augmentation == "none"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("objective", "regress", "finetune, siamese, triplet"), ("loss", "hinge", "triplet, supcon"),
        ("mining", "soft", "semihard"), ("metric", "f1", "precision_at_5"), ("augmentation", "wild", "none, standard"),
        ("protocol", "other", "siamese"), ("margin", 2.1, "from 0 to 2"), ("margin", float("nan"), "from 0 to 2"),
        ("label_smoothing", 0.95, "label smoothing"), ("dim", -1, "dim"), ("epochs", 0, "from 1 to"),
        ("batch", 1, "from 2 to"), ("lr", 0.0, "lr"), ("lr", float("inf"), "lr"), ("patience", 0, "patience"),
        ("seed", -1, "seed"), ("frozen_epochs", "two", "frozen epochs"),
    ],
)  # fmt: skip
def test_a_value_that_makes_no_sense_is_refused_in_words(name: str, value: Any, words: str) -> None:
    settings = {"objective": "triplet", "model": "m", name: value}
    with pytest.raises(LikenessError, match=words):
        choose(settings.pop("objective"), settings.pop("model"), **settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"objective": "triplet", "fast": True, "from_scratch": True}, "from scratch"),
        ({"objective": "triplet", "fast": True, "dim": 0}, "dim as 1 or more"),
        ({"objective": "siamese", "dim": 0}, "dim as 1 or more"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(LikenessError, match=words):
        choose(settings.pop("objective"), "m", **settings)


@pytest.mark.parametrize(
    "content", [None, [], {"objective": "triplet"}, {**choose("triplet", "m").as_json(), "odd": 1}]
)
def test_a_damaged_record_is_refused(content: Any) -> None:
    with pytest.raises(LikenessError, match="damaged"):
        from_json(content)
