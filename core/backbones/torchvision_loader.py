"""Backbones whose architecture is in torchvision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from core.backbones.heads import Classes, Places
from core.backbones.spec import BackboneSpec
from core.backbones.state import load_features, read_state
from core.backbones.vision import import_torchvision


def _without(attribute: str) -> Callable[[Any], None]:
    return lambda model: setattr(model, attribute, nn.Identity())


def _pool_squeezenet(model: Any) -> None:
    model.classifier = nn.AdaptiveAvgPool2d(1)


def _keep_norm(model: Any) -> None:
    model.classifier[2] = nn.Identity()


# How to take the classifier off, so that what is left returns the pooled penultimate layer.
_BEHEAD: dict[str, Callable[[Any], None]] = {
    "resnet": _without("fc"),
    "shufflenet": _without("fc"),
    "efficientnet": _without("classifier"),
    "mobilenet": _without("classifier"),
    "squeezenet": _pool_squeezenet,
    "convnext": _keep_norm,
    "swin": _without("head"),
}


def build(spec: BackboneSpec, weights: Path, state: Mapping[str, torch.Tensor] | None = None) -> nn.Module:
    """The network, float ``(n, 3, h, w)`` in, ``(n, dim)`` out.

    Args:
        spec: the record.
        weights: a file.
        state: its tensors, where they have been read already.

    Raises:
        LikenessError: the file does not hold weights of this architecture.
    """
    model = fresh(spec)
    load_features(model, read_state(weights) if state is None else state, f"{weights} as {spec.architecture}")
    if spec.output == "places":
        return _places(model)
    return Classes(model) if spec.output == "classes" else model


def fresh(spec: BackboneSpec) -> nn.Module:
    """The network with random weights; without its classifier where features are wanted."""
    model: nn.Module = import_torchvision().models.get_model(spec.architecture, weights=None)
    if spec.output == "features":
        behead = next(take for family, take in _BEHEAD.items() if spec.architecture.startswith(family))
        behead(model)
    return model


def _places(model: Any) -> nn.Module:
    """For the families whose head is linear on a global average pool."""
    if hasattr(model, "fc"):  # ResNet, ShuffleNet: what stands before the pool and the head, in order
        trunk = nn.Sequential(*(part for name, part in model.named_children() if name not in ("avgpool", "fc")))
        return Places(model, trunk, model.fc)
    return Places(model, model.features, model.classifier[-1])
