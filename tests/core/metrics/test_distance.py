"""Similarities and Euclidean distances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.metrics.distance import to_cosines, to_distances
from tests.core.metrics.pair_data import items


def test_the_distance_is_that_of_the_vectors() -> None:
    vectors, _ = items(40)
    for a, b in zip(vectors[:20].astype(np.float64), vectors[20:].astype(np.float64), strict=True):
        assert to_distances(a @ b) == pytest.approx(np.linalg.norm(a - b), abs=1e-6)


@given(st.floats(0, 2))
def test_there_and_back(distance: float) -> None:
    assert to_distances(to_cosines(distance)) == pytest.approx(distance, abs=1e-7)


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_what_is_more_alike_is_nearer(one: float, other: float) -> None:
    near, far = to_distances([max(one, other), min(one, other)])
    assert near <= far


def test_a_cosine_just_above_one_is_no_distance_at_all() -> None:
    assert to_distances(1.0000001) == 0
