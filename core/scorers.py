"""How a model scores pairs of a dataset's images: by the cosine, by a fusion's weighted sum, or by a pair head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.backbones import Backbone
from core.classify import stored_probabilities
from core.label_groups import group_vectors
from core.metrics.grid import to_bins
from core.metrics.scorer import Blocks, Cosine, Items, Scorer
from core.models import Model
from core.records import Dataset
from core.siamese import PairHead, Siamese
from core.store import EmbeddingStore
from core.vectors import stored_vectors

Table = NDArray[np.float32]


class WeightedSum:
    """Scores of several scorers over the same items, each looked up in a table by its bin of the grid, and added.

    Args:
        parts: scorers, each with a table float32 ``(BINS,)``; their sum must stay within [-1, 1].
    """

    def __init__(self, parts: Sequence[tuple[Scorer, Table]]) -> None:
        self._parts = tuple(parts)

    def __len__(self) -> int:
        return len(self._parts[0][0])

    def blocks(self, rows: Items, columns: Items) -> Blocks:
        """See :class:`core.metrics.scorer.Scorer`."""
        parts = [(scorer.blocks(rows, columns), table) for scorer, table in self._parts]

        def block(part: slice | Items, start: int = 0) -> NDArray[np.float32]:
            blocks = ((of(part, start), table) for of, table in parts)
            return np.asarray(sum(table[to_bins(scores)] for scores, table in blocks), np.float32)

        return block

    def originals(self, items: Items) -> Items:
        """See :class:`core.metrics.scorer.Scorer`; equal items are equal in every part."""
        parts = np.stack([scorer.originals(items) for scorer, _ in self._parts])
        _, first, kind = np.unique(parts, axis=1, return_index=True, return_inverse=True)
        return np.asarray(first[kind])

    def pairs(self, a: Items, b: Items) -> NDArray[np.float64]:
        """See :class:`core.metrics.scorer.Scorer`."""
        tables = (table[to_bins(scorer.pairs(a, b))] for scorer, table in self._parts)
        return np.asarray(sum(table.astype(np.float64) for table in tables))


class HeadScores:
    """What a pair head says of L2-normalised vectors.

    Args:
        encoded: the vectors, as the encoder's own scorer holds them.
        head: scores them.
    """

    def __init__(self, encoded: Cosine, head: PairHead) -> None:
        self._encoded = encoded
        self._head = head

    def __len__(self) -> int:
        return len(self._encoded)

    def blocks(self, rows: Items, columns: Items) -> Blocks:
        """See :class:`core.metrics.scorer.Scorer`."""
        left, right = self._encoded.vectors[rows], self._encoded.vectors[columns]

        def block(part: slice | Items, start: int = 0) -> NDArray[np.float32]:
            asked, others = left[part], right[start:]
            scores = np.empty((len(asked), len(others)), np.float32)
            for row, vector in enumerate(asked):
                scores[row] = self._head.against(vector, others)
            return scores

        return block

    def originals(self, items: Items) -> Items:
        """See :class:`core.metrics.scorer.Scorer`; equal vectors score equally."""
        return self._encoded.originals(items)

    def pairs(self, a: Items, b: Items) -> NDArray[np.float64]:
        """See :class:`core.metrics.scorer.Scorer`."""
        vectors, parts = self._encoded.vectors, range(0, len(a), _PAIRS_AT_ONCE)
        found = [self._head(vectors[a[i : i + _PAIRS_AT_ONCE]], vectors[b[i : i + _PAIRS_AT_ONCE]]) for i in parts]
        return np.concatenate(found) if found else np.empty(0)


_PAIRS_AT_ONCE = 256


def scorer_of(dataset: Dataset, model: Model, store: EmbeddingStore) -> Scorer:
    """Scores of pairs of rows of a dataset.

    Raises:
        LikenessError: vectors are missing, and the message says which command computes them; or a pair head cannot be
            read.
    """
    if isinstance(model, Backbone):
        return Cosine(stored_vectors(dataset, model, store))
    if isinstance(model, Siamese):
        return HeadScores(Cosine(stored_vectors(dataset, model.encoder, store)), model.head)
    parts: list[tuple[Scorer, Table]] = [
        (Cosine(stored_vectors(dataset, part.backbone, store)), part.table) for part in model.components
    ]
    if model.labels:
        said = stored_probabilities(dataset, model.labels.classifier, store)
        # The cosine of two labels is 0 or 1, so this table weighs it.
        table = np.linspace(-1, 1, len(parts[0][1])).clip(0).astype(np.float32) * np.float32(model.labels.weight)
        parts.append((Cosine(group_vectors(model.labels.groups, said)), table))
    return WeightedSum(parts)
