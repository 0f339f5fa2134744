"""Crops are images of their own, in the rows of the images they are the subjects of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.boxes import Box
from core.crops import cropped
from core.detect import Detection
from core.embed import embed
from core.images import content_id, decode
from core.metrics.grid import similarity
from core.store import EmbeddingStore
from core.vectors import stored_vectors
from core.verify import verify
from tests import pictures
from tests.fakes import fake, install

A = fake("fake-a", dim=24)
LEFT = Box(0.0, 0.0, 0.5, 1.0, "thing", 0.9)


@dataclass
class HalfDetector:
    """Finds the left half of every second picture it is shown, by its first pixel."""

    fingerprint: str = "f" * 32
    seen: list[int] = field(default_factory=list)

    def __call__(self, picture: Image.Image) -> Detection:
        first = np.asarray(picture)[0, 0, 0]
        self.seen.append(int(first))
        return Detection((), LEFT if first % 2 else None, "detr", "")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    install(monkeypatch)
    return pictures.paint(tmp_path / "shapes", 16)


def test_rows_stay_and_crops_have_ids_of_their_own(folder: Path) -> None:
    dataset, detector = pictures.load(folder), HalfDetector()
    found = cropped(dataset, detector, EmbeddingStore())
    assert found.labels.tolist() == dataset.labels.tolist()
    assert found.splits.tolist() == dataset.splits.tolist()
    changed = 0
    for row in range(len(dataset)):
        data = found.file(row).read_bytes()
        whole = np.asarray(decode(dataset.file(row).read_bytes()))
        assert content_id(data) == found.ids[row]
        if whole[0, 0, 0] % 2:
            assert (np.asarray(decode(data)) == whole[:, : whole.shape[1] // 2]).all()
            changed += 1
        else:
            assert found.ids[row] == dataset.ids[row]
    assert 0 < changed < len(dataset)


def test_nothing_is_detected_twice(folder: Path) -> None:
    dataset, detector = pictures.load(folder), HalfDetector()
    first = cropped(dataset, detector, EmbeddingStore())
    assert len(detector.seen) == len(dataset)
    again = cropped(dataset, detector, EmbeddingStore())
    assert len(detector.seen) == len(dataset)
    assert again.ids.tolist() == first.ids.tolist()
    cropped(dataset, HalfDetector("e" * 32), EmbeddingStore())


def test_crops_are_embedded_and_counted_like_images(folder: Path) -> None:
    store = EmbeddingStore()
    found = cropped(pictures.load(folder), HalfDetector(), store)
    embed(found, [A], store)
    vectors = stored_vectors(found, A, store)
    pairs = verify(found, A, store, "test")
    rows = pairs.rows
    scores = [similarity(vectors[i], vectors[j]) for n, i in enumerate(rows) for j in rows[n + 1 :]]
    threshold = 0.1
    counts = pairs.verification.counts(threshold)
    assert counts.true_match + counts.false_match == sum(score >= threshold for score in scores)


def test_an_image_that_went_away_stays_whole(folder: Path) -> None:
    dataset = pictures.load(folder)
    dataset.file(0).unlink()
    assert cropped(dataset, HalfDetector(), EmbeddingStore()).ids[0] == dataset.ids[0]
