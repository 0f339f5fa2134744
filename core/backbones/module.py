"""The network as Likeness runs it: pixels in, unit vectors out. One form for export, for torch and for the check."""

from __future__ import annotations

import torch
from torch import nn

from core.backbones.spec import BackboneSpec


class Embedder(nn.Module):
    """Normalise pixels, run the features, scale to unit length.

    Input: uint8 ``(n, height, width, 3)``, RGB. Output: float32 ``(n, dim)``, L2-normalised.
    """

    scale: torch.Tensor
    shift: torch.Tensor

    def __init__(self, features: nn.Module, spec: BackboneSpec) -> None:
        super().__init__()
        self.features = features
        mean = torch.tensor(spec.preprocessing.mean).view(1, 3, 1, 1)
        std = torch.tensor(spec.preprocessing.std).view(1, 3, 1, 1)
        self.register_buffer("scale", 1 / (255 * std))
        self.register_buffer("shift", -mean / std)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        images = pixels.permute(0, 3, 1, 2).to(self.scale.dtype) * self.scale + self.shift
        return nn.functional.normalize(self.features(images).flatten(1), dim=1)
