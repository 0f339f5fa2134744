"""Triplets of both kinds: against scikit-learn and naive loops, with intervals that hold what they promise."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import classification_report

from core.at_least_two import KINDS, TripletReport, TripletScores, draw_mixed, most, score_triplets
from core.errors import LikenessError
from core.metrics.grid import threshold_bin, to_thresholds
from core.metrics.scorer import Cosine
from core.metrics.verification import Estimate
from core.records import Dataset
from core.store import EmbeddingStore
from tests.core.metrics.pair_data import items
from tests.core.test_sampled import dataset_of
from tests.fakes import fake

A = fake("fake-a", dim=16)
VECTORS, CODES = items(200, 5)
DATASET = dataset_of(CODES)


@pytest.fixture
def scores() -> TripletScores:
    return stored(DATASET, VECTORS, 300)


def stored(dataset: Dataset, vectors: np.ndarray, size: int, seed: int = 0) -> TripletScores:
    store = EmbeddingStore()
    store.append(A.fingerprint, dataset.ids.tolist(), vectors)
    return score_triplets(dataset, A, store, "test", size, seed)


def naive(scores: TripletScores, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Which triplets hold a match, and which are called so, one at a time."""
    true, called = [], []
    for rows in scores.sample.rows.tolist():
        true.append(any(CODES[a] == CODES[b] for a, b in combinations(rows, 2)))
        found = [Cosine(VECTORS).pairs(np.array([a]), np.array([b]))[0] for a, b in combinations(rows, 2)]
        called.append(max(found) >= threshold)
    return np.array(true), np.array(called)


