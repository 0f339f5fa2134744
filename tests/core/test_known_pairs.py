"""The nearest known pairs are those that a sorted list of all of them starts with."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from core import known_pairs as module
from core.datasets import load_dataset
from core.embed import embed
from core.known_pairs import KnownPairs
from core.metrics.grid import similarity
from core.records import Dataset
from core.store import EmbeddingStore
from core.vectors import split_rows, stored_vectors
from core.verify import verify
from tests import pictures
from tests.fakes import fake, install

A = fake("fake-a", dim=24)


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    install(monkeypatch)
    found = load_dataset(str(pictures.paint(tmp_path / "shapes", 60)))
    embed(found, [A], EmbeddingStore())
    return found


def slow(dataset: Dataset, rows: list[int], score: float, count: int) -> list[tuple[int, int]]:
    """Every pair sorted by its distance, then no image in more than two."""
    vectors = stored_vectors(dataset, A, EmbeddingStore())
    pairs = sorted(combinations(rows, 2), key=lambda p: (abs(similarity(vectors[p[0]], vectors[p[1]]) - score), p))
    shown: Counter[int] = Counter()
    chosen = []
    for pair in pairs:
        if len(chosen) < count and all(shown[row] < 2 for row in pair):
            chosen.append(pair)
            shown.update(pair)
    return chosen


@pytest.mark.parametrize("score", [-1.0, 0.0, 0.37, 0.9, 1.0])
def test_they_are_the_first_of_a_sorted_list(score: float, dataset: Dataset) -> None:
    val = verify(dataset, A, EmbeddingStore(), "val")
    found = KnownPairs.open(val, EmbeddingStore()).nearest(score, 8)
    assert [tuple(ends) for ends in found.rows.tolist()] == slow(dataset, val.rows.tolist(), score, 8)
    vectors = stored_vectors(dataset, A, EmbeddingStore())
    assert found.scores.tolist() == [float(similarity(vectors[a], vectors[b])) for a, b in found.rows]


def test_of_many_images_some_are_looked_at_from_end_to_end(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_IMAGES", 10)
    val = verify(dataset, A, EmbeddingStore(), "val")
    known = KnownPairs.open(val, EmbeddingStore())
    rows = split_rows(dataset, "val")
    assert len(known.rows) == len(set(known.rows.tolist())) == 10
    assert known.rows[[0, -1]].tolist() == rows[[0, -1]].tolist()
    found = known.nearest(0.2, 4)
    assert [tuple(ends) for ends in found.rows.tolist()] == slow(dataset, known.rows.tolist(), 0.2, 4)


def test_no_pair_comes_twice_and_none_is_of_one_image(dataset: Dataset) -> None:
    val = verify(dataset, A, EmbeddingStore(), "val")
    found = KnownPairs.open(val, EmbeddingStore()).nearest(1.0, 10_000)
    assert (found.rows[:, 0] < found.rows[:, 1]).all()
    assert len(np.unique(found.rows, axis=0)) == len(found)
    assert np.unique(found.rows, return_counts=True)[1].max() <= 2
