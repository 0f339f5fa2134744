"""Animals-10: photographs of ten animals (https://www.kaggle.com/datasets/alessiocorrado99/animals10)."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from core.datasets.archives import unpack
from core.datasets.class_names import ANIMALS10
from core.datasets.fetching import downloading, not_here, preparing
from core.errors import LikenessError
from core.paths import source_dir
from core.progress import Progress

TITLE = "Animals-10"
_FOLDER = "raw-img"
_KAGGLE = "alessiocorrado99/animals10"


def available() -> bool:
    """Whether its folder or archive is here."""
    folder = source_dir("animals10")
    return class_root(folder) is not None or _archive(folder) is not None


def how_to_get() -> str:
    """What to fetch and where to put it."""
    return (
        f"Fetch Animals-10 from https://www.kaggle.com/datasets/{_KAGGLE} (600 MB; or install the kagglehub package) "
        f"and put its {_FOLDER} folder, or the zip as it is, into {source_dir('animals10')}."
    )


def prepare(offline: bool, progress: Progress) -> Path:
    """Unpack or download it, with kagglehub, where needed; return the folder of class folders.

    Raises:
        LikenessError: it is not here and cannot be downloaded, or its zip is damaged or holds something else.
    """
    folder = source_dir("animals10")
    if root := class_root(folder):
        return root
    archive = _archive(folder)
    if archive is None and offline:
        raise not_here(TITLE, how_to_get())
    with preparing(folder):
        if archive is not None:
            unpacked = folder / ".unpacked"
            shutil.rmtree(unpacked, ignore_errors=True)
            unpack(archive, unpacked, progress)
            _adopt(unpacked, folder, str(archive))
            shutil.rmtree(unpacked, ignore_errors=True)
        else:
            _download(folder, progress)
    return folder / _FOLDER


def class_root(folder: Path) -> Path | None:
    """The folder that holds Animals-10's class folders: ``raw-img`` below this one, this one, or none."""
    if (folder / _FOLDER).is_dir():
        return folder / _FOLDER
    names = {*ANIMALS10, *ANIMALS10.values()}
    return folder if any((folder / name).is_dir() for name in names) else None


def _archive(folder: Path) -> Path | None:
    archives = sorted(path for path in folder.glob("*.[zZ][iI][pP]") if path.is_file())
    return archives[0] if archives else None


def _adopt(found: Path, folder: Path, origin: str) -> None:
    root = class_root(found)
    if root is None:
        raise LikenessError(
            f"{origin} holds neither {_FOLDER} nor its class folders (cane, cavallo, …). {how_to_get()}"
        )
    root.replace(folder / _FOLDER)


def _download(folder: Path, progress: Progress) -> None:
    if importlib.util.find_spec("kagglehub") is None:
        raise LikenessError(f"{TITLE} is downloaded with the kagglehub package, which is not installed. {how_to_get()}")
    copy = folder / ".copy"
    progress("Downloading", 0, 1)
    with downloading(TITLE, how_to_get()):
        import kagglehub

        # kagglehub's own cache is shared with other programs; it is copied, never moved.
        found = Path(kagglehub.dataset_download(_KAGGLE))
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(found, copy)
    _adopt(copy, folder, str(found))
    shutil.rmtree(copy, ignore_errors=True)
    progress("Downloading", 1, 1)
