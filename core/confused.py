"""Which classes a model takes for each other, over all classes: the confusion matrix of what queries retrieve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluate import Evaluation
from core.vectors import class_codes


@dataclass(frozen=True)
class ConfusedPair:
    """Two classes that come back for each other.

    Attributes:
        a, b: their names; ``a`` is the one whose queries go wrong more often.
        a_as_b: how many images of ``b`` were retrieved for queries of ``a``.
        b_as_a: the other way round.
    """

    a: str
    b: str
    a_as_b: int
    b_as_a: int

    @property
    def count(self) -> int:
        """Wrong images between the two."""
        return self.a_as_b + self.b_as_a


def confusion_counts(evaluation: Evaluation, model: str, k: int = 5) -> NDArray[np.intp]:
    """How many images of each class the queries of each class retrieve, ``(C, C)``: rows ask, columns come back.

    Args:
        evaluation: of the model; classes are numbered as in its dataset.
        model: its name.
        k: how many images a query retrieves, 1 to 20; fewer where the gallery has fewer.
    """
    dataset, results = evaluation.dataset, evaluation.models[model].results
    candidates = class_codes(dataset)[evaluation.protocol.candidates(dataset)]
    found = results.nearest[:, :k]
    asked = np.broadcast_to(results.codes[:, None], found.shape)
    counts = np.zeros((len(dataset.classes),) * 2, np.intp)
    np.add.at(counts, (asked[found >= 0], candidates[found[found >= 0]]), 1)
    return counts


def confused_pairs(evaluation: Evaluation, model: str, k: int = 5) -> list[ConfusedPair]:
    """The pairs of classes that come back for each other, those with most wrong images first; arguments as above.

    Of equals, the order of the names decides.
    """
    counts, classes = confusion_counts(evaluation, model, k), evaluation.dataset.classes
    both = np.triu(counts + counts.T, 1)
    pairs = []
    for first, second in np.argwhere(both).tolist():
        a, b = (first, second) if counts[first, second] >= counts[second, first] else (second, first)
        pairs.append(ConfusedPair(classes[a], classes[b], int(counts[a, b]), int(counts[b, a])))
    return sorted(pairs, key=lambda pair: -pair.count)
