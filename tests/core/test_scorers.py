"""A weighted sum of scorers: which items are equal."""

from __future__ import annotations

import numpy as np

from core.metrics.grid import BINS
from core.metrics.scorer import Cosine
from core.scorers import WeightedSum


def test_items_are_equal_where_every_part_says_so() -> None:
    table = np.linspace(-0.5, 0.5, BINS, dtype=np.float32)
    parts = [np.eye(3, dtype=np.float32)[kinds] for kinds in ([0, 1, 0, 1, 0, 2], [0, 0, 1, 0, 0, 0])]
    scorer = WeightedSum([(Cosine(vectors), table) for vectors in parts])
    assert scorer.originals(np.arange(6)).tolist() == [0, 1, 2, 1, 0, 5]
    assert scorer.originals(np.array([4, 2, 0, 4])).tolist() == [0, 1, 0, 0]
    assert scorer.originals(np.arange(0)).tolist() == []
