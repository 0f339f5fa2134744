"""The most similar images of a dataset, from several models side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.backbones import Backbone, Runner
from core.embed import embed_picture
from core.images import content_id
from core.index import SimilarityIndex
from core.records import Dataset
from core.store import EmbeddingStore


@dataclass(frozen=True)
class Hit:
    """A retrieved image: its row in the dataset, and its similarity (higher is more alike)."""

    row: int
    score: float


@dataclass(frozen=True)
class Filters:
    """Which images may be found; None means all."""

    label: str | None = None
    split: str | None = None


def load_runner(backbone: Backbone) -> Runner:
    """Load a network anew."""
    return backbone.load()


@dataclass
class Searcher:
    """Search one dataset with one model.

    Attributes:
        load: loads the network; a dashboard passes one that keeps it for the next query.
    """

    dataset: Dataset
    backbone: Backbone
    index: SimilarityIndex
    load: Callable[[Backbone], Runner] = field(default=load_runner)

    @classmethod
    def open(
        cls,
        dataset: Dataset,
        backbone: Backbone,
        store: EmbeddingStore,
        load: Callable[[Backbone], Runner] = load_runner,
    ) -> Searcher:
        """A searcher over what the store holds for this model.

        Raises:
            LikenessError: nothing is stored for this model.
        """
        return cls(dataset, backbone, SimilarityIndex.open(store, backbone.fingerprint), load)

    def by_image(self, data: bytes, k: int = 5, filters: Filters = Filters()) -> list[Hit]:
        """The ``k`` images most similar to an image file, best first; the file itself is never among them.

        Raises:
            UnreadableImage: the file is no usable image.
        """
        key = content_id(data)
        vector = self.index.vector(key)
        if vector is None:
            loaded = {self.backbone.name: (self.backbone.spec.preprocessing, self.load(self.backbone))}
            vector = embed_picture(data, loaded)[self.backbone.name]
        return self.by_vector(vector, k, filters, exclude=key)

    def by_vector(self, vector: NDArray[np.float32], k: int, filters: Filters, exclude: str | None = None) -> list[Hit]:
        """The ``k`` images most similar to a unit vector, float32 ``(dim,)``, best first."""
        ids = self.dataset.ids[self.dataset.rows(filters.split, filters.label)]
        keys, scores = self.index.search(vector, k, ids[ids != exclude] if exclude else ids)
        return [Hit(self.dataset.row_of[key], float(s)) for key, s in zip(keys.tolist(), scores, strict=True)]
