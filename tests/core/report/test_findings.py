"""What a report shows is what the parts it is made of say."""

from __future__ import annotations

import pytest

from core import drill_down
from core.errors import LikenessError
from core.label_suspects import label_suspects
from core.leaks import without_leaks
from core.neighbours import nearest_neighbours
from core.report.data import class_counts, skipped_groups
from core.report.findings import gather, worst_queries
from core.thresholds import Objective
from tests.core.report.conftest import Made
from tests.evaluations import evaluated


def test_it_takes_the_duplicates_and_the_suspects_of_the_chosen_model(made: Made) -> None:
    found, answer = made.found, made.found.answer
    assert found.duplicates.model == found.network.name
    assert answer.leaks == without_leaks(answer.test, found.duplicates)
    assert list(found.suspects) == label_suspects(
        answer.dataset, nearest_neighbours(answer.dataset, found.network, made.store)
    )
    assert answer.suspects == len(found.suspects)


def test_errors_lie_on_the_wrong_side_of_the_threshold(made: Made) -> None:
    found = made.found
    threshold, labels = found.answer.threshold.threshold, found.answer.dataset.labels
    assert (found.matches.scores >= threshold).all()
    assert (found.misses.scores < threshold).all()
    assert all(labels[a] != labels[b] for a, b in found.matches.rows)
    assert all(labels[a] == labels[b] for a, b in found.misses.rows)


def test_the_worst_query_of_each_class_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluation = evaluated(monkeypatch, {"a": (9, 6), "b": (6, 5), "c": (7, 4)}, {"vague": 2.0, "sharp": 0.0})
    found = worst_queries(evaluation, "vague")
    assert [query.precision for query in found] == sorted(query.precision for query in found)
    labels = [str(evaluation.dataset.labels[query.row]) for query in found]
    assert len(set(labels)) == len(labels)
    for label, query in zip(labels, found, strict=True):
        assert query == drill_down.worst_queries(evaluation, "vague", label)[0]
    assert worst_queries(evaluation, "vague", most=1) == found[:1]
    assert worst_queries(evaluation, "sharp") == ()


def test_an_objective_that_cannot_be_served_is_refused(made: Made) -> None:
    answer = made.found.answer
    models = [one.backbone for one in answer.test.models.values()]
    train = answer.dataset.take(answer.dataset.rows("train"))
    with pytest.raises(LikenessError, match="no images in val and test"):
        gather(train, models, made.store, Objective("f1"))


def test_classes_are_counted_by_split(made: Made) -> None:
    dataset = made.found.answer.dataset
    for one in class_counts(dataset):
        assert one.splits == tuple(len(dataset.rows(split, one.name)) for split in ("train", "val", "test"))
        assert one.images == len(dataset.rows(label=one.name))
    sizes = [one.images for one in class_counts(dataset)]
    assert sizes == sorted(sizes, reverse=True)


def test_skipped_files_are_all_in_a_group(made: Made) -> None:
    skipped = made.found.answer.dataset.skipped
    assert sum(group.count for group in skipped_groups(skipped)) == len(skipped) == 2
