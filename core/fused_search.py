"""The most similar images of a dataset by the score of a fusion: every image of the dataset is scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.backbones import Backbone, Runner
from core.classify import probabilities, stored_probabilities
from core.embed import embed_picture
from core.fusion import Fusion
from core.images import content_id
from core.metrics.grid import to_bins
from core.models import Model, networks
from core.records import Dataset
from core.search import Filters, Hit, Searcher, load_runner
from core.store import EmbeddingStore
from core.vectors import stored_vectors

_ANYTHING = Filters()


@dataclass(frozen=True)
class FusedSearcher:
    """Search one dataset with one fusion.

    Attributes:
        vectors: of every row of the dataset by model, float32 ``(n, dim)``.
        groups: code of the most probable group of every row, ``(n,)``; None where labels have no part.
        load: loads a network.
    """

    dataset: Dataset
    fusion: Fusion
    store: EmbeddingStore
    vectors: dict[str, NDArray[np.float32]]
    groups: NDArray[np.intp] | None
    load: Callable[[Backbone], Runner]

    @classmethod
    def open(
        cls, dataset: Dataset, fusion: Fusion, store: EmbeddingStore, load: Callable[[Backbone], Runner]
    ) -> FusedSearcher:
        """A searcher over what the store holds.

        Raises:
            LikenessError: a model lacks vectors of the dataset.
        """
        vectors = {one.backbone.name: stored_vectors(dataset, one.backbone, store) for one in fusion.components}
        groups = None
        if fusion.labels:
            said = stored_probabilities(dataset, fusion.labels.classifier, store)
            groups = fusion.labels.groups.codes(said)
        return cls(dataset, fusion, store, vectors, groups, load)

    def by_image(self, data: bytes, k: int = 5, filters: Filters = _ANYTHING) -> list[Hit]:
        """The ``k`` images most similar to an image file, best first; the file itself is never among them.

        Raises:
            UnreadableImage: the file is no usable image.
        """
        key = content_id(data)
        scores = self.scores(self._looked_at(data, key))
        rows = self.dataset.rows(filters.split, filters.label)
        rows = rows[self.dataset.ids[rows] != key]
        best = rows[np.lexsort((rows, -scores[rows]))[:k]]
        return [Hit(int(row), float(scores[row])) for row in best]

    def scores(self, query: dict[str, NDArray[np.float32]]) -> NDArray[np.float64]:
        """The score of every row, ``(n,)``, for an image's vectors by network name."""
        parts = [part.table[to_bins(self.vectors[part.backbone.name] @ query[part.backbone.name])]
                 for part in self.fusion.components]  # fmt: skip
        if self.fusion.labels and self.groups is not None:
            said = probabilities(query[self.fusion.labels.classifier.name])[None]
            same = self.groups == self.fusion.labels.groups.codes(said)[0]
            parts.append(same * np.float32(self.fusion.labels.weight))
        return np.asarray(sum(part.astype(np.float64) for part in parts))

    def _looked_at(self, data: bytes, key: str) -> dict[str, NDArray[np.float32]]:
        """The image's vector of every network: stored ones where it is in the dataset."""
        row = self.dataset.row_of.get(key)
        known = {} if row is None else {name: values[row] for name, values in self.vectors.items()}
        missing = [network for network in networks(self.fusion) if network.name not in known]
        loaded = {network.name: (network.spec.preprocessing, self.load(network)) for network in missing}
        return known | (embed_picture(data, loaded) if loaded else {})


def searcher_of(
    dataset: Dataset, model: Model, store: EmbeddingStore, load: Callable[[Backbone], Runner] = load_runner
) -> Searcher | FusedSearcher:
    """Search a dataset with any model.

    Raises:
        LikenessError: nothing is stored for it.
    """
    if isinstance(model, Fusion):
        return FusedSearcher.open(dataset, model, store, load)
    return Searcher.open(dataset, model, store, load)
