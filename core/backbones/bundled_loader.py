"""Backbones whose weights come inside a Python package, so that they work on a machine without a hub."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from core.backbones import torchvision_loader
from core.backbones.heads import Classes, Places
from core.backbones.spec import BackboneSpec
from core.backbones.state import load_features, read_state
from core.errors import LikenessError


class _LiteFeatures(nn.Module):
    """EfficientNet-Lite without its classifier: the average over the last feature map."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        feature: torch.Tensor = self.network.extract_features(images).mean((2, 3))
        return feature


def build(spec: BackboneSpec, weights: Path, state: Mapping[str, torch.Tensor] | None = None) -> nn.Module:
    """The network, float ``(n, 3, h, w)`` in, ``(n, dim)`` out; arguments and errors as for torchvision's."""
    if state is None:
        state = _keras_squeezenet(weights) if weights.suffix == ".pkl" else read_state(weights)
    if not _is_lite(spec):
        return torchvision_loader.build(spec, weights, state)
    network = _lite(spec)
    load_features(network, state, f"{weights} as {spec.architecture}")
    if spec.output == "places":
        return Places(network, network.extract_features, network._fc)
    return Classes(network) if spec.output == "classes" else _LiteFeatures(network)


def fresh(spec: BackboneSpec) -> nn.Module:
    """The feature network with random weights."""
    return _LiteFeatures(_lite(spec)) if _is_lite(spec) else torchvision_loader.fresh(spec)


def _is_lite(spec: BackboneSpec) -> bool:
    return spec.architecture.startswith("efficientnet-lite")


def _lite(spec: BackboneSpec) -> Any:
    from efficientnet_lite_pytorch import EfficientNet

    # The padding of its convolutions is laid down for one size of input.
    network = EfficientNet.from_name(spec.architecture, image_size=spec.preprocessing.crop)
    if spec.output == "features":
        network._fc = nn.Identity()
    return network


class _ArraysOnly(pickle.Unpickler):
    """Rebuilds numpy arrays and containers; refuses every other name (Python docs, "Restricting Globals").

    The file's SHA-256 has been compared with the known one before (:mod:`core.backbones.weights`); this is the
    second lock on the same door.
    """

    _allowed = {("numpy.core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")}  # noqa: RUF012

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._allowed:
            raise LikenessError(f"refused to load {module}.{name} from a weights file")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def _keras_squeezenet(path: Path) -> dict[str, torch.Tensor]:
    """ndf's SqueezeNet 1.1 under torchvision's names: kernels from HWIO to OIHW, input channels from BGR to RGB."""
    with path.open("rb") as file:
        layers: dict[str, tuple[np.ndarray, np.ndarray]] = _ArraysOnly(file).load()
    # Fire modules 2 to 9 stand at these places of torchvision's `features`.
    places = dict(zip(range(2, 10), (3, 4, 6, 7, 9, 10, 11, 12), strict=True))
    state = {}
    for layer, (kernel, bias) in layers.items():
        if layer == "conv1":
            name, kernel = "features.0", kernel[:, :, ::-1]
        elif layer.startswith("fire"):
            fire, part = layer.split("/")
            name = f"features.{places[int(fire[4:])]}.{part.replace('1x1', '') if part[0] == 's' else part}"
        else:
            continue  # the classifier
        state[f"{name}.weight"] = torch.from_numpy(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)))
        state[f"{name}.bias"] = torch.from_numpy(np.ascontiguousarray(bias))
    return state
