"""Sampled pairs and triplets: against scikit-learn and naive loops, with intervals that hold what they promise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from core.datasets import load_dataset
from core.embed import embed
from core.errors import LikenessError
from core.metrics.grid import similarity
from core.metrics.scorer import Cosine
from core.records import Dataset
from core.sampled import (
    SIZES,
    Sample,
    draw_pairs,
    draw_triplets,
    evaluate_pairs,
    evaluate_triplets,
    pair_rates,
    shared_variance,
    triplet_accuracy,
)  # fmt: skip
from core.store import EmbeddingStore
from core.vectors import stored_vectors
from core.verify import verify
from tests import pictures
from tests.core.metrics.pair_data import items
from tests.fakes import fake, install

A = fake("fake-a", dim=24)


def dataset_of(codes: np.ndarray, split: str = "test") -> Dataset:
    names = np.array([f"{row:032x}" for row in range(len(codes))])
    return Dataset("ref", "Things", Path(), names, names, codes.astype(str), np.full(len(codes), split))


VECTORS, CODES = items(200, 5)
DATASET = dataset_of(CODES)


@pytest.mark.parametrize("size", [2, 3, *SIZES])
def test_pairs_are_different_and_half_are_of_one_class(size: int) -> None:
    sample = draw_pairs(DATASET, "test", size)
    same = CODES[sample.rows[:, 0]] == CODES[sample.rows[:, 1]]
    assert same.tolist() == sample.same.tolist()
    assert same.sum() == (size + 1) // 2
    assert len(np.unique(np.sort(sample.rows, axis=1), axis=0)) == len(sample) == size
    assert (sample.ids == DATASET.ids[sample.rows]).all()


def test_the_seed_decides_and_nothing_else() -> None:
    for draw in (draw_pairs, draw_triplets):
        one, again, other = (draw(DATASET, "test", 95, seed).rows.tolist() for seed in (1, 1, 2))
        assert one == again != other
    assert draw_pairs(DATASET, "test", 96).rows[0].tolist() != draw_pairs(DATASET, "test", 95).rows[0].tolist()


def test_triplets_are_an_anchor_one_of_its_class_and_one_of_another() -> None:
    sample = draw_triplets(DATASET, "test", 935)
    anchor, positive, negative = sample.rows.T
    assert (CODES[anchor] == CODES[positive]).all()
    assert (CODES[anchor] != CODES[negative]).all()
    assert (anchor != positive).all()
    assert len(np.unique(np.sort(sample.rows[:, :2], axis=1), axis=0)) == 935


def test_every_image_of_another_class_can_be_the_negative_and_every_image_of_a_class_the_anchor() -> None:
    codes = np.array([1, 0, 2, 0, 1, 0])
    found = np.concatenate([draw_triplets(dataset_of(codes), "test", 4, seed).rows for seed in range(60)])
    seen = {tuple(row) for row in found.tolist()}
    indices = range(6)
    every = {
        (a, p, n) for a in indices for p in indices for n in indices
        if a != p and codes[a] == codes[p] and codes[a] != codes[n]
    }  # fmt: skip
    assert seen == every


def test_only_images_of_the_split_are_drawn() -> None:
    mixed = Dataset(**{**vars(dataset_of(CODES)), "splits": np.where(np.arange(200) % 2, "val", "test")})
    assert (draw_pairs(mixed, "val", 95).rows % 2 == 1).all()
    assert (draw_triplets(mixed, "val", 95).rows % 2 == 1).all()


@pytest.mark.parametrize("threshold", [-1.0, 0.1, 0.3, 0.5, 1.0])
def test_rates_are_those_of_scikit_learn_on_the_same_pairs(threshold: float) -> None:
    sample = draw_pairs(DATASET, "test", 335)
    called = np.array([float(VECTORS[a] @ VECTORS[b]) >= threshold for a, b in sample.rows])
    peers = {
        "accuracy": accuracy_score(sample.same, called),
        "precision": precision_score(sample.same, called, zero_division=1.0),
        "recall": recall_score(sample.same, called),
        "f1": f1_score(sample.same, called),
    }
    found = pair_rates(sample, Cosine(VECTORS), threshold)
    assert {name: rate.value for name, rate in found.items()} == pytest.approx(peers)
    for rate in found.values():
        assert 0 <= rate.low <= rate.value <= rate.high <= 1
        assert rate.low < rate.high


def test_triplet_accuracy_is_that_of_a_naive_loop() -> None:
    sample = draw_triplets(DATASET, "test", 335)
    wins = [VECTORS[a] @ VECTORS[p] > VECTORS[a] @ VECTORS[n] for a, p, n in sample.rows]
    found = triplet_accuracy(sample, Cosine(VECTORS))
    assert found.value == pytest.approx(np.mean(wins))
    assert 0.5 < found.low < found.value < found.high < 1


def test_ties_count_half() -> None:
    found = triplet_accuracy(draw_triplets(DATASET, "test", 95), Cosine(np.ones((200, 1), np.float32)))
    assert found.value == 0.5
    assert found.low < 0.5 < found.high


def test_an_answer_without_errors_is_not_certain() -> None:
    codes = np.repeat([0, 1], 10)
    vectors = np.eye(2, dtype=np.float32)[codes]
    accuracy = pair_rates(draw_pairs(dataset_of(codes), "test", 95), Cosine(vectors), 0.5)["accuracy"]
    assert accuracy.value == accuracy.high == 1
    assert 0.6 < accuracy.low < 0.8  # 20 images make 10 disjoint pairs


@pytest.mark.parametrize("images", [2, 3])
def test_the_variance_is_that_of_a_naive_sum(images: int) -> None:
    random = np.random.default_rng(0)
    rows = np.array([random.choice(12, images, replace=False) for _ in range(60)])
    terms = random.standard_normal(60)
    naive = sum(
        terms[i] * terms[j] for i in range(60) for j in range(60) if set(rows[i].tolist()) & set(rows[j].tolist())
    )
    assert shared_variance(terms, rows) == pytest.approx(naive)


def test_images_that_are_in_many_pairs_make_intervals_wider() -> None:
    vectors, codes = items(40, 4)
    few = pair_rates(draw_pairs(dataset_of(codes), "test", 335), Cosine(vectors), 0.3)["accuracy"]
    vectors, codes = items(4000, 4)
    many = pair_rates(draw_pairs(dataset_of(codes), "test", 335), Cosine(vectors), 0.3)["accuracy"]
    assert few.high - few.low > 1.1 * (many.high - many.low)


def test_intervals_cover_the_truth() -> None:
    """60 images of 6 classes, 300 times: 95% intervals of 335 pairs must cover between 91% and 99%."""
    random = np.random.default_rng(3)
    centres, codes = random.standard_normal((6, 16)), np.arange(6000) % 6
    vectors = centres[codes] + 1.2 * random.standard_normal((6000, 16))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    truth = pair_rates(draw_pairs(dataset_of(codes), "test", 200_000), Cosine(vectors), 0.3)
    triplets = triplet_accuracy(draw_triplets(dataset_of(codes), "test", 100_000), Cosine(vectors))
    few = dataset_of(codes[:60])
    covered = []
    for start in range(0, 6000, 20):
        own = np.roll(vectors, -start * 6, axis=0)[:60]
        found = pair_rates(draw_pairs(few, "test", 335, start), Cosine(own), 0.3)
        three = triplet_accuracy(draw_triplets(few, "test", 250, start), Cosine(own))
        hits = [found[name].low <= rate.value <= found[name].high for name, rate in truth.items()]
        covered.append([*hits, three.low <= triplets.value <= three.high])
    shares = np.mean(covered, axis=0)
    assert (shares >= 0.91).all(), shares
    assert (shares <= 0.99).all(), shares


@pytest.mark.parametrize(
    ("codes", "size", "message"),
    [
        ([0, 0, 1, 1], 1, "one of each kind is needed"),
        ([0, 0, 1, 1], 6, "3 pairs of one class were asked for, but these images make 2"),
        ([0, 0, 0, 0], 2, "1 pairs of two classes were asked for, but these images make 0"),
    ],
)
def test_more_pairs_than_there_are_are_refused_in_words(codes: list[int], size: int, message: str) -> None:
    with pytest.raises(LikenessError, match=message):
        draw_pairs(dataset_of(np.array(codes)), "test", size)


@pytest.mark.parametrize(
    ("codes", "size", "message"),
    [
        ([0, 0, 1, 1], 0, "0 triplets was asked for"),
        ([0, 0, 1, 1], 3, "3 pairs of one class were asked for, but these images make 2"),
        ([0, 0, 0, 0], 2, "All images are of one class"),
    ],
)
def test_more_triplets_than_there_are_are_refused_in_words(codes: list[int], size: int, message: str) -> None:
    with pytest.raises(LikenessError, match=message):
        draw_triplets(dataset_of(np.array(codes)), "test", size)


def test_a_model_is_evaluated_from_its_stored_vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    dataset = load_dataset(str(pictures.paint(tmp_path / "shapes", {"circle": 20, "cross": 20, "square": 20})))
    store = EmbeddingStore()
    embed(dataset, [A], store)
    pairs = verify(dataset, A, store, "train")
    found = evaluate_pairs(pairs, store, 0.5, (20, 95), seed=4)
    assert [len(result.sample) for result in found] == [20, 95]
    sample = draw_pairs(dataset, "train", 95, 4)
    vectors = stored_vectors(dataset, A, store)
    right = (similarity(*vectors[sample.rows.T]) >= 0.5) == sample.same
    content = json.loads(json.dumps(found[1].as_json(), allow_nan=False))
    assert content["accuracy"] == pytest.approx(right.mean(), abs=1e-6)
    assert content["ci"]["accuracy"][0] <= content["accuracy"] <= content["ci"]["accuracy"][1]
    assert content["sample"]["seed"] == 4
    assert content["sample"]["ids"] == sample.ids.tolist()
    triplets = evaluate_triplets(pairs, store, 95)
    assert isinstance(triplets.sample, Sample)
    assert triplets.as_json()["threshold"] is None
    assert np.array(triplets.as_json()["sample"]["ids"]).shape == (95, 3)  # type: ignore[index]
