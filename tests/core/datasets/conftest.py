"""Small image files."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

Paint = Callable[..., Path]


@pytest.fixture
def paint() -> Paint:
    """Write a picture that differs from every other by its number, last changed long ago."""

    def write(path: Path, number: int, kind: str = "PNG") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        colour = number % 32 * 8, number // 32 % 32 * 8, 77  # far enough apart for JPEG
        Image.new("RGB", (8, 8), colour).save(path, kind)
        settle(path)
        return path

    return write


def settle(path: Path) -> None:
    long_ago = time.time() - 3600
    os.utime(path, (long_ago, long_ago))


@pytest.fixture
def classes(tmp_path: Path, paint: Paint) -> Path:
    """Two classes, twenty images each."""
    for number in range(40):
        paint(tmp_path / "pets" / ("cat" if number < 20 else "dog") / f"{number:02}.png", number)
    return tmp_path / "pets"
