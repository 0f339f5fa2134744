"""Sizes of images: as Pillow decodes them, read once, whatever becomes of the files."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from PIL import Image

from core import image_sizes as module
from core import images
from core.image_sizes import image_sizes
from core.store import EmbeddingStore
from tests import pictures
from tests.bad_images import bad_images


def test_sizes_are_those_of_the_decoded_upright_pictures(tmp_path: Path) -> None:
    root = pictures.paint(tmp_path / "shapes", 3)
    turned = Image.new("RGB", (40, 90), "navy")
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(root / "circle" / "turned.jpg", exif=exif)
    Image.new("RGB", (70, 30), "red").save(root / "circle" / "wide.png")
    dataset = pictures.load(root)
    found = image_sizes(dataset, EmbeddingStore())
    for row in range(len(dataset)):
        data = dataset.file(row).read_bytes()
        assert (found.width[row], found.height[row]) == images.decode(data, None).size
        assert found.bytes[row] == len(data)


def test_they_are_read_once_and_survive_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, store = pictures.paint(tmp_path / "shapes", 3), EmbeddingStore()
    dataset = pictures.load(root)
    first = image_sizes(dataset, store)
    monkeypatch.setattr(module.images, "header", None)
    again = image_sizes(dataset, store)
    assert (again.width == first.width).all()
    assert (again.bytes == first.bytes).all()
    assert (again.format == first.format).all()


def test_a_file_that_went_away_has_no_size(tmp_path: Path) -> None:
    dataset = pictures.load(pictures.paint(tmp_path / "shapes", 3))
    dataset.file(4).unlink()
    dataset.file(5).write_bytes(b"no picture")
    found = image_sizes(dataset, EmbeddingStore())
    assert (found.width == 0).nonzero()[0].tolist() == (found.format == "").nonzero()[0].tolist() == [4, 5]


@pytest.mark.parametrize("name", sorted(bad_images()))
def test_hostile_headers_give_a_size_or_a_reason(name: str, tmp_path: Path) -> None:
    file = tmp_path / "image"
    file.write_bytes(bad_images()[name])
    with contextlib.suppress(images.UnreadableImage):
        width, height, _ = images.header(file)
        assert min(width, height) > 0


def test_the_format_is_that_of_the_content_whatever_the_name(tmp_path: Path) -> None:
    root = pictures.paint(tmp_path / "shapes", 2)
    kinds = {"circle/a.png": "JPEG", "circle/b.jpg": "WEBP", "circle/c.jpg": "BMP", "circle/d.png": "SGI"}
    for side, (name, kind) in enumerate(kinds.items(), 30):
        Image.new("RGB", (side, 40), "navy").save(root / name, kind)
    dataset = pictures.load(root)
    found = dict(zip(dataset.paths.tolist(), image_sizes(dataset, EmbeddingStore()).format.tolist(), strict=True))
    assert [found[name] for name in kinds] == ["JPEG", "WEBP", "BMP", "other"]
    assert found["square/0000.png"] == "PNG"


def test_large_files_keep_their_bytes(tmp_path: Path) -> None:
    dataset = pictures.load(pictures.paint(tmp_path / "shapes", 2))
    with dataset.file(0).open("ab") as file:
        file.truncate(70_000_001)
    assert image_sizes(dataset, EmbeddingStore()).bytes[0] == 70_000_001
