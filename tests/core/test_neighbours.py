"""The nearest images of every image: equal to brute force, kept, and never the image itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core import neighbours as module
from core.errors import LikenessError
from core.index import all_nearest
from core.neighbours import MOST, nearest_neighbours
from core.records import Dataset
from core.store import EmbeddingStore
from tests.fakes import fake

MODEL = fake("one")


def unit(count: int, dim: int = 16, seed: int = 0) -> NDArray[np.float32]:
    """Random unit vectors."""
    values = np.random.default_rng(seed).standard_normal((count, dim))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def dataset(count: int, classes: int = 3) -> Dataset:
    """Rows without files."""
    rows = np.arange(count)
    paths, ids = (np.array([form.format(row) for row in rows]) for form in ("{:05}.png", "{:032x}"))
    labels = np.array([f"class {row % classes}" for row in rows])
    return Dataset("random", "Random", Path("/nowhere"), ids, paths, labels, np.repeat("train", count))


def stored(data: Dataset, vectors: NDArray[np.float32]) -> EmbeddingStore:
    """A store in which the model has embedded the rows, not in their order."""
    store = EmbeddingStore()
    order = np.random.default_rng(1).permutation(len(data))
    store.append(MODEL.fingerprint, data.ids[order].tolist(), vectors[order])
    return store


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 60), st.integers(1, 20), st.integers(0, 10_000))
def test_all_nearest_is_brute_force(count: int, k: int, seed: int) -> None:
    vectors, k = unit(count, 4, seed), min(k, count - 1)
    rows, scores = all_nearest(vectors, k)
    wanted = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    for row in range(count):
        others = np.delete(np.arange(count), row)
        best = others[np.argsort(-wanted[row, others], kind="stable")][:k]
        assert scores[row] == pytest.approx(wanted[row, best], abs=1e-6)
        assert len(set(rows[row].tolist()) - {row}) == k
        assert scores[row] == pytest.approx(wanted[row, rows[row]], abs=1e-6)


def test_more_equal_images_than_are_asked_for_never_find_themselves() -> None:
    rows, scores = all_nearest(np.repeat(unit(1), 40, axis=0), 5)
    assert (rows != np.arange(40)[:, None]).all()
    assert all(len(set(found)) == 5 for found in rows.tolist())
    assert scores == pytest.approx(1)


def test_rows_are_the_dataset_s_whatever_the_order_of_the_store() -> None:
    data, vectors = dataset(70), unit(70)
    found = nearest_neighbours(data, MODEL, stored(data, vectors))
    assert found.rows.shape == found.scores.shape == (70, MOST)
    assert found.scores == pytest.approx(np.take_along_axis(vectors @ vectors.T, found.rows, axis=1), abs=1e-6)
    assert (np.diff(found.scores, axis=1) <= 0).all()


def test_they_are_computed_once_and_again_for_other_images(monkeypatch: pytest.MonkeyPatch) -> None:
    data, vectors = dataset(20), unit(20)
    store = stored(data, vectors)
    first = nearest_neighbours(data, MODEL, store)
    computed: list[int] = []

    def counted(values: NDArray[np.float32], k: int, progress: object) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        computed.append(len(values))
        return all_nearest(values, k)

    monkeypatch.setattr(module, "all_nearest", counted)
    again = nearest_neighbours(data, MODEL, store)
    assert computed == []
    assert (again.rows == first.rows).all()
    assert (again.scores == first.scores).all()
    assert nearest_neighbours(data.take(np.arange(12)), MODEL, store).rows.max() == 11
    assert computed == [12]


def test_a_damaged_file_is_made_again() -> None:
    data = dataset(20)
    store = stored(data, unit(20))
    first = nearest_neighbours(data, MODEL, store)
    kept = next((store.folder / "neighbours").glob("*.safetensors"))
    kept.write_bytes(kept.read_bytes()[:-1] + b"\x00")
    assert (nearest_neighbours(data, MODEL, store).rows == first.rows).all()


def test_one_image_has_none() -> None:
    with pytest.raises(LikenessError, match="at least 2"):
        nearest_neighbours(dataset(1), MODEL, EmbeddingStore())
