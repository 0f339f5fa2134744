"""Checkpoints whose weights file holds a random head that scores pairs, and nothing else: networks are fakes."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from core.backbones import Backbone, WeightsFile
from tests.fakes import fake
from tests.workplace import MODEL


def tensors(dim: int, units: int = 6, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Weights that spread scores over all of [0, 1]."""
    random = np.random.default_rng(seed)
    found = {
        "pair_head.0.weight": random.standard_normal((units, 2 * dim)) / np.sqrt(dim),
        "pair_head.0.bias": random.standard_normal(units),
        "pair_head.2.weight": 2 * random.standard_normal((1, units)),
        "pair_head.2.bias": random.standard_normal(1),
    }
    return {name: values.astype(np.float32) for name, values in found.items()}


def checkpoint(folder: Path, name: str, dim: int, base: str = MODEL) -> Path:
    """``name.safetensors`` with a head for vectors of ``dim`` dimensions, and its record."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    save_file(tensors(dim), path)
    record = {"schema": 1, "base": base, "pair_head": True}
    path.with_suffix(".json").write_text(json.dumps(record))
    return path


def encoder(folder: Path, name: str = "tuned", dim: int = 24) -> Backbone:
    """A fake backbone with such a weights file."""
    path = checkpoint(folder, name, dim)
    return Backbone(
        replace(fake(name, dim).spec, pair_head=True), WeightsFile(path, sha256(path.read_bytes()).hexdigest())
    )
