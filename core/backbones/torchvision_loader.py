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


def build(spec: BackboneSpec, weights: Path) -> nn.Module:
    """The network, float ``(n, 3, h, w)`` in, ``(n, dim)`` out.

    Raises:
        LikenessError: the file does not hold weights of this architecture.
    """
    return from_state(spec, read_state(weights), f"{weights} as {spec.architecture}")


def from_state(spec: BackboneSpec, state: Mapping[str, torch.Tensor], what: str) -> nn.Module:
    """As :func:`build`, from tensors already read."""
    model: nn.Module = import_torchvision().models.get_model(spec.architecture, weights=None)
    if spec.output == "features":
        behead = next(take for family, take in _BEHEAD.items() if spec.architecture.startswith(family))
        behead(model)
    load_features(model, state, what)
    if spec.output == "places":
        return _places(model)
    return Classes(model) if spec.output == "classes" else model


def _places(model: Any) -> nn.Module:
    """For the families whose head is linear on a global average pool."""
    if hasattr(model, "fc"):  # ResNet, ShuffleNet: what stands before the pool and the head, in order
        trunk = nn.Sequential(*(part for name, part in model.named_children() if name not in ("avgpool", "fc")))
        return Places(model, trunk, model.fc)
    return Places(model, model.features, model.classifier[-1])
