"""Whether a model has seen a dataset's images when it was trained."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from core.backbones import BACKBONES, BackboneSpec
from core.datasets.class_names import IMAGENETTE
from core.records import Dataset

# Suffix of the list of images that a checkpoint was trained on: content ids, one a line.
IMAGES = ".images"
_WORDNET = re.compile(r"n\d{8}")
# How ImageNet names its files: by class in training, by number in validation.
_TRAINING = re.compile(r"n\d{8}_\d+")
_VALIDATION = re.compile(r"ILSVRC2012_val_\d{8}")


def seen_in_pretraining(dataset: Dataset, spec: BackboneSpec) -> str | None:
    """What a model saw of a dataset in training, in a sentence; None where nothing is known.

    Known are datasets made of ImageNet: Imagenette, by its name or its ten classes, and folders of WordNet ids. They
    mix ImageNet's training photos, which a model trained on ImageNet has seen, with its validation photos, which it has
    not. The names of the files tell them apart; the dataset's own split does not: both parts of Imagenette hold mostly
    training photos (https://github.com/fastai/imagenette drew a new 70/30 split in 2019). LVD-142M, which DINOv2 was
    trained on, holds ImageNet-22k without its labels (Oquab et al., arXiv 2304.07193).
    """
    if not _of_imagenet(dataset):
        return None
    history = spec.pretraining
    if spec.source in ("checkpoint", "pair head"):  # its record may name only what came last
        history += " " + BACKBONES[spec.architecture].pretraining
    if "ImageNet" in history:
        return f"{spec.name} was trained on ImageNet: it learnt {_classes(dataset)}, and {_photos(dataset)}."
    if "LVD-142M" in history:
        return (
            f"{spec.name} was trained on photos that include ImageNet's, without their labels: it {_photos(dataset)}."
        )
    return None


def seen_in_training(dataset: Dataset, rows: NDArray[np.intp], spec: BackboneSpec) -> int:
    """How many of these rows of a dataset a model was trained on here: each of them flatters it.

    Training keeps the content ids of its images beside the weights (:data:`IMAGES`), so that they are known in any
    dataset and under any name. Of other checkpoints nothing is known.
    """
    path = Path(spec.origin).with_suffix(IMAGES)
    if spec.source not in ("checkpoint", "pair head") or not path.is_file():
        return 0
    return int(np.isin(dataset.ids[rows], path.read_text("ascii").split()).sum())


def _of_imagenet(dataset: Dataset) -> bool:
    return _is_imagenette(dataset) or all(_WORDNET.fullmatch(name) for name in dataset.classes)


def _is_imagenette(dataset: Dataset) -> bool:
    classes = {_folded(name) for name in dataset.classes}
    ten = {_folded(name) for name in (*IMAGENETTE, *IMAGENETTE.values())}
    return dataset.ref == "imagenette" or (len(classes) > 1 and classes <= ten)


def _folded(name: str) -> str:
    return name.replace("_", " ").casefold()


def _classes(dataset: Dataset) -> str:
    return "all classes of this dataset" if _is_imagenette(dataset) else "those of its classes that ImageNet-1k has"


def _photos(dataset: Dataset) -> str:
    """Which photos it saw, counted where all files bear ImageNet's names."""
    names = [PurePosixPath(path).stem for path in dataset.paths.tolist()]
    seen = sum(_TRAINING.fullmatch(name) is not None for name in names)
    unseen = sum(_VALIDATION.fullmatch(name) is not None for name in names)
    if seen + unseen < len(names):
        return "saw those photos that are from ImageNet's training set"
    return f"saw {seen:,} of its {len(names):,} photos; the others are from ImageNet's validation set"
