"""Labels that look wrong, against a vote counted neighbour by neighbour."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import label_suspects as module
from core.label_suspects import FEWEST, LEAD, NEAREST, Suspect, label_suspects
from core.neighbours import Neighbours
from core.records import Dataset
from tests.core.test_neighbours import dataset


def near(count: int, k: int, seed: int) -> Neighbours:
    """Random neighbours, best first, never the image itself; some scores are below 0.

    Similarities are multiples of 1/64, whose sums are exact, so that the order of adding cannot break a tie.
    """
    random = np.random.default_rng(seed)
    rows = np.stack([random.permutation(np.delete(np.arange(count), row))[:k] for row in range(count)])
    scores = -np.sort(-random.integers(-16, 65, rows.shape), axis=1) / 64
    return Neighbours(rows.astype(np.int32), scores.astype(np.float32))


def counted(data: Dataset, neighbours: Neighbours) -> dict[int, tuple[float, dict[str, float], tuple[int, ...]]]:
    """Of each suspect: what speaks for its own class, for the others, and who was asked."""
    found = {}
    for row, label in enumerate(data.labels.tolist()):
        asked = min(NEAREST, data.labels.tolist().count(label) - 1, neighbours.rows.shape[1])
        support: dict[str, float] = defaultdict(float)
        for other, score in zip(neighbours.rows[row, :asked], neighbours.scores[row, :asked], strict=True):
            support[str(data.labels[other])] += max(0.0, float(score))
        total, own = sum(support.values()), support.pop(label, 0.0)
        if asked >= FEWEST and total > 0 and support and max(support.values()) - own >= LEAD * total:
            others = {name: value / total for name, value in support.items()}
            found[row] = (own / total, others, tuple(neighbours.rows[row, :asked].tolist()))
    return found


@settings(max_examples=40, deadline=None)
@given(st.integers(8, 50), st.integers(2, 6), st.integers(1, 15), st.integers(0, 10_000))
def test_suspects_are_those_of_a_vote_by_hand(count: int, classes: int, k: int, seed: int) -> None:
    data, neighbours = dataset(count, classes), near(count, min(k, count - 1), seed)
    wanted = counted(data, neighbours)
    found = label_suspects(data, neighbours)
    assert sorted(one.row for one in found) == sorted(wanted)
    for one in found:
        own, others, asked = wanted[one.row]
        assert one.label == data.labels[one.row] != one.suggested
        assert one.support_own == pytest.approx(own)
        assert one.support_suggested == pytest.approx(others[one.suggested]) == pytest.approx(max(others.values()))
        assert one.neighbours == asked


@settings(max_examples=20, deadline=None)
@given(st.integers(12, 50), st.integers(0, 10_000))
def test_the_clearest_come_first(count: int, seed: int) -> None:
    found = label_suspects(dataset(count), near(count, 10, seed))
    leads = [round(one.lead, 6) for one in found]
    assert leads == sorted(leads, reverse=True)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    data, neighbours = dataset(50), near(50, 12, 3)
    whole = label_suspects(data, neighbours)
    assert whole
    monkeypatch.setattr(module, "_BLOCK", 7)
    assert label_suspects(data, neighbours) == whole


def apart(data: Dataset) -> Neighbours:
    """Every image is near all others of its class, and no others."""
    of_class = [np.flatnonzero(data.labels == label) for label in data.labels]
    rows = np.stack([found[found != row] for row, found in enumerate(of_class)]).astype(np.int32)
    return Neighbours(rows, np.full(rows.shape, 0.9, np.float32))


def test_classes_that_are_apart_have_none_and_a_swapped_label_is_found() -> None:
    data = dataset(36)
    neighbours = apart(data)
    assert label_suspects(data, neighbours) == []
    labels = data.labels.copy()
    labels[4] = "class 2"  # lies among class 1
    first = label_suspects(replace(data, labels=labels), neighbours)
    assert first == [Suspect(4, "class 2", "class 1", 0.0, 1.0, (1, 7, 10, 13, 16, 19, 22, 25, 28, 31))]


@pytest.mark.parametrize(("each", "judged"), [(FEWEST, False), (FEWEST + 1, True)])
def test_a_class_too_small_to_have_neighbours_is_not_judged(each: int, judged: bool) -> None:
    data = dataset(2 * each, 2)
    rows = np.stack([np.flatnonzero(data.labels != label) for label in data.labels]).astype(np.int32)
    found = label_suspects(data, Neighbours(rows, np.full(rows.shape, 0.5, np.float32)))
    assert len(found) == (len(data) if judged else 0)


def test_neighbours_that_are_alike_to_nothing_say_nothing() -> None:
    data = dataset(24, 2)
    rows = np.stack([np.flatnonzero(data.labels != label) for label in data.labels]).astype(np.int32)
    assert label_suspects(data, Neighbours(rows, np.full(rows.shape, -0.1, np.float32))) == []
