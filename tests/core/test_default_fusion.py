"""The default fusion: the published weights where their models are, explained stand-ins where they are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import default_fusion as module
from core.backbones import Backbone
from core.default_fusion import default_fusion
from core.embed import embed
from core.errors import LikenessError
from core.fusion import LABELS
from core.records import Dataset
from core.store import EmbeddingStore
from tests import pictures
from tests.fakes import fake, install

CLASSES = fake("fake-classes", dim=1000)


def tuned(name: str) -> Backbone:
    base = fake(name)
    return Backbone(replace(base.spec, source="checkpoint", architecture="mobilenet_v2"), base.weights)


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    install(monkeypatch)
    monkeypatch.setattr(module, "default_classifier", lambda: CLASSES)
    return pictures.load(pictures.paint(tmp_path / "shapes", 24))


def made(dataset: Dataset, models: list[Backbone], *, labels: bool = True):
    embed(dataset, [*models, *([CLASSES] if labels else [])], EmbeddingStore())
    return default_fusion(dataset, models, EmbeddingStore())


def test_the_published_models_get_the_published_weights(dataset: Dataset) -> None:
    found = made(dataset, [fake("efficientnet_lite0"), fake("clip_vit_b32"), tuned("mine")])
    assert found.weights == pytest.approx({"mine": 0.6, "clip_vit_b32": 0.3, LABELS: 0.1})
    assert "in place of" not in found.origin


def test_stand_ins_are_named_and_explained(dataset: Dataset) -> None:
    found = made(dataset, [fake("squeezenet1_1"), fake("mobilenet_v2")])
    assert found.weights == pytest.approx({"mobilenet_v2": 0.6, "squeezenet1_1": 0.3, LABELS: 0.1})
    assert "in place of 0.60 fine-tuned MobileNetV2" in found.origin
    assert "not here: fine-tuned MobileNetV2, CLIP" in found.origin


def test_what_is_missing_is_left_out_and_the_rest_adds_up_to_1(dataset: Dataset) -> None:
    found = made(dataset, [fake("mobilenet_v2")], labels=False)
    assert found.weights == {"mobilenet_v2": 1.0}
    assert found.labels is None
    assert "labels" in found.origin
    two = made(dataset, [fake("mobilenet_v2"), fake("clip_vit_b32")], labels=False)
    assert two.weights == pytest.approx({"mobilenet_v2": 2 / 3, "clip_vit_b32": 1 / 3})


def test_without_training_images_labels_have_no_part(dataset: Dataset) -> None:
    rest = dataset.take(np.flatnonzero(dataset.splits != "train"))
    assert made(rest, [fake("mobilenet_v2")]).labels is None


def test_without_models_it_says_what_to_do(dataset: Dataset) -> None:
    with pytest.raises(LikenessError, match="Embed them first"):
        default_fusion(dataset, [], EmbeddingStore())
