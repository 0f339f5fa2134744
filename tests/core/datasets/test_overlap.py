"""Which models have seen which datasets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.backbones import BACKBONES, BackboneSpec
from core.datasets.class_names import IMAGENETTE
from core.datasets.overlap import seen_in_pretraining
from core.records import Dataset

RESNET, DINO, CLIP = (BACKBONES[name] for name in ("resnet18", "dinov2_small", "clip_vit_b32"))
NAMES = ["n01440764_10042.JPEG", "n01440764_7.JPEG", "ILSVRC2012_val_00009191.JPEG"]


def of(classes: list[str], ref: str = "/photos", names: list[str] = NAMES) -> Dataset:
    """A dataset that has files of these names in each class."""
    labels = np.repeat(classes, len(names))
    paths = np.array([f"train/{label}/{name}" for label in classes for name in names])
    return Dataset(ref, "t", Path("/photos"), np.arange(len(paths)).astype("U32"), paths, labels, labels)


TEN = list(IMAGENETTE.values())


@pytest.mark.parametrize(
    "classes", [TEN, list(IMAGENETTE), [name.lower().replace(" ", "_") for name in TEN], TEN[:3]],
    ids=["English", "WordNet", "folders", "some"],
)  # fmt: skip
def test_imagenette_is_known_by_its_classes(classes: list[str]) -> None:
    sentence = seen_in_pretraining(of(classes), RESNET)
    count = 3 * len(classes)
    assert sentence == (
        "resnet18 was trained on ImageNet: it learnt all classes of this dataset, and saw "
        f"{2 * count // 3} of its {count} photos; the others are from ImageNet's validation set."
    )


def test_imagenette_is_known_by_its_name_and_photos_without_their_names_are_not_counted() -> None:
    sentence = seen_in_pretraining(of(["tench"], "imagenette", ["1.jpg"]), RESNET)
    assert sentence is not None
    assert sentence.endswith(
        "learnt all classes of this dataset, and saw those photos that are from ImageNet's training set."
    )


def test_other_wordnet_classes_are_imagenet_s() -> None:
    sentence = seen_in_pretraining(of(["n02086240", "n02087394"]), RESNET)
    assert sentence is not None
    assert "those of its classes that ImageNet-1k has, and saw 4 of its 6 photos" in sentence


def test_dino_saw_photos_without_labels() -> None:
    sentence = seen_in_pretraining(of(TEN), DINO)
    assert sentence is not None
    assert "without their labels: it saw 20 of its 30 photos" in sentence
    assert "learnt" not in sentence


@pytest.mark.parametrize("pretraining", ["Animals-10, supervised", "ImageNet-1k, supervised, then fine-tuned"])
def test_a_checkpoint_has_seen_what_its_base_has(pretraining: str) -> None:
    mine = replace(RESNET, name="mine", source="checkpoint", architecture="resnet18", pretraining=pretraining)
    sentence = seen_in_pretraining(of(TEN), mine)
    assert sentence is not None
    assert sentence.startswith("mine was trained on ImageNet")
    assert seen_in_pretraining(of(TEN), replace(mine, architecture="clip_vit_b32", pretraining="x")) is None


@pytest.mark.parametrize("spec", BACKBONES.values(), ids=list(BACKBONES))
def test_every_model_of_imagenet_is_known(spec: BackboneSpec) -> None:
    assert (seen_in_pretraining(of(TEN), spec) is None) == (spec == CLIP)


@pytest.mark.parametrize(
    "classes", [["church"], ["church", "cat"], ["Topwear", "Bags"], ["n01440764", "cat"], ["n1", "n2"]]
)
def test_other_datasets_are_not_imagenet(classes: list[str]) -> None:
    assert seen_in_pretraining(of(classes), RESNET) is None
