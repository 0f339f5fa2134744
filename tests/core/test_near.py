"""Near duplicates: equal to two plain loops, whatever the order, and never one giant group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core import near
from core.near import HASH_LIMIT, IDENTICAL, RATIO, near_groups
from core.progress import silent

Hashes = NDArray[np.uint64]
Vectors = NDArray[np.float32]


def sample(seed: int, count: int, copies: int, width: int = 12) -> tuple[Hashes, Vectors]:
    """Random hashes and unit vectors; the last ``copies`` are others with a few bits and a little direction changed."""
    random = np.random.default_rng(seed)
    bits = random.integers(0, 2, (count, 64), dtype=np.uint8)
    vectors = random.standard_normal((count, width))
    for copy in range(count - copies, count):
        of = random.integers(0, count - copies)
        bits[copy] = bits[of]
        bits[copy, random.choice(64, random.integers(0, 12), replace=False)] ^= 1
        vectors[copy] = vectors[of] + random.uniform(0, 0.9) * random.standard_normal(width)
    order = random.permutation(count)
    hashes = np.packbits(bits[order], axis=1).view(">u8")[:, 0].astype(np.uint64)
    vectors = vectors[order] / np.linalg.norm(vectors[order], axis=1, keepdims=True)
    return hashes, vectors.astype(np.float32)


def naive(hashes: Hashes, vectors: Vectors | None) -> list[list[int]]:
    """The definition, a pair at a time."""
    count = len(hashes)
    bits = [[(int(a) ^ int(b)).bit_count() for b in hashes] for a in hashes]
    rank = min(10, count - 1)
    group = list(range(count))
    for i in range(count):
        for j in range(i + 1, count):
            if vectors is None:
                same = bits[i][j] <= 2 and min(sorted(bits[i])[rank], sorted(bits[j])[rank]) >= 14
            else:
                far = [sorted(1 - float(v @ vectors[k]) for v in vectors)[rank] for k in (i, j)]
                distance = 1 - float(vectors[i] @ vectors[j])
                same = bits[i][j] <= HASH_LIMIT and (distance <= IDENTICAL or distance <= RATIO * min(far))
            if same:
                group = [group[i] if one == group[j] else one for one in group]
    found = [[row for row in range(count) if group[row] == name] for name in set(group)]
    return sorted(rows for rows in found if len(rows) > 1)


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize(("seed", "count", "copies"), [(0, 60, 20), (1, 40, 0), (2, 8, 4), (3, 2, 1), (4, 70, 50)])
def test_equals_two_plain_loops(
    seed: int, count: int, copies: int, confirmed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes, vectors = sample(seed, count, copies)
    expected = naive(hashes, vectors if confirmed else None)
    assert near_groups(hashes, vectors if confirmed else None, silent) == expected
    for name, size in (("_ROWS", 7), ("_COLUMNS", 5), ("_DISTANCES", 3 * count)):
        monkeypatch.setattr(near, name, size)
    assert near_groups(hashes, vectors if confirmed else None, silent) == expected


def test_the_samples_hold_both_kinds() -> None:
    hashes, vectors = sample(0, 60, 20)
    assert 3 < len(naive(hashes, vectors)) < 20
    assert 1 < len(naive(hashes, None)) < len(naive(hashes, vectors))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 60))
def test_order_does_not_matter(seed: int, count: int) -> None:
    hashes, vectors = sample(seed, count, count // 3)
    order = np.random.default_rng(seed).permutation(count)
    straight = near_groups(hashes, vectors, silent)
    shuffled = near_groups(hashes[order], vectors[order], silent)
    assert sorted(sorted(order[rows].tolist()) for rows in shuffled) == straight


@pytest.mark.parametrize("confirmed", [True, False])
def test_products_that_share_a_hash_are_not_one_group(confirmed: bool) -> None:
    random = np.random.default_rng(0)
    vectors = 1 + 0.2 * random.standard_normal((40, 64))
    vectors[1] = vectors[0] + 0.01
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    groups = near_groups(np.full(40, 12345, np.uint64), vectors.astype(np.float32) if confirmed else None, silent)
    assert groups == ([[0, 1]] if confirmed else [])


def test_many_copies_that_are_all_but_identical_are_one_group() -> None:
    vectors = np.ones((30, 4), np.float32) / 2
    assert near_groups(np.full(30, 12345, np.uint64), vectors, silent) == [list(range(30))]


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_compare(count: int) -> None:
    hashes, vectors = np.ones(count, np.uint64), np.ones((count, 1), np.float32)
    assert near_groups(hashes, vectors, silent) == near_groups(hashes, None, silent) == []


def test_progress_reaches_its_end() -> None:
    told: list[tuple[str, int, int]] = []
    near_groups(sample(0, 9, 3)[0], None, lambda *step: told.append(step))
    assert told == [("Comparing", 0, 9), ("Comparing", 9, 9)]
