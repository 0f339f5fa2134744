"""What a network finds in each region of an image: the local features that its vector is made of.

The network itself runs, in eager torch, and hooks note what flows through it. Nothing of a network is rebuilt here, so
what they note belongs to the very vector that the model gives.
"""

from __future__ import annotations

import math
import threading
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from core.backbones.projection import Projected
from core.backbones.runtime import build_module
from core.backbones.spec import BackboneSpec
from core.backbones.weights import WeightsFile


class LocalRunner:
    """A loaded network that tells the features of each region. Safe to call from several threads; they take turns.

    Attributes:
        averages: whether the vector is the mean of the local features. Otherwise a class token is, which gathers from
            all regions without a sum that could be taken apart.

    Raises:
        LikenessError: the weights do not fit the architecture.
    """

    def __init__(self, spec: BackboneSpec, weights: WeightsFile) -> None:
        self.averages = "global average pool" in spec.layer
        self._network = build_module(spec, weights)
        features = self._network.features
        self._head = features.head if isinstance(features, Projected) else None
        self._noted: _Notes = _AveragedMap(self._network) if self.averages else _Tokens(self._network)
        self._turn = threading.Lock()  # the notes hold one image

    def __call__(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Pixels as :func:`core.preprocess.to_pixels` makes them, uint8 ``(height, width, 3)``, to features.

        Returns:
            The local features, float32 ``(rows, columns, dim)``, and the vector, float32 ``(dim,)``, neither of unit
            length. They share one space: the model's own vector is the second at unit length.
        """
        with self._turn, torch.inference_mode():
            self._network(torch.from_numpy(np.array(pixels[None])))
            local, vector = self._noted.read()
            if self._head is not None:  # linear, so that it may be applied region by region
                length = vector.norm()
                local, vector = self._head(local / length), self._head(vector / length)
            return np.asarray(local.numpy(), np.float32), np.asarray(vector.numpy(), np.float32)


class _Notes(Protocol):
    def read(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Local features ``(rows, columns, dim)`` and vector ``(dim,)`` of the last image that passed."""
        ...


class _AveragedMap:
    """Notes the last map of features, which is averaged next, and the layer norm that its mean then goes through."""

    def __init__(self, network: nn.Module) -> None:
        self._map = torch.empty(0)
        self._norm: nn.LayerNorm | None = None
        for module in network.modules():
            module.register_forward_hook(self._note)

    def _note(self, module: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        if output.ndim == 4 and output.shape[2] * output.shape[3] > 1:
            self._map, self._norm = output, None
        elif isinstance(module, nn.LayerNorm):
            self._norm = module

    def read(self) -> tuple[torch.Tensor, torch.Tensor]:
        local = self._map[0].movedim(0, 2)
        if self._norm is not None:
            local = _normalised(local, self._norm)
        return local, local.mean((0, 1))


def _normalised(local: torch.Tensor, norm: nn.LayerNorm) -> torch.Tensor:
    """Local features whose mean is the layer norm of the mean.

    With the deviation it has at the mean, a layer norm is affine, so it may be taken region by region.
    """
    centred = local - local.mean(2, keepdim=True)
    deviation = (local.mean((0, 1)).var(correction=0) + norm.eps).sqrt()
    return centred / deviation * norm.weight + norm.bias


class _Tokens:
    """Notes the tokens of a transformer's last layer: the class token, then the patches row by row."""

    def __init__(self, network: nn.Module) -> None:
        self._model: Any = None
        self._tokens = torch.empty(0)
        for module in network.modules():
            module.register_forward_hook(self._note)

    def _note(self, module: nn.Module, _inputs: Any, output: Any) -> None:
        if hasattr(output, "last_hidden_state"):
            self._model, self._tokens = module, output.last_hidden_state[0]

    def read(self) -> tuple[torch.Tensor, torch.Tensor]:
        tokens = self._tokens
        if hasattr(self._model, "visual_projection"):  # what CLIP does to its class token, to every patch
            tokens = self._model.visual_projection(self._model.vision_model.post_layernorm(tokens))
        side = math.isqrt(len(tokens) - 1)
        return tokens[1:].reshape(side, side, -1), tokens[0]
