"""How much room the cache takes, by model and by kind, and a safe way to get some back.

What can be freed is what is computed again from vectors or from the images when it is needed: results, maps,
neighbours, thumbnails, lists of files, reports, folders of jobs that ended. Removing such a file at any moment is safe,
since readers take a missing one for one that was never made. Vectors of models that are not here take long to compute
and may be wanted again, so they go only when asked for. Never removed: weights, trained models and their checkpoints,
label marks, fusions, uploads, datasets, and the vectors of models that are here. Links are not followed, and stay.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import Timeout

from core import jobs
from core.backbones import available
from core.classify import classifiers
from core.image_sizes import FINGERPRINT as SIZES
from core.perceptual import fingerprint as hashes
from core.store import EmbeddingStore

# Kinds that are computed again when they are missing, and what they are.
FREEABLE = {
    "class_errors": "errors by class", "evaluations": "leaderboards", "neighbours": "nearest images",
    "projections": "maps", "reports": "reports", "scans": "lists of files", "thumbnails": "thumbnails",
    "verifications": "scores of all pairs",
}  # fmt: skip
_VECTORS, _GRAPHS, _JOBS, _LATENCY = "embeddings", "onnx", "jobs", "latency"
_KEPT = {
    "checkpoints": "trained models", "crops": "crops", "datasets": "datasets", "fusions": "fusions", _JOBS: "jobs",
    "training": "trainings", "uploads": "uploads",
}  # fmt: skip
_OTHER = "other files"
_JOB_KEPT_S = 24 * 3600.0


@dataclass(frozen=True)
class ModelUse:
    """What a model's vectors and graphs take.

    Attributes:
        name: of the model, or of what else is kept like vectors; None where no model that is here has the fingerprint.
        fingerprint: of the model.
        images: how many it has embedded.
        bytes: of all its files.
    """

    name: str | None
    fingerprint: str
    images: int
    bytes: int


@dataclass(frozen=True)
class KindUse:
    """What everything else takes, by kind; ``freeable`` says whether :func:`free_space` removes it."""

    name: str
    files: int
    bytes: int
    freeable: bool


@dataclass(frozen=True)
class CacheUse:
    """The whole cache; ``freeable`` bytes are certainly computed again, ``unknown`` are vectors of absent models."""

    models: tuple[ModelUse, ...]
    kinds: tuple[KindUse, ...]
    freeable: int
    unknown: int


@dataclass(frozen=True)
class Freed:
    """What was removed, and what was in use and therefore kept."""

    files: int
    bytes: int
    skipped: tuple[str, ...]


def cache_use(store: EmbeddingStore) -> CacheUse:
    """Look at every file below the cache folder. Largest first."""
    names = _names()
    models = [_model_use(store, folder, names) for folder in _folders(store.folder / _VECTORS)]
    taken = {_VECTORS, _GRAPHS, _LATENCY}
    kinds = []
    other = [0, 0]
    for entry in sorted(store.folder.glob("*")):
        if entry.is_symlink() or entry.name in taken:
            continue
        files = list(_files(entry)) if entry.is_dir() else [entry]
        title = {**FREEABLE, **_KEPT}.get(entry.name)
        if title is None:
            other = [other[0] + len(files), other[1] + _bytes(files)]
        elif files:
            kinds.append(KindUse(title, len(files), _bytes(files), entry.name in FREEABLE))
    if other[0]:
        kinds.append(KindUse(_OTHER, other[0], other[1], freeable=False))
    return CacheUse(
        tuple(sorted(models, key=lambda one: -one.bytes)),
        tuple(sorted(kinds, key=lambda one: -one.bytes)),
        _bytes([*_derived(store), *(file for job in _old_jobs(store) for file in _files(job))]),
        sum(one.bytes for one in models if one.name is None),
    )


def free_space(store: EmbeddingStore, *, unknown: bool = False) -> Freed:
    """Remove what is computed again when it is needed.

    Args:
        store: its cache folder.
        unknown: also the vectors and graphs of models that are not here.
    """
    removed, size, skipped = 0, 0, []
    for file in _derived(store):
        removed, size = _remove(file, removed, size)
    for job in _old_jobs(store):
        files = list(_files(job))
        removed, size = removed + len(files), size + _bytes(files)
        shutil.rmtree(job, ignore_errors=True)
    for folder in _folders(store.folder / _VECTORS) if unknown else ():
        if folder.name in _names():
            continue
        try:
            with store.lock(folder.name).acquire(timeout=0):
                for file in _of_model(store, folder):
                    removed, size = _remove(file, removed, size)
        except Timeout:
            skipped.append(f"vectors of {folder.name[:8]}")
    return Freed(removed, size, tuple(skipped))


def _names() -> dict[str, str]:
    """What has vectors now, by fingerprint."""
    models = {backbone.fingerprint: backbone.name for backbone in [*available().values(), *classifiers()]}
    return {**models, hashes(): "perceptual hashes", SIZES: "image sizes"}


def _model_use(store: EmbeddingStore, folder: Path, names: dict[str, str]) -> ModelUse:
    return ModelUse(
        names.get(folder.name), folder.name, len(store.load(folder.name).keys), _bytes(_of_model(store, folder))
    )


def _of_model(store: EmbeddingStore, folder: Path) -> list[Path]:
    """Files of a model; its lock stays, for whoever waits for it."""
    beside = [*_files(store.folder / _GRAPHS), *_files(store.folder / _LATENCY)]
    own = [file for file in beside if file.name.startswith(folder.name)]
    return [file for file in [*_files(folder), *own] if file.suffix != ".lock"]


def _derived(store: EmbeddingStore) -> Iterator[Path]:
    """Files of the kinds that can be freed, less those that are being written and locks."""
    for kind in FREEABLE:
        for file in _files(store.folder / kind):
            if file.suffix != ".lock" and not file.name.startswith("."):
                yield file


def _old_jobs(store: EmbeddingStore) -> list[Path]:
    """Folders of jobs that ended more than a day ago."""
    return [store.folder / _JOBS / job.id for job in jobs.history() if time.time() - job.updated > _JOB_KEPT_S]


def _folders(parent: Path) -> list[Path]:
    if parent.is_symlink() or not parent.is_dir():
        return []
    return sorted(folder for folder in parent.iterdir() if folder.is_dir() and not folder.is_symlink())


def _files(folder: Path) -> Iterator[Path]:
    """Files below a folder; neither it nor anything in it may be a link."""
    if folder.is_symlink():
        return
    for place, _, names in os.walk(folder, followlinks=False):
        for name in names:
            file = Path(place, name)
            if not file.is_symlink():
                yield file


def _bytes(files: list[Path]) -> int:
    total = 0
    for file in files:
        with contextlib.suppress(FileNotFoundError):  # removed in the meantime
            total += file.lstat().st_size
    return total


def _remove(file: Path, removed: int, size: int) -> tuple[int, int]:
    with contextlib.suppress(FileNotFoundError):
        taken = file.lstat().st_size
        file.unlink()
        return removed + 1, size + taken
    return removed, size
