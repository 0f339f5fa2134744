"""Classes that lie among each other, against a count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.class_mixing import NEAREST, mixed_classes
from core.neighbours import Neighbours
from tests.core.test_neighbours import dataset


@settings(max_examples=25, deadline=None)
@given(st.integers(12, 40), st.integers(2, 5), st.integers(0, 10_000))
def test_shares_are_those_counted_one_by_one(count: int, classes: int, seed: int) -> None:
    data, random = dataset(count, classes), np.random.default_rng(seed)
    rows = np.stack([random.permutation(np.delete(np.arange(count), row))[:11] for row in range(count)])
    found = mixed_classes(data, Neighbours(rows.astype(np.int32), np.zeros(rows.shape, np.float32)), most=99)
    assert [one.share for one in found] == sorted((one.share for one in found), reverse=True)
    seen = set()
    for one in found:
        pair = {one.a, one.b}
        asked = [row for row in range(count) if str(data.labels[row]) in pair]
        other = sum(
            {str(data.labels[row]), str(data.labels[near])} == pair for row in asked for near in rows[row, :NEAREST]
        )
        assert one.share == pytest.approx(other / (len(asked) * NEAREST))
        assert one.a < one.b
        seen.add((one.a, one.b))
    assert len(seen) == len(found)


def test_classes_that_are_apart_are_not_named() -> None:
    data = dataset(30, 3)
    rows = np.stack(
        [np.array([other for other in range(30) if other % 3 == row % 3 and other != row]) for row in range(30)]
    )
    assert mixed_classes(data, Neighbours(rows.astype(np.int32), np.zeros(rows.shape, np.float32))) == []
