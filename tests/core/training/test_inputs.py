"""What training sees of a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.backbones import Preprocessing
from core.errors import LikenessError
from core.preprocess import to_pixels
from core.records import Dataset
from core.training.inputs import Pictures, Vectors, augment
from tests import pictures

SEEN = Preprocessing(36, 32)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return pictures.load(pictures.paint(tmp_path / "shapes", 6))


def _train(dataset: Dataset, epoch: int, seed: int = 0, how: str = "strong") -> np.ndarray:
    rows = np.arange(len(dataset))
    found = Pictures(dataset, SEEN, how, seed).train([rows[:5], rows[5:]], epoch)
    return np.concatenate([part.numpy() for part in found])


def test_plain_pixels_are_those_that_are_embedded(dataset: Dataset) -> None:
    rows = np.arange(len(dataset))[::-1].copy()
    found = np.concatenate([part.numpy() for part in Pictures(dataset, SEEN, "strong", 0).plain(rows, 4)])
    wanted = [to_pixels(Image.open(dataset.file(row)).convert("RGB"), SEEN) for row in rows]
    assert (found == np.stack(wanted)).all()
    assert (_train(dataset, 1, how="none")[::-1] == found).all()


def test_augmentation_hangs_on_seed_epoch_and_image_alone(dataset: Dataset) -> None:
    first = _train(dataset, 1)
    assert (first == _train(dataset, 1)).all()
    assert (first != _train(dataset, 2)).any()
    assert (first != _train(dataset, 1, seed=1)).any()
    (alone,) = Pictures(dataset, SEEN, "strong", 0).train([np.array([3, 4])], 1)
    assert (alone.numpy() == first[3:5]).all()


@pytest.mark.parametrize("how", ["standard", "strong"])
@pytest.mark.parametrize("size", [(40, 40), (200, 3), (3, 200), (1, 1)])
def test_any_shape_becomes_a_square(how: str, size: tuple[int, int]) -> None:
    red = Image.new("RGB", size, (200, 0, 0))
    for seed in range(20):
        found = augment(red, SEEN, how, np.random.default_rng(seed))
        assert found.shape == (32, 32, 3)
        assert found[..., 0].min() > 100
        assert found[..., 1:].max() < 60


def test_a_part_is_as_large_as_it_should_be() -> None:
    # Each pixel tells where it came from: across in red, down in green.
    down, across = np.mgrid[0:200, 0:200]
    source = Image.fromarray(np.stack([across, down, 0 * down], -1).astype(np.uint8))
    for seed in range(30):
        found = augment(source, SEEN, "standard", np.random.default_rng(seed)).astype(int)
        width, height = np.ptp(found[..., 0]) / 200, np.ptp(found[..., 1]) / 200
        assert 0.25 < width * height * (32 / 31) ** 2 < 1.05


def test_vectors_are_given_as_they_are() -> None:
    vectors = np.random.default_rng(0).standard_normal((7, 3)).astype(np.float32)
    rows = np.array([4, 1, 6])
    found = Vectors(vectors)
    assert (next(iter(found.train([rows], 5))).numpy() == vectors[rows]).all()
    assert (np.concatenate([part.numpy() for part in found.plain(rows, 2)]) == vectors[rows]).all()


def test_a_file_that_changed_is_an_error_that_names_it(dataset: Dataset) -> None:
    dataset.file(2).write_bytes(b"nonsense")
    with pytest.raises(LikenessError, match=r"can no longer be used for training.*--resume"):
        _train(dataset, 1)
