"""How a model scores pairs of a dataset's images."""

from __future__ import annotations

from core.backbones import Backbone
from core.metrics.scorer import Cosine, Scorer
from core.records import Dataset
from core.store import EmbeddingStore
from core.vectors import stored_vectors


def scorer_of(dataset: Dataset, model: Backbone, store: EmbeddingStore) -> Scorer:
    """Scores of pairs of rows of a dataset.

    Raises:
        LikenessError: vectors are missing; the message says which command computes them.
    """
    return Cosine(stored_vectors(dataset, model, store))
