"""Per-query values against a plain loop, against pytorch-metric-learning, and against what must always hold."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import LikenessError
from core.metrics import CUTOFFS, QueryResults, evaluate_queries, ranking, summarise
from core.metrics.scorer import Cosine

Floats = NDArray[np.float32]
Codes = NDArray[np.intp]


def unit(vectors: NDArray[np.float64]) -> Floats:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def sample(seed: int, count: int, classes: int, width: int = 16) -> tuple[Floats, Codes]:
    """Random points with some class structure."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, classes, count)
    centres = np.random.default_rng(99).standard_normal((classes, width))
    return unit(centres[codes] + 1.5 * rng.standard_normal((count, width))), codes


def ask(
    queries: Floats, query_codes: Codes, gallery: Floats, gallery_codes: Codes, own: Codes | None = None
) -> QueryResults:
    """Evaluate queries that are items apart or, where ``own`` is not -1, that candidate itself."""
    count = len(gallery)
    scorer = Cosine(np.concatenate([gallery, queries]))
    items = count + np.arange(len(queries))
    if own is not None:
        items = np.where(own >= 0, own, items)
    return evaluate_queries(scorer, np.concatenate([gallery_codes, query_codes]), items, np.arange(count))


def naive(
    queries: Floats, query_codes: Codes, gallery: Floats, gallery_codes: Codes, own: Codes
) -> list[dict[str, Any]]:
    rows = []
    for q in range(len(queries)):
        scored = []
        for g in range(len(gallery)):
            if g != own[q]:
                scored.append((-float(np.dot(queries[q].astype(float), gallery[g].astype(float))), g))
        ranking = [g for _, g in sorted(scored)]
        hits = [bool(gallery_codes[g] == query_codes[q]) for g in ranking]
        r = sum(hits)
        if r == 0:
            continue
        rows.append(
            {
                "index": q,
                "codes": query_codes[q],
                "relevant": r,
                "precision": [sum(hits[:k]) / k for k in range(1, CUTOFFS + 1)],
                "reciprocal_rank": 1 / (hits.index(True) + 1),
                "r_precision": sum(hits[:r]) / r,
                "ap_at_r": sum(sum(hits[:i]) / i for i in range(1, r + 1) if hits[i - 1]) / r,
                "nearest": (ranking + [-1] * CUTOFFS)[:CUTOFFS],
            }
        )
    return rows


def assert_equals_naive(results: QueryResults, expected: list[dict[str, Any]], queries: int) -> None:
    assert len(results) == len(expected)
    assert results.left_out == queries - len(expected)
    for name in expected[0]:
        np.testing.assert_array_equal(getattr(results, name), [row[name] for row in expected], err_msg=name)
    np.testing.assert_array_equal(results.hit_at_1, [row["precision"][0] for row in expected])


@pytest.mark.parametrize(("count", "classes"), [(120, 4), (150, 40), (12, 3), (60, 1)])
def test_equals_a_plain_loop(count: int, classes: int) -> None:
    gallery, gallery_codes = sample(1, count, classes)
    queries, query_codes = sample(2, 80, classes + 1)  # one class may be missing from the gallery
    expected = naive(queries, query_codes, gallery, gallery_codes, np.full(80, -1))
    assert_equals_naive(ask(queries, query_codes, gallery, gallery_codes), expected, 80)


@pytest.mark.parametrize("rows_at_once", [6, 512])
@pytest.mark.parametrize("some_outside", [False, True])
@pytest.mark.parametrize(("count", "classes"), [(120, 4), (90, 45), (9, 2)])
def test_equals_a_plain_loop_leaving_one_out(
    count: int, classes: int, some_outside: bool, rows_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "MOST_ROWS", rows_at_once)
    points, codes = sample(3, count, classes)
    own = np.arange(count)
    if some_outside:
        own[::7] = -1  # some queries are not in the gallery
    expected = naive(points, codes, points, codes, own)
    assert_equals_naive(ask(points, codes, points, codes, own), expected, count)


