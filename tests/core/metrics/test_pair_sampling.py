"""Drawing pairs and triplets."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import LikenessError
from core.metrics.pair_sampling import (
    different_class_pairs,
    pair_counts,
    same_class_pairs,
    three_class_count,
    three_class_triplets,
)

CODES = st.lists(st.integers(0, 4), min_size=2, max_size=30).map(np.array)


@given(CODES)
def test_all_pairs_can_be_drawn_and_each_comes_once(codes: np.ndarray) -> None:
    n = len(codes)
    everything = [(i, j) for i in range(n) for j in range(i + 1, n)]
    wanted = [{pair for pair in everything if (codes[pair[0]] == codes[pair[1]]) == same} for same in (True, False)]
    assert pair_counts(codes) == (len(wanted[0]), len(wanted[1]))
    for draw, pairs in zip((same_class_pairs, different_class_pairs), wanted, strict=True):
        drawn = draw(codes, len(pairs), np.random.default_rng(0))
        assert drawn.shape == (len(pairs), 2)
        assert {tuple(sorted(pair)) for pair in drawn.tolist()} == pairs


@given(CODES)
def test_all_triplets_of_three_classes_can_be_drawn_and_each_comes_once(codes: np.ndarray) -> None:
    wanted = {three for three in combinations(range(len(codes)), 3) if len({int(codes[item]) for item in three}) == 3}
    assert three_class_count(codes) == len(wanted)
    drawn = three_class_triplets(codes, len(wanted), np.random.default_rng(0))
    assert drawn.shape == (len(wanted), 3)
    assert {tuple(sorted(three)) for three in drawn.tolist()} == wanted


@pytest.mark.parametrize("draw", [same_class_pairs, different_class_pairs])
def test_every_pair_is_as_likely_as_any_other(draw) -> None:
    codes = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2])
    seen = Counter(tuple(sorted(draw(codes, 1, np.random.default_rng(seed))[0].tolist())) for seed in range(4000))
    kinds = pair_counts(codes)[0 if draw is same_class_pairs else 1]
    assert len(seen) == kinds
    expected = 4000 / kinds
    assert sum((count - expected) ** 2 / expected for count in seen.values()) < 3 * kinds


def test_asking_for_more_than_there_are_is_refused_in_words() -> None:
    with pytest.raises(LikenessError, match="3 pairs of one class were asked for, but these images make 1"):
        same_class_pairs(np.array([0, 0, 1]), 3, np.random.default_rng(0))

    with pytest.raises(LikenessError, match="1 triplets of three classes were asked for, but these images make 0"):
        three_class_triplets(np.array([0, 0, 1]), 1, np.random.default_rng(0))


def test_large_classes_are_counted_exactly() -> None:
    codes = np.repeat([0, 1], [100_000, 100_000])
    drawn = same_class_pairs(codes, 1000, np.random.default_rng(0))
    assert (codes[drawn[:, 0]] == codes[drawn[:, 1]]).all()
    assert (drawn[:, 0] != drawn[:, 1]).all()
