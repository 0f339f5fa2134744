"""Search over a dataset: by file, by vector, with filters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.embed import embed
from core.errors import LikenessError, UnreadableImage
from core.records import Dataset
from core.search import Filters, Searcher
from core.store import EmbeddingStore
from core.vectors import stored_vectors
from tests import pictures
from tests.fakes import FakeRunner, fake, install

A = fake("fake-a", dim=24)


@pytest.fixture
def store(cache: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddingStore:
    install(monkeypatch)
    return EmbeddingStore(cache)


@pytest.fixture
def dataset(tmp_path: Path, store: EmbeddingStore) -> Dataset:
    data = pictures.load(pictures.paint(tmp_path / "d", 10))
    embed(data, [A], store)
    return data


def _brute(dataset: Dataset, store: EmbeddingStore, vector: np.ndarray, rows: list[int], k: int) -> list[int]:
    scores = stored_vectors(dataset, A, store)[rows].astype(np.float64) @ vector.astype(np.float64)
    return [rows[place] for place in np.argsort(-scores, kind="stable")[:k]]


@pytest.mark.parametrize(
    "filters", [Filters(), Filters(label="cross"), Filters(split="train"), Filters("circle", "val")]
)
def test_hits_equal_brute_force_under_every_filter(dataset: Dataset, store: EmbeddingStore, filters: Filters) -> None:
    vector = stored_vectors(dataset, A, store)[3]
    hits = Searcher.open(dataset, A, store).by_vector(vector, 5, filters)
    rows = dataset.rows(filters.split, filters.label).tolist()
    assert [hit.row for hit in hits] == _brute(dataset, store, vector, rows, 5)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_an_image_of_the_dataset_is_not_among_its_own_hits_and_loads_no_network(
    dataset: Dataset, store: EmbeddingStore
) -> None:
    searcher = Searcher.open(dataset, A, store, load=lambda _: pytest.fail("loaded a network for nothing"))
    hits = searcher.by_image(dataset.file(3).read_bytes(), k=len(dataset))
    assert sorted(hit.row for hit in hits) == [row for row in range(len(dataset)) if row != 3]


def test_a_new_image_finds_what_its_vector_finds(dataset: Dataset, store: EmbeddingStore) -> None:
    loaded: list[str] = []

    def load(backbone: object) -> FakeRunner:
        loaded.append("once")
        runner = A.load()
        assert isinstance(runner, FakeRunner)
        return runner

    new = pictures.png("circle", 4, side=49)
    hits = Searcher.open(dataset, A, store, load).by_image(new, k=5)
    assert loaded == ["once"]
    assert len(hits) == 5
    assert max(hit.score for hit in hits) <= 1 + 1e-6


def test_images_of_other_datasets_are_never_found(dataset: Dataset, store: EmbeddingStore, tmp_path: Path) -> None:
    other = pictures.load(pictures.paint(tmp_path / "other", 5, first=100))
    embed(other, [A], store)
    hits = Searcher.open(dataset, A, store).by_image(pictures.png("cross", 100), k=1000)
    assert sorted(hit.row for hit in hits) == list(range(len(dataset)))


def test_an_unusable_file_is_refused(dataset: Dataset, store: EmbeddingStore) -> None:
    with pytest.raises(UnreadableImage, match="not an image"):
        Searcher.open(dataset, A, store).by_image(b"text")


def test_a_model_without_vectors_says_what_to_do(dataset: Dataset, store: EmbeddingStore) -> None:
    with pytest.raises(LikenessError, match="Embed"):
        Searcher.open(dataset, fake("fake-z"), store)