def test_equals_a_plain_loop_where_the_only_relevant_item_ranks_deep() -> None:
    gallery, gallery_codes = sample(4, 300, 150)
    queries, query_codes = sample(5, 100, 150)
    results = ask(-queries, query_codes, gallery, gallery_codes)
    assert (results.reciprocal_rank < 1 / 100).any()
    expected = naive(-queries, query_codes, gallery, gallery_codes, np.full(100, -1))
    assert_equals_naive(results, expected, 100)


@pytest.mark.parametrize("leave_one_out", [False, True])
def test_equals_pytorch_metric_learning(leave_one_out: bool) -> None:
    torch = pytest.importorskip("torch")
    accuracy_calculator = pytest.importorskip("pytorch_metric_learning.utils.accuracy_calculator")
    inference = pytest.importorskip("pytorch_metric_learning.utils.inference")
    faiss = pytest.importorskip("faiss")
    gallery, gallery_codes = sample(6, 600, 12, width=64)
    queries, query_codes = (gallery, gallery_codes) if leave_one_out else sample(7, 300, 12, width=64)
    names = ("precision_at_1", "r_precision", "mean_average_precision_at_r", "mean_reciprocal_rank")
    calculator = accuracy_calculator.AccuracyCalculator(
        include=names,
        k=len(gallery) - leave_one_out,  # its MRR looks no further than k
        device=torch.device("cpu"),
        knn_func=inference.FaissKNN(index_init_fn=faiss.IndexFlatIP),
    )
    tensors = [torch.from_numpy(array) for array in (queries, query_codes, gallery, gallery_codes)]
    theirs = calculator.get_accuracy(*tensors, ref_includes_query=leave_one_out)
    own = np.arange(len(gallery)) if leave_one_out else None
    ours = summarise(ask(queries, query_codes, gallery, gallery_codes, own))
    for mine, name in zip(("retrieval_accuracy", "r_precision", "map_at_r", "mrr"), names, strict=True):
        assert ours[mine] == pytest.approx(theirs[name], abs=1e-6), name
    assert 0.1 < ours["map_at_r"] < 0.9


def assume_no_near_ties(queries: Floats, gallery: Floats) -> None:
    """Skip samples whose order hangs on how a matrix product rounds, which depends on where a row stands."""
    scores = np.sort(queries.astype(np.float64) @ gallery.T.astype(np.float64), axis=1)
    assume((np.diff(scores, axis=1) > 1e-6).all())


cases = st.tuples(st.integers(0, 10_000), st.integers(2, 60), st.integers(1, 8), st.booleans())


def evaluate_case(case: tuple[int, int, int, bool], order: Codes | None = None) -> tuple[QueryResults, Codes]:
    """Results of a random case, with the gallery in another order if one is given, and the query codes."""
    seed, count, classes, leave_one_out = case
    gallery, gallery_codes = sample(seed, count, classes)
    queries, query_codes = (gallery, gallery_codes) if leave_one_out else sample(seed + 1, 25, classes)
    own = np.arange(count) if leave_one_out else None
    assume_no_near_ties(queries, gallery)
    if order is not None:
        gallery, gallery_codes = gallery[order], gallery_codes[order]
        own = None if own is None else np.argsort(order)
    return ask(queries, query_codes, gallery, gallery_codes, own), query_codes


@settings(max_examples=60, deadline=None)
@given(cases)
def test_order_of_the_gallery_does_not_matter(case: tuple[int, int, int, bool]) -> None:
    order = np.random.default_rng(case[0]).permutation(case[1])
    straight, shuffled = evaluate_case(case)[0], evaluate_case(case, order)[0]
    back = np.where(shuffled.nearest < 0, -1, order[shuffled.nearest])
    np.testing.assert_array_equal(straight.nearest, back)
    for name in {field.name for field in fields(QueryResults)} - {"nearest"}:
        np.testing.assert_array_equal(getattr(straight, name), getattr(shuffled, name))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 6))
