"""Verification of one model on one split: all pairs of its images, counted once and kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from core.metrics.pair_sampling import pair_counts
from core.metrics.pair_scores import PairScores, pair_scores
from core.metrics.verification import Estimate, Verification
from core.models import Model
from core.progress import Progress, silent
from core.records import Dataset
from core.scorers import scorer_of
from core.store import EmbeddingStore
from core.vectors import class_codes, split_rows

_SCHEMA = 2


@dataclass(frozen=True)
class Summary:
    """A number of all pairs that needs no threshold: its heading, and one plain sentence shown as a tooltip."""

    title: str
    definition: str


SUMMARIES = {
    "roc_auc": Summary(
        "ROC AUC",
        "The chance that two queries of one class score higher than two of different classes; 0.5 is guessing.",
    ),
    "eer": Summary(
        "EER", "Equal error rate: at the threshold where both kinds of error are equally frequent. Lower is better."
    ),
}


@dataclass(frozen=True)
class SplitPairs:
    """All pairs of the images of a split, as one model scores them.

    Attributes:
        dataset: where the images are from.
        backbone: the model.
        split: ``train``, ``val``, ``test`` or ``all``.
        rows: rows of the dataset, ascending, ``(n,)``.
        verification: what is known of their pairs; classes are numbered as in ``dataset.classes``.
    """

    dataset: Dataset
    backbone: Model
    split: str
    rows: NDArray[np.intp]
    verification: Verification

    @property
    def summary(self) -> dict[str, Estimate]:
        """The numbers that need no threshold, by the names of :data:`SUMMARIES`."""
        return {"roc_auc": self.verification.roc_auc, "eer": self.verification.eer}


def verify(
    dataset: Dataset, backbone: Model, store: EmbeddingStore, split: str, progress: Progress = silent
) -> SplitPairs:
    """Score all pairs of a split; computed once and kept in the store.

    Raises:
        LikenessError: the split is empty, the model lacks vectors of it, or it holds no pair of one class or of two.
    """
    rows = split_rows(dataset, split)
    key = pairs_key(dataset, backbone, rows)
    scores = _recall(store, key)
    if scores is None:
        scorer = scorer_of(dataset.take(rows), backbone, store)
        stage = f"Comparing all pairs with {backbone.name}"
        scores = pair_scores(scorer, class_codes(dataset)[rows], progress=lambda n, total: progress(stage, n, total))
        store.write_arrays("verifications", key, {f.name: getattr(scores, f.name) for f in fields(scores)})
    return SplitPairs(dataset, backbone, split, rows, Verification(scores))


def has_both_kinds(dataset: Dataset, split: str) -> bool:
    """Whether a split holds a pair of one class and a pair of two."""
    return all(pair_counts(class_codes(dataset)[split_rows(dataset, split)]))


def pairs_key(dataset: Dataset, backbone: Model, rows: NDArray[np.intp]) -> str:
    """Covers all that decides the counts and the draws: images in their order, and their classes' numbers."""
    digest = hashlib.sha256(f"{_SCHEMA} {backbone.fingerprint}\0".encode())
    digest.update(" ".join(dataset.ids[rows].tolist()).encode())
    digest.update(class_codes(dataset)[rows].astype(np.int64).tobytes())
    return digest.hexdigest()[:32]


def _recall(store: EmbeddingStore, key: str) -> PairScores | None:
    arrays = store.read_arrays("verifications", key)
    if arrays is None or set(arrays) != {f.name for f in fields(PairScores)}:
        return None
    return PairScores(**arrays)
