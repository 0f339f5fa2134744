"""Imagenette: ten classes of ImageNet photographs (https://github.com/fastai/imagenette)."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.datasets.archives import unpack
from core.datasets.fetching import downloading, not_here, preparing
from core.paths import source_dir
from core.progress import Progress

TITLE = "Imagenette"
_FOLDER = "imagenette2-160"
_ARCHIVE = "imagenette2-160.tgz"


def available() -> bool:
    """Whether its folder or archive is here."""
    folder = source_dir("imagenette")
    return (folder / _FOLDER).is_dir() or (folder / _ARCHIVE).is_file()


def how_to_get() -> str:
    """What to fetch and where to put it."""
    return (
        f"Fetch {_ARCHIVE} (99 MB; linked at https://github.com/fastai/imagenette) and put it, or the {_FOLDER} folder "
        f"inside it, into {source_dir('imagenette')}."
    )


def prepare(offline: bool, progress: Progress) -> Path:
    """Unpack or download it, with torchvision's loader, where needed; return the folder with train and val.

    Raises:
        LikenessError: it is not here and cannot be downloaded, or its archive is damaged.
    """
    folder = source_dir("imagenette")
    root = folder / _FOLDER
    if root.is_dir():
        return root
    if offline and not available():
        raise not_here(TITLE, how_to_get())
    with preparing(folder):
        if not root.is_dir():
            if not (folder / _ARCHIVE).is_file():
                _download(folder, progress)
            else:
                _unpack(folder, progress)
    return root


def _unpack(folder: Path, progress: Progress) -> None:
    unpacked = folder / ".unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    unpack(folder / _ARCHIVE, unpacked, progress)
    # The archive holds the folder itself; one that was packed from within holds train and val.
    inner = unpacked / _FOLDER
    (inner if inner.is_dir() else unpacked).replace(folder / _FOLDER)
    shutil.rmtree(unpacked, ignore_errors=True)


def _download(folder: Path, progress: Progress) -> None:
    scratch = folder / ".download"
    # torchvision takes a half-unpacked folder for a whole one; its archive it checks, and keeps when it is whole.
    shutil.rmtree(scratch / _FOLDER, ignore_errors=True)
    progress("Downloading", 0, 1)
    with downloading(TITLE, how_to_get()):
        from core.backbones.vision import import_torchvision

        datasets = import_torchvision().datasets
        datasets.Imagenette(str(scratch), split="train", size="160px", download=True)
        (scratch / _FOLDER).replace(folder / _FOLDER)
    shutil.rmtree(scratch, ignore_errors=True)
    progress("Downloading", 1, 1)