def test_order_of_queries_carries_over(seed: int, count: int, classes: int) -> None:
    gallery, gallery_codes = sample(seed, 50, classes)
    queries, query_codes = sample(seed + 1, count, classes + 1)
    assume_no_near_ties(queries, gallery)
    order = np.random.default_rng(seed).permutation(count)
    straight = ask(queries, query_codes, gallery, gallery_codes)
    shuffled = ask(queries[order], query_codes[order], gallery, gallery_codes)
    back = np.argsort(order[shuffled.index])
    np.testing.assert_array_equal(order[shuffled.index][back], straight.index)
    for name in ("codes", "relevant", "precision", "reciprocal_rank", "r_precision", "ap_at_r", "nearest"):
        np.testing.assert_array_equal(getattr(shuffled, name)[back], getattr(straight, name))


@settings(max_examples=60, deadline=None)
@given(cases)
def test_values_keep_their_bounds(case: tuple[int, int, int, bool]) -> None:
    results, query_codes = evaluate_case(case)
    for name in ("precision", "reciprocal_rank", "r_precision", "ap_at_r"):
        values = getattr(results, name)
        assert ((values >= 0) & (values <= 1)).all(), name
    assert (results.reciprocal_rank > 0).all()
    assert (results.ap_at_r <= results.r_precision + 1e-12).all()
    assert (results.nearest.shape, results.nearest.dtype) == ((len(results), CUTOFFS), np.int32)
    np.testing.assert_array_equal(results.hit_at_1 == 1, results.reciprocal_rank == 1)
    np.testing.assert_array_equal(results.codes, query_codes[results.index])
    assert len(results) + results.left_out == len(query_codes)


def test_perfect_and_opposite_embeddings() -> None:
    codes = np.repeat(np.arange(4), 30)
    perfect = np.eye(4, dtype=np.float32)[codes]
    best = ask(perfect, codes, perfect, codes, np.arange(120))
    assert set(summarise(best).values()) == {1.0}
    worst = summarise(ask(-perfect, codes, perfect, codes))
    assert worst.pop("mrr") == pytest.approx(1 / 91)
    assert set(worst.values()) == {0.0}


@pytest.mark.parametrize("alone", [False, True])
def test_same_answer_every_time_with_many_ties(alone: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "MOST_ROWS", 32)
    vectors = np.random.default_rng(3).integers(-1, 2, (800, 6)).astype(np.float32)
    queries, candidates = np.arange(400), np.arange(400) if alone else np.arange(400, 800)
    scores = vectors[queries] @ vectors[candidates].T
    scores[queries[:, None] == candidates] = -np.inf
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :CUTOFFS]
    for _ in range(3):
        results = evaluate_queries(Cosine(vectors), np.zeros(800, int), queries, candidates)
        np.testing.assert_array_equal(results.nearest, expected)


def test_zero_equals_minus_zero() -> None:
    gallery = np.array([[0.0, 1.0], [-0.0, 1.0], [0.0, 1.0], [-0.0, 1.0]], np.float32)
    queries = np.array([[1.0, 0.0], [-1.0, 0.0], [1.0, -0.0]], np.float32)
    results = ask(queries, np.zeros(3, int), gallery, np.zeros(4, int))
    assert results.nearest[:, :4].tolist() == [[0, 1, 2, 3]] * 3


def test_of_equal_scores_the_lower_position_comes_first() -> None:
    points = np.ones((4, 1), np.float32)
    results = ask(points[:1], np.array([7]), points, np.array([5, 7, 5, 7]))
    assert results.reciprocal_rank.tolist() == [0.5]
    assert results.precision[0, :4].tolist() == [0.0, 0.5, pytest.approx(1 / 3), 0.5]
    assert results.ap_at_r.tolist() == [0.25]


