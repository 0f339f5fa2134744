"""Networks with their ImageNet-1k head, to say what is in a picture. Not offered as models to compare.

Each uses the weights of a backbone of the catalogue. Its vector is the square root of its 1,000 class probabilities,
so that predictions are computed, stored and looked up as vectors are; see :mod:`core.backbones.heads`.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

from core import files
from core.backbones.catalogue import BACKBONES
from core.backbones.spec import BackboneSpec
from core.backbones.weights import WeightsFile
from core.errors import LikenessError
from core.paths import cache_dir

CLASSES = 1000
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClassifierSpec(BackboneSpec):
    """A backbone with its head; ``top1`` is its published accuracy on ImageNet's validation images, in percent."""

    top1: float = 0.0


# ViT first, then by accuracy. Sources: gluonmm's model zoo (ViT), the metadata of torchvision's weights, and the table
# of the TensorFlow TPU repository (EfficientNet-Lite).
_TOP1 = {
    "vit_b16": 81.8,
    "convnext_tiny": 82.520,
    "swin_t": 81.474,
    "resnet50": 80.858,
    "efficientnet_b0": 77.692,
    "efficientnet_lite2": 77.6,
    "efficientnet_lite1": 76.7,
    "mobilenet_v3_large": 75.274,
    "efficientnet_lite0": 75.1,
    "mobilenet_v2": 71.878,
    "resnet18": 69.758,
    "shufflenet_v2_x1_0": 69.362,
    "squeezenet1_1": 58.178,
}
# Their head is one linear layer on a global average pool.
_POOLED = {
    "resnet50", "efficientnet_b0", "efficientnet_lite2", "efficientnet_lite1", "efficientnet_lite0", "mobilenet_v2",
    "resnet18", "shufflenet_v2_x1_0",
}  # fmt: skip
# A little more than the networks were trained with: at 384 the map is finer, but the probabilities fall apart.
_MAP_SIZE = 256
_STRIDE = 32


def _with_head(base: BackboneSpec, top1: float) -> ClassifierSpec:
    changed = {
        "name": f"{base.name}_classes",
        "dim": CLASSES,
        "layer": "square root of class probabilities",
        "output": "classes",
        "base": base.name,
        "top1": top1,
    }
    kept = {field.name: getattr(base, field.name) for field in fields(base)}
    return ClassifierSpec(**{**kept, **changed})


CLASSIFIERS: dict[str, ClassifierSpec] = {
    spec.name: spec for spec in (_with_head(BACKBONES[name], top1) for name, top1 in _TOP1.items())
}


def localiser(classifier: BackboneSpec) -> BackboneSpec | None:
    """The same network asked where it sees its classes; None for one whose head does not allow it.

    It looks at the whole picture, squashed to a square. Its vector is the square root of a distribution over class and
    place; squared, it reshapes to ``(1000, side, side)``, rows from the top.
    """
    if classifier.base not in _POOLED:
        return None
    return replace(
        classifier,
        name=f"{classifier.base}_places",
        dim=CLASSES * (_MAP_SIZE // _STRIDE) ** 2,
        layer="square root of class and place probabilities",
        preprocessing=replace(classifier.preprocessing, resize=_MAP_SIZE, crop=_MAP_SIZE, squash=True),
        output="places",
    )


@cache
def class_names() -> tuple[str, ...]:
    """ImageNet's 1,000 class names, as torchvision spells them; some look alike, so a class is known by its place."""
    return tuple(Path(__file__).with_name("imagenet_classes.txt").read_text("utf-8").splitlines())


def has_head(spec: BackboneSpec, weights: WeightsFile) -> bool:
    """Whether a weights file holds a head of 1,000 classes. A file is looked into once; the answer is remembered.

    Raises:
        LikenessError: the file cannot be read as weights.
    """
    if spec.sha256 and weights.sha256.startswith(spec.sha256):
        return True  # the official file
    memory = cache_dir() / "classifier_heads.json"
    known = files.read_json(memory)
    if isinstance(known, dict) and isinstance(answer := known.get(weights.sha256), bool):
        return answer
    from core.backbones.state import holds_head, read_state

    answer = holds_head(read_state(weights.path), CLASSES)
    if not answer:
        _log.warning("%s has no head of %d classes: %s is passed over.", weights.path, CLASSES, spec.name)
    with contextlib.suppress(LikenessError), files.locked(memory):  # a cache that cannot be written forgets
        known = files.read_json(memory)
        files.write_json(memory, {**(known if isinstance(known, dict) else {}), weights.sha256: answer})
    return answer
