"""All that a report shows, computed or taken from the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core import drill_down
from core.answer import Answer, answer, check_splits
from core.backbones import Backbone
from core.duplicates import Duplicates, find_duplicates
from core.evaluate import HEADLINE, Evaluation, Protocol, evaluate
from core.label_suspects import Suspect, label_suspects
from core.leaks import without_leaks
from core.models import Model
from core.neighbours import nearest_neighbours
from core.pair_errors import PairList, find_pair_errors
from core.per_class import CLASS_METRICS, ClassTable, class_table
from core.progress import Progress, silent
from core.projection import FEWEST, Projection, project
from core.records import Dataset
from core.reliability import Quality, quality
from core.store import EmbeddingStore
from core.thresholds import Objective

_PAIRS, _QUERIES = 8, 8


@dataclass(frozen=True)
class Findings:
    """What is said of the chosen model, and of all models, on a dataset.

    Attributes:
        answer: the answer in short, with the evaluations it is drawn from.
        classes: the headline metric of every class and model on test.
        quality: how well the chosen model's probabilities fit test pairs.
        matches, misses: its worst false matches and false non-matches on test.
        worst: the worst query of each class, those that find least first; only queries that go wrong.
        network: the one whose vectors the map, duplicates and suspects are made from.
        duplicates: exact and near.
        suspects: images whose label looks wrong.
        map: None where there are too few images for one.
    """

    answer: Answer
    classes: ClassTable
    quality: Quality
    matches: PairList
    misses: PairList
    worst: tuple[drill_down.Answer, ...]
    network: Backbone
    duplicates: Duplicates
    suspects: tuple[Suspect, ...]
    map: Projection | None


def gather(
    dataset: Dataset, models: Sequence[Model], store: EmbeddingStore, objective: Objective,
    base_rate: float | None = None, method: str = "isotonic", progress: Progress = silent,
) -> Findings:  # fmt: skip
    """Compute what a report shows; what was computed before is taken from the store.

    Args:
        dataset: the images.
        models: that have embedded them.
        store: holds the vectors and the results.
        objective: what the threshold is to be good at.
        base_rate: share of same-class pairs where it will be used; None for that of validation.
        method: of :data:`core.calibration.METHODS`.
        progress: told of each stage.

    Raises:
        LikenessError: a split is empty or makes no pairs of one kind, vectors are missing, or no threshold serves the
            objective.
    """
    check_splits(dataset)
    val, test = (evaluate(dataset, models, store, Protocol(split), progress) for split in ("val", "test"))
    found = answer(val, test, objective, base_rate, method)  # before what takes long, as this may fail
    network = found.result.backbone.networks[0]
    duplicates = find_duplicates(dataset, store, network, progress)
    suspects = label_suspects(dataset, nearest_neighbours(dataset, network, store, progress))
    found = replace(found, leaks=without_leaks(test, duplicates), suspects=len(suspects))
    matches, misses = find_pair_errors(found.test_pairs, store).at(found.threshold.threshold, _PAIRS)
    return Findings(
        answer=found,
        classes=class_table(test, CLASS_METRICS[HEADLINE], store),
        quality=quality(found.threshold.calibration, found.test_pairs.verification, found.threshold.base_rate),
        matches=matches,
        misses=misses,
        worst=worst_queries(test, found.model),
        network=network,
        duplicates=duplicates,
        suspects=tuple(suspects),
        map=project(dataset, network, store, progress=progress) if len(dataset) >= FEWEST else None,
    )


def worst_queries(evaluation: Evaluation, model: str, most: int = _QUERIES) -> tuple[drill_down.Answer, ...]:
    """The worst query of each class, at most so many; those that find least first, and none that only finds its own."""
    each = (drill_down.worst_queries(evaluation, model, label, count=1) for label in evaluation.dataset.classes)
    wrong = [query for found in each for query in found if query.precision < 1]
    return tuple(sorted(wrong, key=lambda query: (query.precision, -query.first_rank))[:most])