def test_a_query_never_finds_itself_even_among_copies() -> None:
    points = np.ones((3, 1), np.float32)
    results = ask(points, np.array([0, 1, 1]), points, np.array([0, 1, 1]), np.arange(3))
    assert (results.index.tolist(), results.left_out) == ([1, 2], 1)
    assert results.relevant.tolist() == [1, 1]
    assert results.reciprocal_rank.tolist() == [0.5, 0.5]  # row 0 stands before the other copy
    assert results.precision[:, 2].tolist() == [pytest.approx(1 / 3)] * 2


def test_precision_divides_by_k_in_a_small_gallery() -> None:
    points = np.eye(2, dtype=np.float32)
    results = ask(points[:1], np.array([0]), points, np.array([0, 0]))
    np.testing.assert_allclose(results.precision[0], [1, *(2 / k for k in range(2, CUTOFFS + 1))])


@pytest.mark.parametrize("gallery", [0, 3])
def test_queries_of_unknown_class_are_left_out(gallery: int) -> None:
    points = np.eye(3, dtype=np.float32)
    results = ask(points, np.array([8, 9, -1]), points[:gallery], np.arange(gallery))
    assert (len(results), results.left_out, results.precision.shape) == (0, 3, (0, CUTOFFS))
    with pytest.raises(LikenessError, match="No query counts"):
        summarise(results)


@pytest.mark.parametrize("codes", [np.zeros(2, int), np.zeros(3), np.zeros((3, 1), int)])
def test_codes_that_do_not_fit_are_refused(codes: Codes) -> None:
    points, items = Cosine(np.eye(3, dtype=np.float32)), np.arange(3)
    with pytest.raises(LikenessError, match="There are 3 items"):
        evaluate_queries(points, codes, items, items)


@pytest.mark.parametrize("chosen", [np.array([0, 3]), np.array([-1]), np.zeros((1, 1), int), np.zeros(1)])
def test_items_that_do_not_fit_are_refused(chosen: Codes) -> None:
    points, items = Cosine(np.eye(3, dtype=np.float32)), np.arange(3)
    with pytest.raises(LikenessError, match="queries must be a row of item numbers from 0 to 2"):
        evaluate_queries(points, items, chosen, items)
    with pytest.raises(LikenessError, match="candidates must be a row of item numbers from 0 to 2"):
        evaluate_queries(points, items, items, chosen)


def test_a_candidate_given_twice_is_refused_and_a_query_asked_twice_is_not() -> None:
    points, codes = Cosine(np.eye(3, dtype=np.float32)), np.zeros(3, int)
    with pytest.raises(LikenessError, match="twice"):
        evaluate_queries(points, codes, np.arange(3), np.array([0, 1, 0]))
    results = evaluate_queries(points, codes, np.array([1, 1]), np.arange(3))
    assert results.nearest[:, :3].tolist() == [[0, 2, -1]] * 2


def test_a_subset_is_what_its_queries_alone_would_give() -> None:
    gallery, gallery_codes = sample(1, 60, 4)
    queries, query_codes = sample(2, 30, 5)
    whole = ask(queries, query_codes, gallery, gallery_codes)
    keep = np.arange(len(whole)) % 3 > 0
    asked = whole.index[keep]
    alone = ask(queries[asked], query_codes[asked], gallery, gallery_codes)
    part = whole.subset(keep)
    assert (len(part), part.left_out) == (len(alone), whole.left_out)
    np.testing.assert_array_equal(part.index, asked)
    for name in {field.name for field in fields(QueryResults)} - {"index", "left_out"}:
        np.testing.assert_array_equal(getattr(part, name), getattr(alone, name), err_msg=name)
    with pytest.raises(LikenessError, match="one boolean for each"):
        whole.subset(keep[1:])
    with pytest.raises(LikenessError, match="one boolean for each"):
        whole.subset(asked)
