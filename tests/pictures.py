"""Small labelled pictures: a colour and a shape for each class, and no two pictures alike."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from core.datasets import load_dataset
from core.records import Dataset, DatasetOptions

CLASSES = ("circle", "cross", "square")
_COLOURS = {"circle": (200, 40, 40), "cross": (40, 160, 60), "square": (50, 70, 210)}


def picture(label: str, number: int, side: int = 48) -> Image.Image:
    """Picture ``number`` of a class, always the same; place, size and background vary."""
    random = np.random.default_rng([CLASSES.index(label), number])
    noise = random.integers(180, 256, (side, side, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    x, y = (int(v) for v in random.integers(side // 8, side // 4, 2))
    box = (x, y, x + side // 2, y + side // 2)
    draw, colour = ImageDraw.Draw(image), _COLOURS[label]
    if label == "circle":
        draw.ellipse(box, fill=colour)
    elif label == "square":
        draw.rectangle(box, fill=colour)
    else:
        draw.line(box, fill=colour, width=side // 6)
        draw.line((box[0], box[3], box[2], box[1]), fill=colour, width=side // 6)
    return image


def png(label: str, number: int, side: int = 48) -> bytes:
    """The same as a PNG file."""
    buffer = io.BytesIO()
    picture(label, number, side).save(buffer, "PNG")
    return buffer.getvalue()


def write(path: Path, data: bytes) -> Path:
    """A file that was last changed long ago, so that a scan may remember it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    long_ago = time.time() - 3600
    os.utime(path, (long_ago, long_ago))
    return path


def paint(root: Path, counts: Mapping[str, int] | int = 10, first: int = 0, side: int = 48) -> Path:
    """Class folders below ``root``, ``counts`` pictures each, numbered from ``first``."""
    sizes = dict.fromkeys(CLASSES, counts) if isinstance(counts, int) else counts
    for label, count in sizes.items():
        for number in range(first, first + count):
            write(root / label / f"{number:04}.png", png(label, number, side))
    return root


def load(root: Path, options: DatasetOptions | None = None) -> Dataset:
    """The folder as a dataset."""
    return load_dataset(str(root), options or DatasetOptions(), offline=True)
