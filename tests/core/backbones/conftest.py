"""Networks with random weights, saved as a user's files would be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.backbones import BACKBONES, BackboneSpec
from core.backbones.vision import import_torchvision

TORCHVISION = [spec for spec in BACKBONES.values() if spec.source == "torchvision"]
Save = Callable[..., Path]


def random_network(name: str, seed: int = 0, **options: Any) -> torch.nn.Module:
    """A torchvision network whose batch norms have seen something, so that no layer is the identity."""
    torch.manual_seed(seed)
    network = import_torchvision().models.get_model(BACKBONES[name].architecture, weights=None, **options)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return network.eval()


def pictures(spec: BackboneSpec, count: int = 3) -> np.ndarray:
    """Random pixels of the size a network takes."""
    size = spec.preprocessing.crop
    return np.random.default_rng(5).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def normalised(spec: BackboneSpec, pixels: np.ndarray) -> torch.Tensor:
    """The same pixels as the textbook prepares them."""
    values = (pixels / 255.0 - np.array(spec.preprocessing.mean)) / np.array(spec.preprocessing.std)
    return torch.from_numpy(values.transpose(0, 3, 1, 2)).float()


def unit(vectors: torch.Tensor) -> np.ndarray:
    """Rows of length one."""
    flat = vectors.detach().flatten(1)
    return (flat / flat.norm(dim=1, keepdim=True)).numpy()


@pytest.fixture
def weights_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is looked into first."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("LIKENESS_WEIGHTS", str(folder))
    return folder


@pytest.fixture
def save(weights_dir: Path) -> Save:
    """Write a state dict as ``.pth`` or ``.safetensors``."""

    def write(name: str, state: Any, folder: Path = weights_dir) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        if path.suffix == ".safetensors":
            from safetensors.torch import save_file

            save_file({key: value.contiguous().clone() for key, value in state.items()}, path)
        else:
            torch.save(state, path)
        return path

    return write


@pytest.fixture(scope="session")
def squeezenet_state() -> dict[str, torch.Tensor]:
    """The smallest network's tensors."""
    return random_network("squeezenet1_1").state_dict()
