"""Batches: every image once, pairs in balance, the same for the same chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.training import batches

_codes = st.lists(st.integers(0, 4), min_size=4, max_size=60).map(lambda found: np.array([0, 0, 1, 1, *found]))


@given(codes=_codes, batch=st.integers(2, 20), seed=st.integers(0, 99))
def test_every_item_comes_once_but_for_a_lone_last_one(codes: np.ndarray, batch: int, seed: int) -> None:
    for kind in (batches.shuffled, batches.by_class):
        found = list(kind(codes, batch, np.random.default_rng(seed)))
        items = np.concatenate(found)
        assert len(np.unique(items)) == len(items) == len(codes) - (len(codes) % batch == 1)
        assert all(2 <= len(part) <= batch for part in found)


@given(codes=_codes, batch=st.integers(2, 20), seed=st.integers(0, 99))
def test_pairs_are_half_of_one_class_and_never_an_image_with_itself(codes: np.ndarray, batch: int, seed: int) -> None:
    parts = [part.reshape(2, -1) for part in batches.pairs(codes, batch, np.random.default_rng(seed))]
    one, other = np.concatenate(parts, axis=1)
    same = codes[one] == codes[other]
    assert (one != other).all()
    assert len({frozenset(pair) for pair in zip(one.tolist(), other.tolist(), strict=True)}) == len(one)
    if len(one) % batch != 1 and 2 * len(one) <= len(codes):
        assert same.sum() * 2 == len(same)


@pytest.mark.parametrize("objective", list(batches.KINDS))
@given(codes=_codes, batch=st.integers(2, 20))
def test_steps_are_counted_without_drawing(objective: str, codes: np.ndarray, batch: int) -> None:
    found = list(batches.KINDS[objective](codes, batch, np.random.default_rng(0)))
    assert batches.steps(objective, codes, batch) == max(1, len(found))


def test_images_of_a_class_come_in_fours() -> None:
    codes = np.repeat(np.arange(5), 8)
    for part in batches.by_class(codes, 16, np.random.default_rng(3)):
        assert all(len(set(codes[four])) == 1 for four in part.reshape(-1, batches.TOGETHER))


def test_pairs_are_drawn_anew_in_each_epoch() -> None:
    codes = np.repeat(np.arange(5), 8)
    first, again, second = (
        np.concatenate(list(batches.pairs(codes, 8, np.random.default_rng([0, epoch])))) for epoch in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != second).any()