@pytest.mark.parametrize("size", [2, 3, 95, 1000])
def test_half_of_the_triplets_hold_exactly_one_pair_and_the_others_none(size: int) -> None:
    sample = draw_mixed(DATASET, "test", size)
    classes = np.array([len(np.unique(CODES[rows])) for rows in sample.rows])
    assert classes.tolist() == [2] * ((size + 1) // 2) + [3] * (size // 2)
    assert sample.same.tolist() == (classes == 2).tolist()
    assert all(len(set(rows)) == 3 for rows in sample.rows.tolist())
    assert len(np.unique(np.sort(sample.rows, axis=1), axis=0)) == len(sample) == size
    assert (sample.ids == DATASET.ids[sample.rows]).all()


def test_the_odd_one_stands_anywhere_and_the_seed_decides() -> None:
    sample = draw_mixed(DATASET, "test", 600, 1)
    codes = CODES[sample.rows[sample.same]]
    odd = [2 - [a == b for a, b in combinations(three, 2)].index(True) for three in codes.tolist()]
    assert min(np.bincount(odd)) > 60
    assert (draw_mixed(DATASET, "test", 600, 1).rows == sample.rows).all()
    assert (draw_mixed(DATASET, "test", 600, 2).rows != sample.rows).any()


def test_as_many_as_the_split_can_give_and_no_more() -> None:
    few = dataset_of(np.array([0, 0, 0, 1, 2]))
    assert most(few, "test") == 6
    assert len(draw_mixed(few, "test", 6)) == 6
    with pytest.raises(LikenessError, match="were asked for, but these images make 3"):
        draw_mixed(few, "test", 7)


@pytest.mark.parametrize(
    ("codes", "size", "message"),
    [
        ([0, 0, 1, 2], 1, "one of each kind is needed"),
        ([0, 0, 1, 1], 2, "Things has images of 2 classes in 'test', but a triplet without a match needs three"),
        ([0, 0, 0], 2, "images of 1 class in 'test'"),
        ([0, 1, 2], 2, "1 pairs of one class were asked for, but these images make 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(codes: list[int], size: int, message: str) -> None:
    with pytest.raises(LikenessError, match=message):
        draw_mixed(dataset_of(np.array(codes)), "test", size)


@pytest.mark.parametrize("threshold", [-1.0, 0.1, 0.3, 0.45, 0.7, 1.0])
def test_the_report_is_that_of_scikit_learn(threshold: float, scores: TripletScores) -> None:
    true, called = naive(scores, threshold)
    peer = classification_report(true, called, labels=[True, False], target_names=KINDS, output_dict=True,
                                 zero_division=1.0)  # fmt: skip
    found = scores.report(threshold)
    for kind, rates in found.kinds.items():
        ours = {"precision": rates.precision.value, "recall": rates.recall.value, "f1-score": rates.f1.value}
        assert {**ours, "support": rates.support} == pytest.approx(peer[kind])
    assert found.accuracy.value == pytest.approx(peer["accuracy"])
    for name in ("macro", "weighted"):
        ours = found.average(weighted=name == "weighted")
        assert ours == pytest.approx({key: peer[f"{name} avg"][key.replace("f1", "f1-score")] for key in ours})
    assert all(0 <= one.low <= one.value <= one.high <= 1 for one in estimates(found).values())


def test_kinds_of_unequal_number_are_weighted_by_their_support() -> None:
    scores = stored(DATASET, VECTORS, 3)
    true, called = naive(scores, 0.3)
    peer = classification_report(true, called, output_dict=True, zero_division=1.0)["weighted avg"]
    assert scores.report(0.3).average(weighted=True)["precision"] == pytest.approx(peer["precision"])
    assert [kind.support for kind in scores.report(0.3).kinds.values()] == [2, 1]


def estimates(found: TripletReport) -> dict[str, Estimate]:
    rates = ("precision", "recall", "f1")
    by_kind = {f"{name} {rate}": getattr(kind, rate) for name, kind in found.kinds.items() for rate in rates}
    return by_kind | {"accuracy": found.accuracy, "pair found": found.pair_found}


def test_the_pair_found_is_that_of_a_naive_loop(scores: TripletScores) -> None:
    right = []
    for rows in scores.sample.rows[scores.sample.same].tolist():
        a, b = max(combinations(rows, 2), key=lambda pair: float(VECTORS[pair[0]] @ VECTORS[pair[1]]))
        if VECTORS[a] @ VECTORS[b] >= 0.4:
            right.append(CODES[a] == CODES[b])
    assert scores.report(0.4).pair_found.value == pytest.approx(np.mean(right))


def test_a_pair_that_ties_counts_its_share() -> None:
    found = stored(DATASET, np.ones((200, 1), np.float32), 40).report(0.5)
    assert found.pair_found.value == pytest.approx(1 / 3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 6))
def test_the_threshold_is_the_best_of_all(seed: int, decimals: int) -> None:
    bins = np.random.default_rng(seed).integers(0, 10**decimals, (40, 3)).astype(np.int32)
    true = np.arange(40) < 20
    scores = TripletScores(draw_mixed(DATASET, "test", 40), np.zeros((40, 3), bool), bins)
    called = [bins.max(axis=1) >= one for one in np.append(np.unique(bins), bins.max() + 1)]
    f1 = [2 * (one & true).sum() / (one.sum() + true.sum()) for one in called]
    accuracy = [(one == true).mean() for one in called]
    assert scores.report(scores.best_threshold()).kinds["match"].f1.value == pytest.approx(max(f1))
    assert scores.report(scores.best_threshold("accuracy")).accuracy.value == pytest.approx(max(accuracy))


def test_rates_are_those_of_the_report_at_every_threshold(scores: TripletScores) -> None:
    bins = scores.thresholds[::40]
    for bin_, threshold, fmr, fnmr in zip(bins, to_thresholds(bins), *scores.rates(bins), strict=True):
        assert threshold_bin(threshold) == bin_
        found = scores.report(float(threshold)).kinds
        assert found["no match"].recall.value == pytest.approx(1 - fmr)
        assert found["match"].recall.value == pytest.approx(1 - fnmr)


def test_the_json_holds_numbers_with_their_intervals(scores: TripletScores) -> None:
    found = json.loads(json.dumps(scores.report(0.4).as_json(), allow_nan=False))
    assert set(found) == {"threshold", *KINDS, "accuracy", "pair_found", "macro avg", "weighted avg"}
    low, high = found["match"]["f1"]["ci"]
    assert low < found["match"]["f1"]["value"] < high


def test_intervals_cover_the_truth() -> None:
    """60 images of 6 classes, 200 times: 95% intervals of 200 triplets must cover between 90% and 99.5%."""
    random = np.random.default_rng(3)
    centres, codes = random.standard_normal((6, 16)), np.arange(12_000) % 6
    vectors = centres[codes] + random.standard_normal((12_000, 16))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    truth = estimates(stored(dataset_of(codes), vectors, 40_000).report(0.45))
    few = dataset_of(codes[:60])
    covered = []
    for number in range(200):
        sample = draw_mixed(few, "test", 200, number)
        pairs = [sample.rows[:, list(ends)] for ends in combinations(range(3), 2)]
        own = Cosine(vectors[60 * number : 60 * number + 60])
        bins = np.stack([((own.pairs(*pair.T) + 1) * 500_000).astype(np.int32) for pair in pairs], axis=1)
        alike = np.stack([codes[pair[:, 0]] == codes[pair[:, 1]] for pair in pairs], axis=1)
        found = estimates(TripletScores(sample, alike, bins).report(0.45))
        covered.append([found[name].low <= one.value <= found[name].high for name, one in truth.items()])
    shares = np.mean(covered, axis=0)
    assert (shares >= 0.90).all(), shares
    assert (shares <= 0.995).all(), shares
