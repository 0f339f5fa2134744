"""The most similar images of a dataset by a score that no index knows, a fusion's or a pair head's: all are scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.backbones import Backbone, Runner, Vectors
from core.classify import probabilities, stored_probabilities
from core.embed import embed_picture
from core.fusion import Fusion
from core.images import content_id
from core.metrics.grid import to_bins
from core.models import Model
from core.records import Dataset
from core.search import Filters, Hit, Searcher, load_runner
from core.siamese import Siamese
from core.store import EmbeddingStore
from core.vectors import stored_vectors

_ANYTHING = Filters()
# The scores of every row of a dataset, float64 ``(n,)``, for an image's vectors.
_Scores = Callable[[Vectors], NDArray[np.float64]]


@dataclass(frozen=True)
class FullSearcher:
    """Search one dataset by scoring every image of it.

    Attributes:
        networks: what has to be run on an image.
        vectors: of every row of the dataset by network, float32 ``(n, dim)``; not those of a classifier.
        scores: of every row, ``(n,)``, for an image's vectors by network name.
        load: loads a network.
    """

    dataset: Dataset
    networks: tuple[Backbone, ...]
    vectors: dict[str, NDArray[np.float32]]
    scores: _Scores
    load: Callable[[Backbone], Runner]

    @classmethod
    def open(
        cls, dataset: Dataset, model: Fusion | Siamese, store: EmbeddingStore, load: Callable[[Backbone], Runner]
    ) -> FullSearcher:
        """A searcher over what the store holds.

        Raises:
            LikenessError: a network lacks vectors of the dataset, or a pair head cannot be read.
        """
        parts = model.networks if isinstance(model, Siamese) else [part.backbone for part in model.components]
        vectors = {one.name: stored_vectors(dataset, one, store) for one in parts}
        if isinstance(model, Siamese):
            scores = _by_head(model, vectors[model.encoder.name])
        else:
            scores = _by_fusion(model, vectors, dataset, store)
        return cls(dataset, model.networks, vectors, scores, load)

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

    def _looked_at(self, data: bytes, key: str) -> dict[str, NDArray[np.float32]]:
        """The image's vector of every network: stored ones where it is in the dataset."""
        row = self.dataset.row_of.get(key)
        known = {} if row is None else {name: values[row] for name, values in self.vectors.items()}
        missing = [network for network in self.networks if network.name not in known]
        loaded = {network.name: (network.spec.preprocessing, self.load(network)) for network in missing}
        return known | (embed_picture(data, loaded) if loaded else {})


def _by_head(model: Siamese, vectors: NDArray[np.float32]) -> _Scores:
    head, name = model.head, model.encoder.name
    return lambda query: head.against(query[name], vectors).astype(np.float64)


def _by_fusion(
    fusion: Fusion, vectors: dict[str, NDArray[np.float32]], dataset: Dataset, store: EmbeddingStore
) -> _Scores:
    labels = fusion.labels
    groups = labels and labels.groups.codes(stored_probabilities(dataset, labels.classifier, store))

    def scores(query: Vectors) -> NDArray[np.float64]:
        parts = [part.table[to_bins(vectors[part.backbone.name] @ query[part.backbone.name])]
                 for part in fusion.components]  # fmt: skip
        if labels is not None:
            said = probabilities(query[labels.classifier.name])[None]
            parts.append((groups == labels.groups.codes(said)[0]) * np.float32(labels.weight))
        return np.asarray(sum(part.astype(np.float64) for part in parts))

    return scores


def searcher_of(
    dataset: Dataset, model: Model, store: EmbeddingStore, load: Callable[[Backbone], Runner] = load_runner
) -> Searcher | FullSearcher:
    """Search a dataset with any model.

    Raises:
        LikenessError: nothing is stored for it.
    """
    if isinstance(model, Backbone):
        return Searcher.open(dataset, model, store, load)
    return FullSearcher.open(dataset, model, store, load)
