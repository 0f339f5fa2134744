"""A dataset as arrays: the rows of a split, the numbers of the classes, the stored vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.backbones import Backbone, available
from core.errors import LikenessError
from core.records import SPLITS, Dataset
from core.store import EmbeddingStore


def split_rows(dataset: Dataset, split: str) -> NDArray[np.intp]:
    """The rows of a split, or of the whole dataset for ``all``, ascending.

    Raises:
        LikenessError: there are none.
    """
    rows = dataset.rows(None if split == "all" else split)
    if not len(rows):
        counts = ", ".join(f"{name} {len(dataset.rows(name)):,}" for name in SPLITS)
        raise LikenessError(f"{dataset.title} has no images in {split!r} ({counts}). Name another split.")
    return rows


def class_codes(dataset: Dataset) -> NDArray[np.intp]:
    """The place of each row's class in ``dataset.classes``, ``(n,)``."""
    return np.searchsorted(np.array(dataset.classes), dataset.labels)


def embedded(dataset: Dataset, store: EmbeddingStore) -> list[Backbone]:
    """Available models that have embedded every image of a dataset."""
    wanted = set(dataset.ids.tolist())
    return [backbone for backbone in available().values() if wanted <= store.keys(backbone.fingerprint)]


def stored_vectors(dataset: Dataset, backbone: Backbone, store: EmbeddingStore) -> NDArray[np.float32]:
    """The vectors of every row of a dataset, float32 ``(n, dim)``.

    Raises:
        LikenessError: some are missing; the message says which command computes them.
    """
    vectors = store.load(backbone.fingerprint)
    rows = vectors.rows(dataset.ids)
    if missing := int((rows < 0).sum()):
        raise LikenessError(
            f"{backbone.name} has not embedded {missing:,} of the {len(dataset):,} images of {dataset.title}. "
            f"Run: python -m core embed --dataset {dataset.ref} --models {backbone.name}"
        )
    return vectors.values[rows]
