"""Where things are kept on this machine."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

CACHE_VARIABLE = "LIKENESS_CACHE"
WEIGHTS_VARIABLE = "LIKENESS_WEIGHTS"


def cache_dir() -> Path:
    """The cache folder: ``LIKENESS_CACHE`` when set, else ``cache/`` beside the code."""
    return Path(os.environ.get(CACHE_VARIABLE) or REPOSITORY / "cache").expanduser().absolute()


def source_dir(dataset: str) -> Path:
    """Where the raw files of a downloadable dataset live, and where a user may put them by hand."""
    return cache_dir() / "datasets" / dataset


def weights_dirs() -> list[Path]:
    """Folders of local checkpoints named in ``LIKENESS_WEIGHTS`` (separated like ``PATH``)."""
    named = os.environ.get(WEIGHTS_VARIABLE, "")
    return [Path(part).expanduser().absolute() for part in named.split(os.pathsep) if part]
