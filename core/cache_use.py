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
from collections.abc import Iterator, Mapping
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
# As the system lists them, with what it knows of each: thumbnails are many.
_Files = list[os.DirEntry[str]]


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
    """What everything else takes, by kind; ``freeable`` of its bytes are what :func:`free_space` removes."""

    name: str
    files: int
    bytes: int
    freeable: int


@dataclass(frozen=True)
class CacheUse:
    """The whole cache, each list largest first."""

    models: tuple[ModelUse, ...]
    kinds: tuple[KindUse, ...]

    @property
    def bytes(self) -> int:
        """Of everything."""
        return sum(one.bytes for one in self.models) + sum(one.bytes for one in self.kinds)

    @property
    def freeable(self) -> int:
        """Bytes that are computed again when they are needed."""
        return sum(one.freeable for one in self.kinds)

    @property
    def unknown(self) -> int:
        """Bytes of models that are not here."""
        return sum(one.bytes for one in self.models if one.name is None)


@dataclass(frozen=True)
class Freed:
    """What was removed, and what is in use or protected and therefore still there."""

    files: int
    bytes: int
    skipped: tuple[str, ...]


def cache_use(store: EmbeddingStore) -> CacheUse:
    """Look at every file below the cache folder; vectors themselves are not read."""
    names, by_model, by_kind = _names(), _by_fingerprint(store), _by_kind(store)
    derived = _derived(store, by_kind)
    strangers = by_model.pop("", [])
    models = [ModelUse(names.get(key), key, store.count(key), _bytes(own)) for key, own in by_model.items()]
    kinds = []
    for kind, title in {**FREEABLE, **_KEPT}.items():
        if files := by_kind.pop(kind, []):
            kinds.append(KindUse(title, len(files), _bytes(files), _bytes(derived.get(kind, []))))
    if other := [*strangers, *(file for files in by_kind.values() for file in files)]:
        kinds.append(KindUse(_OTHER, len(other), _bytes(other), freeable=0))
    return CacheUse(
        tuple(sorted((one for one in models if one.bytes), key=lambda one: -one.bytes)),
        tuple(sorted(kinds, key=lambda one: -one.bytes)),
    )


def free_space(store: EmbeddingStore, *, unknown: bool = False) -> Freed:
    """Remove what is computed again when it is needed.

    Args:
        store: its cache folder.
        unknown: also the vectors and graphs of models that are not here, less those that another process works on.
    """
    old_jobs = _old_jobs(store)
    titles = {**FREEABLE, **_KEPT}
    done = [_remove(titles[kind], files) for kind, files in _derived(store, _by_kind(store)).items()]
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


def _by_fingerprint(store: EmbeddingStore) -> dict[str, _Files]:
    """Files of each model, by its fingerprint; under an empty one those that are no model's."""
    found: dict[str, _Files] = {}
    for kind in _OF_MODELS:
        for entry in _entries(store.folder / kind):
            named = _FINGERPRINT.fullmatch(entry.name)
            found.setdefault(named[1] if named else "", []).extend(_files(entry))
    return found


def _by_kind(store: EmbeddingStore) -> dict[str, _Files]:
    """Files of each other folder, by its name; under an empty one those that are in none."""
    found: dict[str, _Files] = {}
    for entry in _entries(store.folder):
        if entry.name not in _OF_MODELS:
            name = entry.name if entry.is_dir(follow_symlinks=False) else ""
            found.setdefault(name, []).extend(_files(entry))
    return found


def _derived(store: EmbeddingStore, by_kind: Mapping[str, _Files]) -> dict[str, _Files]:
    """What can be freed of each kind: less locks and what is being written."""
    found = {
        kind: [file for file in by_kind.get(kind, []) if not file.name.endswith(".lock") and file.name[0] != "."]
        for kind in FREEABLE
    }
    found[_JOBS] = [file for job in _old_jobs(store) for entry in _entries(job) for file in _files(entry)]
    return found


def _old_jobs(store: EmbeddingStore) -> list[Path]:
    """Folders of jobs that ended more than a day ago."""
    old = {job.id for job in jobs.history() if time.time() - job.updated > _JOB_KEPT_S}
    return [Path(entry.path) for entry in _entries(store.folder / _JOBS) if entry.name in old]


def _remove_model(fingerprint: str, files: _Files) -> Freed:
    """Remove a model's files while nobody else can write them; its locks stay, for whoever waits for them."""
    title = f"vectors of {fingerprint[:8]}"
    locks = [file for file in files if file.name.endswith(".lock")]
    try:
        with contextlib.ExitStack() as held:
            for lock in locks:
                held.enter_context(lock_for(Path(lock.path).with_suffix("")).acquire(timeout=0))
            return _remove(title, [file for file in files if file not in locks])
    except Timeout:
        return Freed(0, 0, (title,))


def _remove(title: str, files: _Files) -> Freed:
    removed, size, skipped = 0, 0, False
    for file in files:
        try:
            taken = file.stat(follow_symlinks=False).st_size
            Path(file.path).unlink()
        except FileNotFoundError:
            continue
        except OSError:  # protected, or on Windows open in another process
            skipped = True
            continue
        removed, size = removed + 1, size + taken
    return Freed(removed, size, (title,) if skipped else ())


def _files(entry: os.DirEntry[str]) -> Iterator[os.DirEntry[str]]:
    """A file, or the files below a folder; no links."""
    if not entry.is_dir(follow_symlinks=False):
        yield entry
        return
    for inner in _entries(Path(entry.path)):
        yield from _files(inner)


def _entries(folder: Path) -> _Files:
    """What is in a folder, less links; nothing where it is one itself, or cannot be listed."""
    if folder.is_symlink():
        return []
    try:
        with os.scandir(folder) as found:
            return [entry for entry in found if not entry.is_symlink()]
    except OSError:
        return []


def _bytes(files: _Files) -> int:
    total = 0
    for file in files:
        try:
            total += file.stat(follow_symlinks=False).st_size
        except FileNotFoundError:  # removed in the meantime
            continue
    return total
