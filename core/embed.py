"""The embedding engine: decode each image once, embed it with every model that lacks it, keep the vectors.

A pass is a map over images. Worker threads take small shards, read, decode, resize and run the networks (all of which
release the interpreter lock); the calling thread only collects and writes. A shard's result depends on nothing but
its images, so shards may be computed anywhere and in any order.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core import images
from core.backbones import Backbone, Preprocessing, Runner
from core.errors import UnreadableImage
from core.preprocess import to_pixels
from core.progress import Progress, silent
from core.records import Dataset, SkippedFile
from core.store import EmbeddingStore

# Preprocessing and loaded network of each model, by name.
Networks = Mapping[str, tuple[Preprocessing, Runner]]
# What a kill can cost: vectors are on disk after every batch.
BATCH = 64
_SHARD = {"onnxruntime": 8, "torch": 32}
# Fewer parts than this are not worth rewriting.
_COMPACT_ABOVE = 8


@dataclass(frozen=True)
class EmbedReport:
    """What one pass did for one model.

    ``images`` of the dataset have vectors of this model now: ``computed + reused``. ``failed`` lists every file that
    was found and not embedded. ``images_per_s`` is the pass's rate, 0 when nothing was computed.
    """

    images: int
    computed: int
    reused: int
    failed: tuple[SkippedFile, ...]
    images_per_s: float


@dataclass(frozen=True)
class _Item:
    """An image to embed, and with which models."""

    key: str
    file: Path
    path: str
    models: tuple[str, ...]


@dataclass
class _Shard:
    """The vectors and failures of a few images."""

    done: int = 0
    vectors: dict[str, dict[str, NDArray[np.float32]]] = field(default_factory=dict)
    undecodable: dict[str, str] = field(default_factory=dict)
    failed: list[tuple[_Item, str]] = field(default_factory=list)


def embed(
    dataset: Dataset, backbones: Iterable[Backbone], store: EmbeddingStore, progress: Progress = silent
) -> dict[str, EmbedReport]:
    """Embed the images of a dataset that a model has not seen, and keep the vectors.

    Files that cannot be decoded are listed in the reports, not raised. Another process that is embedding with one of
    these models is waited for, and its vectors are used.

    Args:
        dataset: the images.
        backbones: the models.
        store: where the vectors go.
        progress: called with a stage, how many are done, and of how many.

    Raises:
        LikenessError: weights do not fit, or the disk is full; what was written before is kept.
    """
    models = {backbone.name: backbone for backbone in backbones}
    with _writing(models.values(), store, progress):
        present = {name: store.keys(model.fingerprint) for name, model in models.items()}
        items = _missing(dataset, present)
        computed, failed, seconds = _run(items, models, store, progress)
        for model in models.values():
            if len(store.parts(model.fingerprint)) > _COMPACT_ABOVE:
                store.compact(model.fingerprint)
    reports = {}
    for name in models:
        lost = [SkippedFile(item.path, reason) for item, reason in failed if name in item.models]
        lost.sort(key=lambda file: file.path)
        reused = sum(key in present[name] for key in dataset.ids.tolist())
        rate = computed[name] / seconds if computed[name] else 0.0
        listed = (*dataset.skipped, *lost)
        reports[name] = EmbedReport(len(dataset) - len(lost), computed[name], reused, listed, round(rate, 1))
    return reports


def embed_picture(data: bytes, backbones: Networks) -> dict[str, NDArray[np.float32]]:
    """The vectors of one image file, by model: bit for bit what :func:`embed` stores for it.

    Args:
        data: the file's bytes.
        backbones: preprocessing and loaded network of each model.

    Raises:
        UnreadableImage: whatever is wrong with the file.
    """
    return picture_vectors(images.decode(data), backbones)


def picture_vectors(picture: Image.Image, backbones: Networks) -> dict[str, NDArray[np.float32]]:
    """The vectors of a decoded picture, upright and RGB; arguments otherwise as in :func:`embed_picture`."""
    wanted = [preprocessing for preprocessing, _ in backbones.values()]
    pixels = {geometry: to_pixels(picture, geometry)[None] for geometry in {w.geometry for w in wanted}}
    return {name: runner(pixels[wanted.geometry])[0] for name, (wanted, runner) in backbones.items()}


def _missing(dataset: Dataset, present: dict[str, set[str]]) -> list[_Item]:
    items = []
    for row, key in enumerate(dataset.ids.tolist()):
        models = tuple(name for name, keys in present.items() if key not in keys)
        if models:
            items.append(_Item(key, dataset.file(row), str(dataset.paths[row]), models))
    return items


def _run(
    items: list[_Item], models: dict[str, Backbone], store: EmbeddingStore, progress: Progress
) -> tuple[Counter[str], list[tuple[_Item, str]], float]:
    """Vectors computed by model, images that failed, and the seconds it took once the models were ready."""
    if not items:
        return Counter(), [], 0.0
    store.clear_stale()
    runners = _load(models, {name for item in items for name in item.models}, progress)
    computed: Counter[str] = Counter()
    failed: list[tuple[_Item, str]] = []
    undecodable: dict[str, str] = {}
    writer = _Writer(store, {name: models[name].fingerprint for name in runners})
    done = 0
    started = time.perf_counter()
    progress("Embedding", 0, len(items))
    try:
        for shard in _shards(items, models, runners, store):
            writer.add(shard.vectors)
            computed.update({name: len(vectors) for name, vectors in shard.vectors.items()})
            failed += shard.failed
            undecodable |= shard.undecodable
            done += shard.done
            progress("Embedding", done, len(items))
    finally:  # also on Ctrl-C and on a full disk
        writer.flush()
        store.add_failures(undecodable)
    return computed, failed, time.perf_counter() - started


def _load(models: dict[str, Backbone], needed: set[str], progress: Progress) -> dict[str, Runner]:
    runners: dict[str, Runner] = {}
    for name in sorted(needed, key=list(models).index):
        progress("Preparing models", len(runners), len(needed))
        runners[name] = models[name].load()
    progress("Preparing models", len(needed), len(needed))
    return runners


def _shards(
    items: list[_Item], models: dict[str, Backbone], runners: dict[str, Runner], store: EmbeddingStore
) -> Iterator[_Shard]:
    """Compute shards on all cores, a few ahead of the reader."""
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    waiting = _cut(items, max(_SHARD[runner.engine] for runner in runners.values()), workers)
    with ThreadPoolExecutor(workers, "embed") as pool:
        running: set[Future[_Shard]] = set()
        try:
            while True:
                for shard in itertools.islice(waiting, workers * 2 - len(running)):
                    running.add(pool.submit(_embed_shard, shard, models, runners, store))
                if not running:
                    return
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        finally:
            for future in running:
                future.cancel()


def _cut(items: list[_Item], size: int, workers: int) -> Iterator[list[_Item]]:
    """Shards of at most ``size``, smaller towards the end so that all workers finish together."""
    start = 0
    while start < len(items):
        stop = start + max(1, min(size, (len(items) - start) // (2 * workers)))
        yield items[start:stop]
        start = stop


def _embed_shard(
    items: list[_Item], models: dict[str, Backbone], runners: dict[str, Runner], store: EmbeddingStore
) -> _Shard:
    shard = _Shard(done=len(items))
    pixels: dict[tuple[str, Preprocessing], NDArray[np.uint8]] = {}
    for item in items:
        wanted = {models[name].spec.preprocessing.geometry for name in item.models}
        try:
            data = item.file.read_bytes()
            if images.content_id(data) != item.key:
                raise UnreadableImage("changed while the dataset was being read; run again")
            for geometry, array in _pixels(data, item.key, wanted, store, shard).items():
                pixels[item.key, geometry] = array
        except UnreadableImage as error:
            shard.failed.append((item, str(error)))
        except OSError as error:
            shard.failed.append((item, f"cannot be read: {error.strerror or error}"))
    for name, runner in runners.items():
        geometry = models[name].spec.preprocessing.geometry
        keys = [item.key for item in items if name in item.models and (item.key, geometry) in pixels]
        if keys:
            vectors = runner(np.stack([pixels[key, geometry] for key in keys]))
            shard.vectors[name] = dict(zip(keys, vectors, strict=True))
    return shard


def _pixels(
    data: bytes, key: str, wanted: set[Preprocessing], store: EmbeddingStore, shard: _Shard
) -> dict[Preprocessing, NDArray[np.uint8]]:
    try:
        picture = images.decode(data)
    except UnreadableImage as error:
        shard.undecodable[key] = str(error)
        raise
    if not images.shows_as_it_is(data) and not store.thumbnail(key).exists():
        store.write_thumbnail(key, images.thumbnail(picture))
    return {geometry: to_pixels(picture, geometry) for geometry in wanted}


class _Writer:
    """Collects vectors and writes them a batch at a time."""

    def __init__(self, store: EmbeddingStore, fingerprints: dict[str, str]) -> None:
        self._store = store
        self._fingerprints = fingerprints
        self._pending: dict[str, dict[str, NDArray[np.float32]]] = {name: {} for name in fingerprints}

    def add(self, vectors: dict[str, dict[str, NDArray[np.float32]]]) -> None:
        for name, new in vectors.items():
            self._pending[name] |= new
            if len(self._pending[name]) >= BATCH:
                self._write(name)

    def flush(self) -> None:
        for name, vectors in self._pending.items():
            if vectors:
                self._write(name)

    def _write(self, name: str) -> None:
        vectors = self._pending[name]
        self._store.append(self._fingerprints[name], list(vectors), np.stack(list(vectors.values())))
        self._pending[name] = {}  # not before: a Ctrl-C during the write leaves them for the flush


@contextlib.contextmanager
def _writing(backbones: Iterable[Backbone], store: EmbeddingStore, progress: Progress) -> Iterator[None]:
    """Hold the writer's lock of every model; always taken in one order, so that two passes cannot block each other."""
    with contextlib.ExitStack() as held:
        # A set: one weights file under two names is two models with one fingerprint.
        for fingerprint in sorted({backbone.fingerprint for backbone in backbones}):
            lock = store.lock(fingerprint)
            while True:
                with contextlib.suppress(TimeoutError):
                    lock.acquire(timeout=1)
                    break
                progress("Waiting for another process that is embedding", 0, 0)
            held.callback(lock.release)
            store.clear_leftovers(fingerprint)
        yield
