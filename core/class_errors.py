"""Errors of pairs class by class: the values of images whose means over a class are its recall and its equal error.

As values of images they have intervals and paired differences like those of queries; see
:mod:`core.metrics.item_errors`. Images of other classes are taken as they are.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from core.metrics.grid import DECIMALS
from core.metrics.item_errors import item_errors
from core.metrics.verification import Verification
from core.scorers import scorer_of
from core.store import EmbeddingStore
from core.vectors import class_codes
from core.verify import SplitPairs, pairs_key

_SCHEMA = 1
Array = NDArray[np.float64]


@dataclass(frozen=True)
class ClassErrors:
    """Values of the ``n`` images of a split, NaN for the only image of a class; a single one may leave [0, 1].

    Attributes:
        codes: class of each image as its place in ``dataset.classes``, ``(n,)``.
        recall: the mean over a class is the share of its pairs that are called the same, ``(n,)``.
        eer: the mean over a class is (FMR + FNMR) / 2 at its own threshold where the two are closest, ``(n,)``.
    """

    codes: NDArray[np.intp]
    recall: Array
    eer: Array


def class_errors(pairs: SplitPairs, threshold: float, store: EmbeddingStore) -> ClassErrors:
    """Count the errors of every image of a split; computed once and kept in the store.

    Args:
        pairs: of the split.
        threshold: a point of :mod:`core.metrics.grid`, for the recall.
        store: holds the vectors.

    Raises:
        LikenessError: vectors are missing.
    """
    key = _key(pairs, threshold)
    found = _read(store, key)
    if found is None:
        found = _count(pairs, threshold, store)
        store.write_arrays("class_errors", key, {f.name: getattr(found, f.name) for f in fields(found)})
    return found


def eer_thresholds(pairs: Verification) -> Array:
    """Where FMR and FNMR of each class are closest, of ``pairs.levels`` the lowest such, ``(c,)``.

    FNMR is over pairs within the class, FMR over pairs of one of its images with one of another class. A class without
    either kind has the lowest level.
    """
    counts = pairs.scores.class_pairs.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        below = np.cumsum(counts, axis=2)[:, :, :-1] / counts.sum(axis=2, keepdims=True)
    fnmr, fmr = below[0], 1 - below[1]
    return np.asarray(pairs.levels[np.abs(fmr - fnmr).argmin(axis=1)])


def _count(pairs: SplitPairs, threshold: float, store: EmbeddingStore) -> ClassErrors:
    equal = eer_thresholds(pairs.verification)
    scorer = scorer_of(pairs.dataset.take(pairs.rows), pairs.backbone, store)
    codes = class_codes(pairs.dataset)[pairs.rows]
    errors = item_errors(scorer, codes, np.column_stack([np.full(len(equal), threshold), equal]))
    return ClassErrors(codes, 1 - errors.miss_values(0), (errors.miss_values(1) + errors.match_values(1)) / 2)


def _key(pairs: SplitPairs, threshold: float) -> str:
    content = f"{_SCHEMA} {pairs_key(pairs.dataset, pairs.backbone, pairs.rows)} {threshold:.{DECIMALS}f}"
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _read(store: EmbeddingStore, key: str) -> ClassErrors | None:
    arrays = store.read_arrays("class_errors", key)
    if arrays is None or set(arrays) != {f.name for f in fields(ClassErrors)}:
        return None
    return ClassErrors(**arrays)
