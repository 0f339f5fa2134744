"""The ranking itself: order, ties, the query's own row, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import LikenessError
from core.metrics import ranking
from core.metrics.ranking import Ranked, first_rank, visit_rankings


def rank(
    queries: NDArray[np.float32],
    gallery: NDArray[np.float32],
    depth: int,
    self_rows: NDArray[np.intp] | None = None,
    rows: NDArray[np.intp] | None = None,
) -> NDArray[np.int32]:
    found = np.full((len(queries), depth), -2, np.int32)

    def visit(ranked: Ranked) -> None:
        found[ranked.rows] = ranked.nearest(depth)

    visit_rankings(queries, gallery, visit, rows=rows, self_rows=self_rows)
    return found


def matrix(*rows: list[float]) -> NDArray[np.float32]:
    return np.array(rows, np.float32)


def test_order_is_by_falling_score_whatever_the_sign() -> None:
    gallery = matrix([-1.0], [0.5], [1e-30], [-1e-30], [0.25], [1.0], [-0.5])
    assert rank(matrix([1.0]), gallery, 7).tolist() == [[5, 1, 4, 2, 3, 6, 0]]


def test_matches_a_plain_sort() -> None:
    rng = np.random.default_rng(0)
    queries, gallery = rng.standard_normal((2, 200, 24)).astype(np.float32)
    scores = queries.astype(np.float64) @ gallery.T.astype(np.float64)
    assert np.diff(np.sort(scores, axis=1)[:, -10:], axis=1).min() > 2e-5  # no order here hangs on rounding
    expected = np.argsort(-scores, axis=1)[:, :9]
    np.testing.assert_array_equal(rank(queries, gallery, 9), expected)


def test_zero_equals_minus_zero() -> None:
    gallery = matrix([0.0, 1.0], [-0.0, 1.0], [0.0, 1.0], [-0.0, 1.0])
    for query in (matrix([1.0, 0.0]), matrix([-1.0, 0.0]), matrix([1.0, -0.0])):
        assert rank(query, gallery, 4).tolist() == [[0, 1, 2, 3]]


def test_scores_of_minus_zero_tie_with_zero() -> None:
    # Whether a product that underflows keeps its sign is up to the matrix library, so the keys are made directly.
    scores, keys = matrix([-0.0, 0.0, -0.0]), np.empty((1, 3), np.uint64)
    ranking._fill_keys(scores, np.empty((1, 3), np.int32), keys)
    assert np.argsort(keys[0]).tolist() == [0, 1, 2]
    assert len(set((keys[0] >> np.uint64(32)).tolist())) == 1


@pytest.mark.parametrize(("count", "width", "queries"), [(37, 3, 1), (1003, 512, 1), (4099, 1280, 1), (999, 17, 5)])
def test_exact_copies_tie_and_the_lower_position_wins(count: int, width: int, queries: int) -> None:
    # Long single-query products are where a matrix library rounds equal columns differently.
    rng = np.random.default_rng(count)
    for _ in range(5):
        gallery = np.repeat(rng.standard_normal((1, width)).astype(np.float32), count, axis=0)
        found = rank(rng.standard_normal((queries, width)).astype(np.float32), gallery, count)
        np.testing.assert_array_equal(found, np.tile(np.arange(count), (queries, 1)))


def test_rows_that_differ_in_the_sign_of_zero_are_copies() -> None:
    copies, originals = ranking._copies(matrix([0.0, 1.0], [1.0, 0.0], [-0.0, 1.0], [1.0, -0.0], [0.5, 0.5]))
    assert (copies.tolist(), originals.tolist()) == ([2, 3], [0, 1])


def test_same_answer_every_time_with_many_ties() -> None:
    rng = np.random.default_rng(3)
    queries, gallery = rng.integers(-1, 2, (2, 400, 6)).astype(np.float32)
    first = rank(queries, gallery, 50)
    expected = np.argsort(-(queries @ gallery.T), axis=1, kind="stable")[:, :50]
    np.testing.assert_array_equal(first, expected)
    np.testing.assert_array_equal(first, rank(queries, gallery, 50))


def test_own_row_is_never_found_even_among_copies() -> None:
    gallery = matrix([1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0])
    found = rank(gallery, gallery, 5, np.array([0, 1, 2, -1]))
    assert found.tolist() == [[1, 2, 3, -1, -1], [0, 2, 3, -1, -1], [0, 1, 3, -1, -1], [3, 0, 1, 2, -1]]


def test_only_the_rows_asked_for_are_visited() -> None:
    points = np.eye(4, dtype=np.float32)
    assert rank(points, points, 1, rows=np.array([3, 1])).ravel().tolist() == [-2, 1, -2, 3]


def test_small_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    queries, gallery = rng.integers(-3, 4, (2, 101, 8)).astype(np.float32)  # whole numbers: products are exact
    whole = rank(queries, gallery, 101)
    monkeypatch.setattr(ranking, "SCORES_AT_ONCE", 1500)
    monkeypatch.setattr(ranking, "KEYS_AT_ONCE", 300)
    np.testing.assert_array_equal(rank(queries, gallery, 101), whole)


def test_first_rank_counts_the_nearer_ones() -> None:
    keys = np.array([[50, 10, 30], [5, 6, 7]], np.uint64)
    wanted = np.array([[True, False, True], [False, False, False]])
    assert first_rank(keys, wanted).tolist() == [2, 4]


def test_errors_of_the_visitor_are_raised() -> None:
    def visit(ranked: Ranked) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        visit_rankings(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32), visit)


GOOD = np.eye(3, dtype=np.float32)


@pytest.mark.parametrize(
    ("queries", "gallery", "self_rows", "words"),
    [
        (GOOD, GOOD[:, :2], None, "same width"),
        (GOOD[0], GOOD, None, "cannot be compared"),
        (GOOD.astype(np.float64), GOOD, None, "float32"),
        (GOOD, np.where(GOOD == 1, np.float32(np.nan), GOOD), None, "gallery are not finite"),
        (np.where(GOOD == 1, np.float32(np.inf), GOOD), GOOD, None, "queries are not finite"),
        (GOOD * np.float32(1e30), GOOD, None, "queries are not finite"),
        (GOOD, GOOD, np.array([0, 1]), "self_rows"),
        (GOOD, GOOD, np.array([0, 1, 3]), "self_rows"),
        (GOOD, GOOD, np.array([0, 1, -2]), "self_rows"),
    ],
)
def test_bad_input_is_refused(
    queries: NDArray[np.float32], gallery: NDArray[np.float32], self_rows: NDArray[np.intp] | None, words: str
) -> None:
    with np.errstate(over="ignore"), pytest.raises(LikenessError, match=words):
        rank(queries, gallery, 1, self_rows)
