"""The images behind a class's number: what comes back instead, the worst queries, where two models disagree.

Everything is in rows of the evaluation's dataset.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError
from core.evaluate import Evaluation
from core.metrics import CUTOFFS, QueryResults


@dataclass(frozen=True)
class Answer:
    """What one query found.

    Attributes:
        row: row of the query.
        found: rows of the most similar images, best first.
        precision: share of the first k that have the query's class; k counts also where fewer were found.
        first_rank: rank of the first image of its class in the whole gallery, from 1.
    """

    row: int
    found: list[int]
    precision: float
    first_rank: int


@dataclass(frozen=True)
class Confusion:
    """A class that comes back instead of the one asked for.

    Attributes:
        label: its name.
        count: how many of the retrieved images have it.
        share: that, of all images retrieved.
        queries: how many queries retrieved at least one of them.
    """

    label: str
    count: int
    share: float
    queries: int


@dataclass(frozen=True)
class Disagreement:
    """A query whose nearest image is right for one model and wrong for another: three rows."""

    row: int
    right: int
    wrong: int


def confusions(evaluation: Evaluation, model: str, label: str, k: int = 5) -> list[Confusion]:
    """The wrong classes among the ``k`` most similar images of a class's queries, most frequent first.

    Classes that come back equally often keep the order of their names. Raises as :func:`worst_queries`.
    """
    results = _results(evaluation, model)
    found = _rows(evaluation, results)[_queries(evaluation, results, label), : _cutoff(k)]
    labels = np.where(found < 0, label, evaluation.dataset.labels[found])
    names, places, counts = np.unique(labels, return_inverse=True, return_counts=True)
    asked = [len(np.unique(np.nonzero(places.reshape(labels.shape) == i)[0])) for i in range(len(names))]
    retrieved = np.count_nonzero(found >= 0)
    wrong = [
        Confusion(str(name), int(count), float(count / retrieved), queries)
        for name, count, queries in zip(names, counts, asked, strict=True)
        if name != label
    ]
    return sorted(wrong, key=lambda confusion: -confusion.count)


def worst_queries(evaluation: Evaluation, model: str, label: str, k: int = 5, count: int = 20) -> list[Answer]:
    """A class's queries with the least P@k, worst first; of equals, those whose first right image ranks deepest.

    Args:
        evaluation: of the model.
        model: its name.
        label: name of the class.
        k: how many images a query retrieves, 1 to 20.
        count: how many queries at most.

    Raises:
        LikenessError: the model is not in the evaluation, or the class not in the dataset.
        ValueError: ``k`` is out of range.
    """
    results = _results(evaluation, model)
    places = _queries(evaluation, results, label)
    precision, reciprocal = results.precision[places, _cutoff(k) - 1], results.reciprocal_rank[places]
    worst = places[np.lexsort((places, reciprocal, precision))][:count]
    asked, found = _asked(evaluation, results), _rows(evaluation, results)[:, :k]
    return [
        Answer(
            int(asked[place]),
            found[place][found[place] >= 0].tolist(),
            float(results.precision[place, k - 1]),
            round(1 / float(results.reciprocal_rank[place])),
        )
        for place in worst
    ]


def disagreements(evaluation: Evaluation, right: str, wrong: str, label: str | None = None) -> list[Disagreement]:
    """The queries, of one class or of all, whose nearest image has their class for one model and not for the other.

    Those come first for which the wrong model has to search deepest. Raises as :func:`worst_queries`.
    """
    winner, loser = _results(evaluation, right), _results(evaluation, wrong)
    places = np.arange(len(winner)) if label is None else _queries(evaluation, winner, label)
    places = places[winner.hit_at_1[places] > loser.hit_at_1[places]]
    places = places[np.lexsort((places, loser.reciprocal_rank[places]))]
    columns = (_asked(evaluation, winner), _rows(evaluation, winner)[:, 0], _rows(evaluation, loser)[:, 0])
    return [Disagreement(*row) for row in np.stack(columns, axis=1)[places].tolist()]


def _results(evaluation: Evaluation, model: str) -> QueryResults:
    if model not in evaluation.models:
        raise LikenessError(f"{model} was not evaluated: choose one of {', '.join(evaluation.models)}.")
    return evaluation.models[model].results


def _queries(evaluation: Evaluation, results: QueryResults, label: str) -> NDArray[np.intp]:
    """Places of a class's counted queries among the counted queries, ascending."""
    classes = list(evaluation.dataset.classes)
    if label not in classes:
        raise LikenessError(f"{evaluation.dataset.title} has no class {label!r}: choose one of its {len(classes)}.")
    return np.flatnonzero(results.codes == classes.index(label))


def _asked(evaluation: Evaluation, results: QueryResults) -> NDArray[np.intp]:
    """Row of each counted query, shape ``(c,)``."""
    return evaluation.protocol.queries(evaluation.dataset)[results.index]


def _rows(evaluation: Evaluation, results: QueryResults) -> NDArray[np.intp]:
    """Rows of the images that each counted query found, nearest first, -1 past the end, shape ``(c, 20)``."""
    candidates = evaluation.protocol.candidates(evaluation.dataset)
    return np.where(results.nearest < 0, -1, candidates[results.nearest])


def _cutoff(k: int) -> int:
    if not 1 <= k <= CUTOFFS:
        raise ValueError(f"k must be between 1 and {CUTOFFS}, not {k}")
    return k
