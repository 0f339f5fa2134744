"""Images far from everything, against medians taken class by class."""

from __future__ import annotations

from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.neighbours import Neighbours
from core.outliers import CUT, FEWEST, NEAREST, Outlier, outliers
from core.records import Dataset
from tests.core.test_neighbours import dataset


def near(similarity: NDArray[np.float64], k: int = 3) -> Neighbours:
    """Neighbours of which each image is so similar to all of its own."""
    count = len(similarity)
    rows = np.stack([(np.arange(1, k + 1) + row) % count for row in range(count)])
    return Neighbours(rows.astype(np.int32), np.repeat(similarity[:, None], k, axis=1).astype(np.float32))


def counted(data: Dataset, neighbours: Neighbours) -> dict[int, tuple[float, float, float]]:
    """Similarity, what is usual, and deviations of each image, one at a time."""
    mean = [sum(map(float, row[:NEAREST])) / len(row[:NEAREST]) for row in neighbours.scores]
    found = {}
    for row, label in enumerate(data.labels):
        peers = [value for value, other in zip(mean, data.labels, strict=True) if other == label]
        peers = peers if len(peers) >= FEWEST else mean
        usual = median(peers)
        spread = max(1.4826 * median(abs(value - usual) for value in peers), 0.01)
        found[row] = (mean[row], usual, (usual - mean[row]) / spread)
    return found


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 90), st.integers(1, 4), st.integers(1, 15), st.integers(0, 10_000))
def test_outliers_are_those_found_one_by_one(count: int, classes: int, k: int, seed: int) -> None:
    random, data = np.random.default_rng(seed), dataset(count, classes)
    similarity = random.normal(0.7, 0.05, (count, 1)) - 0.4 * (random.random((count, 1)) < 0.1)
    scores = -np.sort(-(similarity + random.normal(0, 0.02, (count, k))), axis=1)
    neighbours = Neighbours(near(similarity[:, 0], k).rows, scores.astype(np.float32))
    wanted = counted(data, neighbours)
    found = outliers(data, neighbours)
    assert {one.row for one in found} == {row for row, (*_, deviations) in wanted.items() if deviations > CUT}
    for one in found:
        assert (one.similarity, one.usual, one.deviations) == pytest.approx(wanted[one.row])
        assert one.label == data.labels[one.row]
        assert one.neighbours == tuple(neighbours.rows[one.row, :NEAREST].tolist())
    assert [one.deviations for one in found] == sorted((one.deviations for one in found), reverse=True)


def test_each_class_is_compared_with_itself() -> None:
    """What is usual in a varied class is far in a uniform one."""
    data = dataset(60, 2)
    varied = data.labels == "class 0"
    similarity = np.where(varied, np.linspace(0.3, 0.9, 60), np.linspace(0.84, 0.86, 60))
    assert outliers(data, near(similarity)) == []
    similarity[31] = 0.5  # class 1
    assert [(one.row, one.label) for one in outliers(data, near(similarity))] == [(31, "class 1")]


def test_a_small_class_is_compared_with_the_whole_dataset() -> None:
    data = dataset(3 * (FEWEST - 1))
    similarity = np.where(data.labels == "class 0", 0.4, 0.9)
    found = outliers(data, near(similarity))
    assert {one.label for one in found} == {"class 0"}
    assert len(found) == FEWEST - 1
    larger = dataset(3 * FEWEST)
    assert outliers(larger, near(np.where(larger.labels == "class 0", 0.4, 0.9))) == []


def test_tiny_differences_among_copies_are_not_far() -> None:
    similarity = np.full(30, 0.999)
    similarity[3] = 0.98
    assert outliers(dataset(30, 1), near(similarity)) == []
    similarity[3] = 0.96
    found = outliers(dataset(30, 1), near(similarity))
    assert found == [Outlier(3, "class 0", pytest.approx(0.96), pytest.approx(0.999), pytest.approx(3.9), (4, 5, 6))]
