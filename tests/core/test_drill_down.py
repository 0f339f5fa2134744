"""The images behind a number, against plain loops over sorted scores."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from core.drill_down import Confusion, confusions, disagreements, worst_queries
from core.errors import LikenessError
from core.evaluate import Evaluation, Protocol
from core.store import EmbeddingStore
from core.vectors import stored_vectors
from tests.evaluations import evaluated

SIZES = {"ant": (6, 9), "bee": (12, 1), "cat": (20, 0), "dog": (9, 14), "eel": (0, 5)}
PROTOCOLS = [Protocol(), Protocol("all", leave_one_out=True), Protocol("test", "all")]


@pytest.fixture(params=PROTOCOLS, ids=str)
def found(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    """``bee`` has one test image, ``cat`` none, and ``eel`` has none to train on."""
    return evaluated(monkeypatch, SIZES, {"good": 0.9, "poor": 2.0}, request.param)


def rankings(found: Evaluation, model: str) -> dict[int, list[int]]:
    """The whole gallery of each counted query, best first, in rows of the dataset."""
    dataset = found.dataset
    vectors = stored_vectors(dataset, found.models[model].backbone, EmbeddingStore()).astype(np.float64)
    ranked = {}
    for row in found.protocol.queries(dataset).tolist():
        others = [other for other in found.protocol.candidates(dataset).tolist() if other != row]
        if dataset.labels[row] in dataset.labels[others]:
            ranked[row] = sorted(others, key=lambda other: -float(vectors[other] @ vectors[row]))
    return ranked


@pytest.mark.parametrize("k", [1, 5, 20])
def test_confusions_count_what_comes_back_instead(found: Evaluation, k: int) -> None:
    labels = found.dataset.labels
    for label in ("ant", "bee", "dog"):
        lists = [near[:k] for row, near in rankings(found, "poor").items() if labels[row] == label]
        counts = Counter(str(labels[row]) for near in lists for row in near)
        total = counts.total()
        counts.pop(label, None)
        expected = [
            Confusion(name, number, number / total, sum(name in labels[near] for near in lists))
            for name, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ]
        assert confusions(found, "poor", label, k) == expected


def test_the_worst_queries_come_first_with_what_they_found(found: Evaluation) -> None:
    labels = found.dataset.labels
    expected = []
    for row, near in rankings(found, "poor").items():
        if labels[row] == "dog":
            right = labels[near] == "dog"
            expected.append((right[:5].mean(), -(1 + int(right.argmax())), row, near[:5]))
    answers = worst_queries(found, "poor", "dog", k=5, count=6)
    assert [(a.precision, -a.first_rank, a.row, a.found) for a in answers] == sorted(expected)[:6]
    assert len({answer.first_rank for answer in answers}) > 1
    assert len(worst_queries(found, "poor", "dog", count=1000)) == len(expected)


def test_disagreements_are_where_one_is_right_and_the_other_wrong(found: Evaluation) -> None:
    labels = found.dataset.labels
    good, poor = rankings(found, "good"), rankings(found, "poor")
    expected = {
        (row, good[row][0], poor[row][0]) for row in good if labels[good[row][0]] == labels[row] != labels[poor[row][0]]
    }
    answers = disagreements(found, "good", "poor")
    assert {(a.row, a.right, a.wrong) for a in answers} == expected
    assert expected
    deepest = [int((labels[poor[a.row]] == labels[a.row]).argmax()) for a in answers]
    assert deepest == sorted(deepest, reverse=True)
    dogs = disagreements(found, "good", "poor", "dog")
    assert dogs == [answer for answer in answers if labels[answer.row] == "dog"]
    assert not {a.row for a in answers} & {a.row for a in disagreements(found, "poor", "good")}


def test_a_class_without_queries_has_nothing_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = evaluated(monkeypatch, SIZES, {"good": 0.9, "poor": 2.0})
    for label in ("cat", "eel"):
        assert confusions(found, "good", label) == []
        assert worst_queries(found, "good", label) == []
        assert disagreements(found, "good", "poor", label) == []


def test_a_small_gallery_gives_fewer_images(monkeypatch: pytest.MonkeyPatch) -> None:
    found = evaluated(monkeypatch, {"a": (2, 2), "b": (1, 1)}, {"m": 0.0})
    answers = worst_queries(found, "m", "a", k=5)
    assert [len(answer.found) for answer in answers] == [3, 3]
    assert [(answer.precision, answer.first_rank) for answer in answers] == [(0.4, 1)] * 2
    assert confusions(found, "m", "a", 5) == [Confusion("b", 2, pytest.approx(1 / 3), 2)]


def test_what_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = evaluated(monkeypatch, SIZES, {"good": 0.9})
    with pytest.raises(LikenessError, match=r"nobody was not evaluated: choose one of good"):
        worst_queries(found, "nobody", "ant")
    with pytest.raises(LikenessError, match="no class 'yak'"):
        confusions(found, "good", "yak")
    with pytest.raises(ValueError, match="between 1 and 20"):
        worst_queries(found, "good", "ant", k=21)
