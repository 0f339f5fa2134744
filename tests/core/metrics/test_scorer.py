"""Cosines of vectors: blocks, pairs, which items are equal, bad vectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import LikenessError
from core.metrics import scorer as module
from core.metrics.scorer import Cosine


def matrix(*rows: list[float]) -> NDArray[np.float32]:
    return np.array(rows, np.float32)


def test_blocks_are_products_of_the_rows_and_columns_asked_for() -> None:
    vectors = np.random.default_rng(0).integers(-3, 4, (30, 5)).astype(np.float32)  # products are exact
    rows, columns = np.array([4, 0, 9, 9]), np.arange(29, 3, -1)
    block_of = Cosine(vectors).blocks(rows, columns)
    whole = vectors[rows] @ vectors[columns].T
    np.testing.assert_array_equal(block_of(slice(1, 4)), whole[1:4])
    np.testing.assert_array_equal(block_of(np.array([3, 0]), 7), whole[[3, 0], 7:])


def test_pairs_do_not_hang_on_how_many_are_asked_for() -> None:
    vectors = np.random.default_rng(1).standard_normal((40, 65)).astype(np.float32)
    a, b = np.random.default_rng(2).integers(0, 40, (2, 5000))
    scorer = Cosine(vectors)
    found = scorer.pairs(a, b)
    np.testing.assert_array_equal(
        found[::99], [scorer.pairs(a[i : i + 1], b[i : i + 1])[0] for i in range(0, 5000, 99)]
    )
    np.testing.assert_allclose(found, (vectors.astype(float) @ vectors.T.astype(float))[a, b], atol=1e-12)
    assert scorer.pairs(a[:0], b[:0]).shape == (0,)


def test_rows_that_differ_in_the_sign_of_zero_are_equal() -> None:
    scorer = Cosine(matrix([0.0, 1.0], [1.0, 0.0], [-0.0, 1.0], [1.0, -0.0], [0.5, 0.5]))
    assert scorer.originals(np.arange(5)).tolist() == [0, 1, 0, 1, 4]
    assert scorer.originals(np.array([3, 2, 1, 4])).tolist() == [0, 1, 0, 3]
    assert scorer.originals(np.arange(0)).tolist() == []


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 4), st.integers(1, 30))
def test_originals_equal_a_plain_loop(seed: int, count: int, width: int, asked: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.choice([0.0, -0.0, 1.0, -1.0], (count, width)).astype(np.float32)  # sums of bits meet often
    items = rng.integers(0, count, asked)
    expected = [next(j for j in range(asked) if (vectors[items[j]] == vectors[item]).all()) for item in items]
    assert Cosine(vectors).originals(items).tolist() == expected


def test_equal_sums_are_looked_at_closely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_sums", lambda vectors: np.zeros(len(vectors), np.uint64))
    assert Cosine(matrix([1.0, 2.0], [2.0, 1.0], [1.0, 2.0])).originals(np.arange(3)).tolist() == [0, 1, 0]


GOOD = np.eye(3, dtype=np.float32)


@pytest.mark.parametrize(
    ("vectors", "words"),
    [
        (GOOD[0], "a float32 matrix"),
        (GOOD.astype(np.float64), "a float32 matrix, one a row, not float64"),
        (np.where(GOOD == 1, np.float32(np.nan), GOOD), "3 vectors are not finite, the first in row 0"),
        (np.diag(matrix([0, np.inf, 0])[0]), "1 vectors are not finite, the first in row 1"),
        (GOOD * np.float32(1e30), "not finite"),
    ],
)
def test_bad_vectors_are_refused(vectors: NDArray[np.float32], words: str) -> None:
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(LikenessError, match=words):
        Cosine(vectors)
