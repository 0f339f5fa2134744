"""Metrics without the queries that leak are those of an evaluation without them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.duplicates import Duplicates, Group, Member
from core.evaluate import Evaluation, Protocol, evaluate
from core.leaks import headline_change, without_leaks
from core.store import EmbeddingStore
from tests.evaluations import evaluated
from tests.fakes import fake

SIZES = {"a": (20, 12), "b": (20, 9), "c": (6, 5)}


def near(evaluation: Evaluation, *groups: tuple[int, ...]) -> Duplicates:
    dataset = evaluation.dataset

    def member(row: int) -> Member:
        return Member(str(dataset.paths[row]), str(dataset.labels[row]), str(dataset.splits[row]), row)

    return Duplicates(dataset, "x", tuple(Group("near", tuple(map(member, rows))) for rows in groups), ())


def test_it_equals_an_evaluation_without_those_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    found = evaluated(monkeypatch, SIZES, {"good": 0.3, "bad": 1.5})
    train, test = found.dataset.rows("train"), found.dataset.rows("test")
    pairs = [(train[i], test[i]) for i in range(4)] + [(test[5], test[6])]  # the last is within the queries
    leaks = without_leaks(found, near(found, *pairs))
    assert (leaks.queries, leaks.counted) == (4, 26)
    rest = found.dataset.without(found.dataset.ids[test[:4]].tolist())
    expected = evaluate(rest, [fake("good"), fake("bad")], EmbeddingStore(), Protocol())
    for name, result in expected.models.items():
        for metric, one in leaks.without[name].items():
            assert one.value == pytest.approx(result.values[metric])
            assert one.interval == pytest.approx(result.intervals[metric])
        change = result.values["precision_at_5"] - found.models[name].values["precision_at_5"]
        assert headline_change(found, leaks, name) == pytest.approx(change)
    assert json.loads(json.dumps(leaks.as_json()))["queries"] == 4


def test_leave_one_out_leaks_within_the_split(monkeypatch: pytest.MonkeyPatch) -> None:
    found = evaluated(monkeypatch, SIZES, {"good": 0.3}, Protocol(leave_one_out=True))
    test = found.dataset.rows("test")
    assert without_leaks(found, near(found, (test[0], test[1]))).queries == 2


@pytest.mark.parametrize("everything", [False, True])
def test_without_leaks_or_without_anything_left_there_is_no_second_leaderboard(
    everything: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = evaluated(monkeypatch, SIZES, {"good": 0.3})
    groups = [tuple(np.arange(len(found.dataset)).tolist())] if everything else []
    leaks = without_leaks(found, near(found, *groups))
    assert leaks.without == {}
    assert leaks.queries == (leaks.counted if everything else 0)
