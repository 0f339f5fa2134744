"""Whole rows of scores: each query once, exact ties, the query itself, and what is kept of earlier rows."""

from __future__ import annotations

from threading import Lock

import numpy as np
import pytest
from numpy.typing import NDArray

from core.metrics import ranking
from core.metrics.ranking import visit_rows
from core.metrics.scorer import Blocks, Cosine, Items

Floats = NDArray[np.float32]


class Counted(Cosine):
    """Counts the scores that are worked out."""

    worked_out = 0

    def blocks(self, rows: Items, columns: Items) -> Blocks:
        block_of, lock = super().blocks(rows, columns), Lock()

        def block(part: slice | Items, start: int = 0) -> Floats:
            scores = block_of(part, start)
            with lock:
                self.worked_out += scores.size
            return scores

        return block


def whole_numbers(seed: int, count: int, width: int = 8) -> Floats:
    """Vectors whose products are exact."""
    return np.random.default_rng(seed).integers(-3, 4, (count, width)).astype(np.float32)


def rows_of(scorer: Cosine, queries: Items, candidates: Items) -> Floats:
    found = np.full((len(queries), len(candidates)), np.nan, np.float32)

    def visit(part: slice, scores: Floats) -> None:
        assert np.isnan(found[part]).all(), "a query is visited twice"
        found[part] = scores

    visit_rows(scorer, queries, candidates, visit)
    return found


def plain(vectors: Floats, queries: Items, candidates: Items) -> Floats:
    scores = vectors[queries] @ vectors[candidates].T
    scores[queries[:, None] == candidates] = -np.inf
    return scores


@pytest.fixture(params=[1, 3, 50, 512])
def rows_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(ranking, "MOST_ROWS", request.param)
    return int(request.param)


@pytest.mark.usefixtures("rows_at_once")
def test_every_query_meets_every_candidate_but_itself() -> None:
    vectors = whole_numbers(0, 120)
    random = np.random.default_rng(1)
    for queries, candidates in (
        (np.arange(40), np.arange(40, 120)),  # apart
        (np.arange(60), np.arange(30, 120)),  # some are both
        (random.permutation(120)[:70], random.permutation(120)[:90]),  # in any order
        (np.array([5, 5, 7]), np.array([7, 5])),  # asked twice
    ):
        found = rows_of(Cosine(vectors), queries, candidates)
        np.testing.assert_array_equal(found, plain(vectors, queries, candidates))


@pytest.mark.usefixtures("rows_at_once")
@pytest.mark.parametrize("room", [0, 1, 900, 4000, 1 << 26])
def test_keeping_scores_changes_nothing(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "SCORES_KEPT", room)
    vectors, items = whole_numbers(2, 101), np.random.default_rng(3).permutation(101)
    np.testing.assert_array_equal(rows_of(Cosine(vectors), items, items), plain(vectors, items, items))


@pytest.mark.parametrize(("room", "share"), [(0, 1.0), (1 << 26, 0.5)])
def test_a_score_that_is_kept_is_worked_out_once(room: int, share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "SCORES_KEPT", room)
    monkeypatch.setattr(ranking, "MOST_ROWS", 1)
    scorer, items = Counted(whole_numbers(2, 400)), np.arange(400)
    rows_of(scorer, items, items)
    assert share <= scorer.worked_out / 400**2 <= share + ranking.MOST_THREADS / 400


def test_no_more_is_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "SCORES_KEPT", 1000)
    items = np.arange(100)
    rows = ranking._Rows(Cosine(whole_numbers(4, 100)), items, items)
    for start in range(0, 100, 4):
        rows.keep([rows.of(slice(start, start + 4))[0]])
    assert sum(kept.size for _, kept in rows._kept) == 4 * 100 + 4 * 96  # the next 4 * 92 no longer fit
    assert rows._known == 8


def test_nothing_is_kept_where_queries_are_not_the_candidates() -> None:
    items = np.arange(100)
    for other in (items[:99], items[::-1].copy(), np.arange(100, 200)):
        rows = ranking._Rows(Cosine(whole_numbers(5, 200)), items, other)
        rows.keep([rows.of(slice(0, 4))[0]])
        assert not rows._kept


def test_small_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, queries, candidates = whole_numbers(6, 101), np.arange(30), np.arange(101)
    monkeypatch.setattr(ranking, "SCORES_AT_ONCE", 1)
    np.testing.assert_array_equal(rows_of(Cosine(vectors), queries, candidates), plain(vectors, queries, candidates))


@pytest.mark.parametrize(("count", "width", "queries"), [(37, 3, 1), (1003, 512, 1), (4099, 1280, 1), (999, 17, 5)])
def test_exact_copies_score_equally(count: int, width: int, queries: int) -> None:
    # Long single-query products are where a matrix library rounds equal columns differently.
    rng = np.random.default_rng(count)
    for _ in range(5):
        gallery = np.repeat(rng.standard_normal((1, width)).astype(np.float32), count, axis=0)
        vectors = np.concatenate([gallery, rng.standard_normal((queries, width)).astype(np.float32)])
        found = rows_of(Cosine(vectors), count + np.arange(queries), np.arange(count))
        assert (found == found[:, :1]).all()


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_exact_copies_score_equally_also_where_scores_are_kept(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "MOST_ROWS", rows)
    kinds = np.random.default_rng(7).integers(0, 40, 300)
    vectors = np.random.default_rng(8).standard_normal((40, 515)).astype(np.float32)[kinds]
    found = rows_of(Cosine(vectors), np.arange(300), np.arange(300))
    np.fill_diagonal(found, np.nan)
    for kind in range(40):
        columns = found[:, kinds == kind]
        assert (np.nanmin(columns, axis=1) == np.nanmax(columns, axis=1)).all()


def test_same_rows_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "MOST_ROWS", 16)
    scorer, items = Cosine(np.random.default_rng(9).standard_normal((400, 65)).astype(np.float32)), np.arange(400)
    first = rows_of(scorer, items, items)
    for _ in range(5):
        np.testing.assert_array_equal(rows_of(scorer, items, items), first)


def test_nothing_is_visited_where_there_is_nothing() -> None:
    none, some = np.arange(0), np.arange(3)
    for queries, candidates in ((none, some), (some, none), (none, none)):
        assert rows_of(Cosine(np.eye(3, dtype=np.float32)), queries, candidates).size == 0


def test_errors_of_the_visitor_are_raised_and_the_next_ranking_works() -> None:
    def visit(part: slice, scores: Floats) -> None:
        raise ZeroDivisionError

    scorer, items = Cosine(np.eye(2, dtype=np.float32)), np.arange(2)
    with pytest.raises(ZeroDivisionError):
        visit_rows(scorer, items, items, visit)
    assert rows_of(scorer, items, items).tolist() == [[-np.inf, 0], [0, -np.inf]]
