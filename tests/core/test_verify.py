"""Pairs of a split, counted once and kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core import verify as module
from core.datasets import load_dataset
from core.embed import embed
from core.records import Dataset
from core.store import EmbeddingStore
from core.vectors import class_codes, split_rows, stored_vectors
from core.verify import has_both_kinds, verify
from tests import pictures
from tests.core.metrics.pair_data import all_pairs
from tests.fakes import fake, install

A = fake("fake-a", dim=24)


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    install(monkeypatch)
    return load_dataset(str(pictures.paint(tmp_path / "shapes", {"circle": 20, "cross": 20, "square": 20})))


@pytest.fixture
def store(dataset: Dataset) -> EmbeddingStore:
    store = EmbeddingStore()
    embed(dataset, [A], store)
    return store


def test_it_counts_the_pairs_of_the_split(dataset: Dataset, store: EmbeddingStore) -> None:
    found = verify(dataset, A, store, "train")
    rows = split_rows(dataset, "train")
    assert found.rows.tolist() == rows.tolist()
    scores, same = all_pairs(stored_vectors(dataset, A, store)[rows], class_codes(dataset)[rows])
    counts = found.verification.counts(0.5)
    assert counts.true_match == (same & (scores >= 0.5)).sum()
    assert counts.false_match == (~same & (scores >= 0.5)).sum()


def test_it_is_computed_once_and_kept(dataset: Dataset, store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first = verify(dataset, A, store, "train").verification
    monkeypatch.setattr(module, "pair_scores", None)
    again = verify(dataset, A, store, "train").verification
    assert np.array_equal(first.scores.draws, again.scores.draws)
    assert first.eer == again.eer


def test_a_damaged_result_is_computed_again(dataset: Dataset, store: EmbeddingStore) -> None:
    first = verify(dataset, A, store, "train").verification
    (kept,) = (store.folder / "verifications").glob("*.safetensors")
    data = bytearray(kept.read_bytes())
    data[-5] ^= 255
    kept.write_bytes(bytes(data))
    assert verify(dataset, A, store, "train").verification.eer == first.eer


def test_splits_without_both_kinds_of_pairs_are_known(dataset: Dataset) -> None:
    assert has_both_kinds(dataset, "train")
