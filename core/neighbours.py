"""Which images of a dataset are most alike, of all of them: what maps, suspects and outliers are made from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.backbones import Backbone
from core.errors import LikenessError
from core.index import all_nearest
from core.progress import Progress, silent
from core.records import Dataset
from core.store import EmbeddingStore
from core.vectors import stored_vectors

MOST = 50
_SCHEMA = 1
_KIND = "neighbours"


@dataclass(frozen=True)
class Neighbours:
    """The nearest images of every row of a dataset, whatever their split.

    Attributes:
        rows: dataset rows, most similar first, never the image itself, int32 ``(n, k)``.
        scores: their cosine similarities, float32 ``(n, k)``.
    """

    rows: NDArray[np.int32]
    scores: NDArray[np.float32]


def nearest_neighbours(
    dataset: Dataset, backbone: Backbone, store: EmbeddingStore, progress: Progress = silent
) -> Neighbours:
    """The 50 nearest images of every image, or all others where there are fewer; computed once and kept.

    Raises:
        LikenessError: the model lacks vectors of this dataset, or it has a single image.
    """
    if len(dataset) < 2:
        raise LikenessError(f"{dataset.title} has {len(dataset)} images: neighbours need at least 2. Add images.")
    found = kept_neighbours(dataset, backbone, store)
    if found is None:
        rows, scores = all_nearest(stored_vectors(dataset, backbone, store), min(MOST, len(dataset) - 1), progress)
        store.write_arrays(_KIND, neighbours_key(dataset, backbone), {"rows": rows, "scores": scores})
        found = Neighbours(rows, scores)
    return found


def kept_neighbours(dataset: Dataset, backbone: Backbone, store: EmbeddingStore) -> Neighbours | None:
    """The neighbours that were found before, or None."""
    kept = store.read_arrays(_KIND, neighbours_key(dataset, backbone))
    return Neighbours(**kept) if kept is not None and set(kept) == {"rows", "scores"} else None


def neighbours_key(dataset: Dataset, backbone: Backbone) -> str:
    """Covers all that decides them: the images in their order, and the model. Labels and splits do not."""
    content = f"{_SCHEMA} {backbone.fingerprint} {' '.join(dataset.ids.tolist())}"
    return hashlib.sha256(content.encode()).hexdigest()[:32]
