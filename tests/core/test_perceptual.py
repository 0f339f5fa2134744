"""Perceptual hashes: what they survive, and that each image is hashed once."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core import images, perceptual
from core.errors import UnreadableImage
from core.perceptual import hash_images, perceptual_hash
from core.store import EmbeddingStore
from tests import pictures
from tests.photos import encoded, photo


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    decode = images.decode

    def spy(data: bytes, *args: int | None) -> Image.Image:
        calls.append(images.content_id(data))
        return decode(data, *args)

    monkeypatch.setattr(images, "decode", spy)
    return calls


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return pictures.paint(tmp_path / "shapes", 4)


def _apart(one: Image.Image, other: Image.Image) -> int:
    return int((perceptual_hash(encoded(one)) != perceptual_hash(encoded(other))).sum())


def _naive(picture: Image.Image) -> NDArray[np.bool_]:
    """pHash by the cosine transform's definition."""
    pixels = np.asarray(picture.convert("L").resize((32, 32), Image.Resampling.LANCZOS), float)
    place = np.arange(32)
    low = np.empty((8, 8))
    for u in range(8):
        for v in range(8):
            waves = np.outer(np.cos(np.pi * u * (2 * place + 1) / 64), np.cos(np.pi * v * (2 * place + 1) / 64))
            low[u, v] = (pixels * waves).sum()
    return low > np.median(low)


@pytest.mark.parametrize("number", range(5))
def test_equals_the_definition(number: int) -> None:
    picture = photo(number)
    assert perceptual_hash(encoded(picture)).reshape(8, 8).tolist() == _naive(picture).astype(float).tolist()


def test_it_survives_size_and_brightness_and_tells_pictures_apart() -> None:
    one = photo(1)
    assert _apart(one, one.resize((60, 50))) <= 4
    assert _apart(one, one.point(lambda level: int(level * 0.8))) <= 4
    assert _apart(one, photo(2)) > 12


def test_it_looks_at_the_upright_picture() -> None:
    one = photo(3)
    tags = Image.Exif()
    tags[0x0112] = 6
    buffer = io.BytesIO()
    one.transpose(Image.Transpose.ROTATE_90).save(buffer, "PNG", exif=tags)
    assert perceptual_hash(buffer.getvalue()).tolist() == perceptual_hash(encoded(one)).tolist()


@pytest.mark.parametrize("noise", [0, 3])
def test_a_blank_image_has_none(noise: int) -> None:
    grain = np.random.default_rng(noise).integers(-noise, noise + 1, (200, 200, 3))
    assert not perceptual_hash(encoded(Image.fromarray((grain + 240).astype(np.uint8)))).any()
    assert perceptual_hash(encoded(photo(0))).any()
    with pytest.raises(UnreadableImage):
        perceptual_hash(b"nonsense")


def test_only_new_images_are_hashed(folder: Path, cache: Path, decoded: list[str]) -> None:
    first = hash_images(pictures.load(folder), EmbeddingStore(cache))
    assert (len(decoded), first.known.all(), first.unreadable) == (12, True, ())
    again = hash_images(pictures.load(folder), EmbeddingStore(cache))
    assert len(decoded) == 12
    assert again.values.tolist() == first.values.tolist()
    pictures.write(folder / "cross" / "0000a.png", pictures.png("cross", 70))
    more = hash_images(pictures.load(folder), EmbeddingStore(cache))
    assert len(decoded) == 13
    assert np.delete(more.values, 5).tolist() == first.values.tolist()
    oracle = [np.packbits(_naive(Image.open(pictures.load(folder).file(row)))).view(">u8")[0] for row in range(13)]
    assert more.values.tolist() == oracle


def test_what_was_hashed_before_a_stop_is_kept(
    folder: Path, cache: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if done >= 8:
            raise KeyboardInterrupt

    monkeypatch.setattr(perceptual, "_BATCH", 4)
    with pytest.raises(KeyboardInterrupt):
        hash_images(pictures.load(folder), EmbeddingStore(cache), stop)
    assert len(decoded) == 8
    assert hash_images(pictures.load(folder), EmbeddingStore(cache)).known.all()
    assert len(decoded) == 12


def test_a_damaged_cache_is_a_miss(folder: Path, cache: Path, decoded: list[str]) -> None:
    first = hash_images(pictures.load(folder), EmbeddingStore(cache))
    for part in (cache / "embeddings").rglob("*.safetensors"):
        content = bytearray(part.read_bytes())
        content[-3] ^= 0xFF
        part.write_bytes(content)
    assert hash_images(pictures.load(folder), EmbeddingStore(cache)).values.tolist() == first.values.tolist()
    assert len(decoded) == 24


def test_what_cannot_be_read_is_listed(folder: Path, cache: Path) -> None:
    whole = pictures.png("circle", 50)
    pictures.write(folder / "circle" / "torn.png", whole[: len(whole) // 2])
    dataset = pictures.load(folder)
    (folder / "cross" / "0001.png").unlink()
    pictures.write(folder / "cross" / "0002.png", pictures.png("cross", 60))
    found = hash_images(dataset, EmbeddingStore(cache))
    reasons = {file.path: file.reason for file in found.unreadable}
    assert list(reasons) == ["circle/torn.png", "cross/0001.png", "cross/0002.png"]
    assert "damaged" in reasons["circle/torn.png"]
    assert "cannot be read" in reasons["cross/0001.png"]
    assert "changed" in reasons["cross/0002.png"]
    assert dataset.paths[~found.known].tolist() == list(reasons)
