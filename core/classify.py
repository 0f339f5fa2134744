"""What is in a picture, of ImageNet's 1,000 classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.backbones import CLASSIFIERS, Backbone, weights
from core.backbones.classifiers import class_names, has_head
from core.errors import LikenessError
from core.records import Dataset
from core.store import EmbeddingStore
from core.vectors import stored_vectors


@dataclass(frozen=True)
class ClassLabel:
    """A class of ImageNet: its place among the 1,000, its name, and how probable the classifier holds it."""

    index: int
    name: str
    probability: float


def classifiers() -> Iterator[Backbone]:
    """The classifiers whose weights are on this machine, best first; files that are damaged or headless are not."""
    for spec in CLASSIFIERS.values():
        try:
            file = weights.find(spec)
            if file is not None and has_head(spec, file):
                yield Backbone(spec, file)
        except LikenessError:
            continue  # damaged: `python -m core models` tells


def default_classifier() -> Backbone | None:
    """The best classifier whose weights are on this machine, or None."""
    return next(classifiers(), None)


def probabilities(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Class probabilities, float32 ``(n, 1000)``, of a classifier's vectors of the same shape."""
    return np.square(vectors)


def stored_probabilities(dataset: Dataset, classifier: Backbone, store: EmbeddingStore) -> NDArray[np.float32]:
    """Class probabilities of every row of a dataset, float32 ``(n, 1000)``.

    Raises:
        LikenessError: some are missing; the message says which command computes them.
    """
    return probabilities(stored_vectors(dataset, classifier, store))


def top_labels(vector: NDArray[np.float32], k: int = 3) -> tuple[ClassLabel, ...]:
    """The ``k`` most probable classes of an image, best first, from its classifier's vector, ``(1000,)``."""
    chances = probabilities(vector)
    order = np.argsort(-chances, kind="stable")[:k]
    return tuple(ClassLabel(int(i), class_names()[i], float(chances[i])) for i in order)
