"""How much room the cache takes, by model and by kind, and a safe way to get some back.

What can be freed is what is computed again from vectors or from the images when it is needed: results, maps,
neighbours, thumbnails, lists of files, reports, folders of jobs that ended. Removing such a file at any moment is safe,
since readers take a missing one for one that was never made. Vectors of models that are not here take long to compute
and may be wanted again, so they go only when asked for. Never removed: weights, trained models and their checkpoints,
trainings, label marks, fusions, uploads, crops, what was opened recently, datasets, and the vectors of models that are
here. Links are not followed, and stay.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import Timeout

from core import jobs
from core.backbones import Backbone, available
from core.backbones.classifiers import localiser
from core.classify import classifiers
from core.files import lock_for
from core.image_sizes import FINGERPRINT as SIZES
from core.perceptual import fingerprint as hashes
from core.store import EmbeddingStore

# Kinds that are computed again when they are missing, and what they are.
FREEABLE = {
    "class_errors": "errors by class", "evaluations": "leaderboards", "neighbours": "nearest images",
    "projections": "maps", "reports": "reports", "scans": "lists of files", "thumbnails": "thumbnails",
    "verifications": "scores of all pairs",
}  # fmt: skip
_OF_MODELS = ("embeddings", "onnx", "latency")
_JOBS = "jobs"
_KEPT = {
    "checkpoints": "trained models", "crops": "crops", "datasets": "datasets", "fusions": "fusions", _JOBS: "jobs",
    "training": "trainings", "uploads": "uploads",
}  # fmt: skip
_OTHER = "other files"
_JOB_KEPT_S = 24 * 3600.0
# What a folder of vectors, a graph and a latency are named by.
_FINGERPRINT = re.compile(r"([0-9a-f]{32})(\..*)?")


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
    """What was removed, and what is in use or protected and therefore still there."""

    files: int
    bytes: int
    skipped: tuple[str, ...]


def cache_use(store: EmbeddingStore) -> CacheUse:
    """Look at every file below the cache folder. Largest first; vectors themselves are not read."""
    names, by_model = _names(), _by_fingerprint(store)
    other = by_model.pop("", [])
    models = [ModelUse(names.get(key), key, store.count(key), _bytes(own)) for key, own in by_model.items()]
    kinds = []
    for entry in sorted(store.folder.glob("*")):
        if entry.is_symlink() or entry.name in _OF_MODELS:
            continue
        files = list(_files(entry)) if entry.is_dir() else [entry]
        title = {**FREEABLE, **_KEPT}.get(entry.name)
        if title is None:
            other += files
        elif files:
            kinds.append(KindUse(title, len(files), _bytes(files), entry.name in FREEABLE))
    if other:
        kinds.append(KindUse(_OTHER, len(other), _bytes(other), freeable=False))
    return CacheUse(
        tuple(sorted((one for one in models if one.bytes), key=lambda one: -one.bytes)),
        tuple(sorted(kinds, key=lambda one: -one.bytes)),
        sum(_bytes(files) for _, files in _derived(store)),
        sum(one.bytes for one in models if one.name is None),
    )


def free_space(store: EmbeddingStore, *, unknown: bool = False) -> Freed:
    """Remove what is computed again when it is needed.

    Args:
        store: its cache folder.
        unknown: also the vectors and graphs of models that are not here, less those that another process works on.
    """
    old_jobs = _old_jobs(store)
    done = [_remove(title, files) for title, files in _derived(store)]
    for job in old_jobs:
        with contextlib.suppress(OSError):  # not empty, where a file could not be removed
            job.rmdir()
    if unknown:
        kept = {"", *_names()}
        done += [_remove_model(key, files) for key, files in _by_fingerprint(store).items() if key not in kept]
    skipped = dict.fromkeys(title for one in done for title in one.skipped)
    return Freed(sum(one.files for one in done), sum(one.bytes for one in done), tuple(skipped))


def _names() -> dict[str, str]:
    """What has vectors or a graph now, by fingerprint."""
    models = [*available().values(), *classifiers()]
    places = [(localiser(one.spec), one.weights) for one in models]
    models += [Backbone(spec, weights) for spec, weights in places if spec]
    return {**{one.fingerprint: one.name for one in models}, hashes(): "perceptual hashes", SIZES: "image sizes"}


def _by_fingerprint(store: EmbeddingStore) -> dict[str, list[Path]]:
    """Files of each model, by its fingerprint; under an empty one those that are no model's."""
    found: dict[str, list[Path]] = {}
    for kind in _OF_MODELS:
        top = store.folder / kind
        for file in _files(top):
            named = _FINGERPRINT.fullmatch(file.relative_to(top).parts[0])
            found.setdefault(named[1] if named else "", []).append(file)
    return found


def _derived(store: EmbeddingStore) -> Iterator[tuple[str, list[Path]]]:
    """What can be freed, by kind: less locks and what is being written."""
    for kind, title in FREEABLE.items():
        yield title, [file for file in _files(store.folder / kind) if file.suffix != ".lock" and file.name[0] != "."]
    for job in _old_jobs(store):
        yield _KEPT[_JOBS], list(_files(job))


def _old_jobs(store: EmbeddingStore) -> list[Path]:
    """Folders of jobs that ended more than a day ago."""
    old = {job.id for job in jobs.history() if time.time() - job.updated > _JOB_KEPT_S}
    top = store.folder / _JOBS
    return [] if top.is_symlink() else [top / name for name in sorted(old) if not (top / name).is_symlink()]


def _remove_model(fingerprint: str, files: list[Path]) -> Freed:
    """Remove a model's files while nobody else can write them; its locks stay, for whoever waits for them."""
    title = f"vectors of {fingerprint[:8]}"
    locks = [file for file in files if file.suffix == ".lock"]
    try:
        with contextlib.ExitStack() as held:
            for lock in locks:
                held.enter_context(lock_for(lock.with_suffix("")).acquire(timeout=0))
            return _remove(title, [file for file in files if file not in locks])
    except Timeout:
        return Freed(0, 0, (title,))


def _remove(title: str, files: Iterable[Path]) -> Freed:
    removed, size, skipped = 0, 0, False
    for file in files:
        try:
            taken = file.lstat().st_size
            file.unlink()
        except FileNotFoundError:
            continue
        except OSError:  # protected, or on Windows open in another process
            skipped = True
            continue
        removed, size = removed + 1, size + taken
    return Freed(removed, size, (title,) if skipped else ())


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
