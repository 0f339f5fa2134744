"""Maps laid upon each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import procrustes
from scipy.spatial.distance import pdist

from core.alignment import align


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([2, 3]), st.floats(0.1, 10), st.booleans())
def test_a_map_that_was_turned_mirrored_scaled_and_moved_comes_back(
    seed: int, dimensions: int, scale: float, mirrored: bool
) -> None:
    random = np.random.default_rng(seed)
    points = random.standard_normal((20, dimensions)).astype(np.float32)
    turn = np.linalg.qr(random.standard_normal((dimensions, dimensions)))[0]
    turn[:, 0] *= -1 if mirrored else 1
    moved = (scale * points @ turn + random.standard_normal(dimensions)).astype(np.float32)
    assert align(moved, points)(moved) == pytest.approx(points, abs=1e-3)


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_it_is_the_best_fit_and_bends_nothing(seed: int) -> None:
    random = np.random.default_rng(seed)
    points, onto = random.standard_normal((2, 15, 2)).astype(np.float32)
    found = align(points, onto)(points)
    ratio = pdist(found) / pdist(points)
    assert ratio == pytest.approx(np.full(len(ratio), ratio[0]), rel=1e-3)
    # scipy's disparity is of both maps scaled to unit spread.
    spread = ((onto - onto.mean(axis=0)) ** 2).sum()
    assert ((found - onto) ** 2).sum() / spread == pytest.approx(procrustes(onto, points)[2], abs=1e-4)


def test_a_map_in_one_point_stays_finite() -> None:
    onto = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    same = np.zeros((2, 2), np.float32)
    assert align(same, onto)(same).tolist() == [[2.0, 3.0], [2.0, 3.0]]


def test_other_images_cannot_be_aligned() -> None:
    with pytest.raises(ValueError, match="same images"):
        align(np.zeros((3, 2), np.float32), np.zeros((2, 2), np.float32))
