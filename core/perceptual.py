"""Perceptual hashes: 64 bits of each image that survive recompression and resizing.

They are kept in the store like vectors, one component a bit, so that adding images hashes only those.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core import images
from core.errors import UnreadableImage
from core.progress import Progress, silent
from core.records import Dataset, SkippedFile
from core.store import EmbeddingStore

BITS = 64
_SCHEMA = 1
_THREADS = min(8, 2 * (os.cpu_count() or 1))
# What a kill can cost.
_BATCH = 256
# pHash looks at this many pixels a side.
_SIDE = 32
# Below this standard deviation of brightness (of 0 to 255) an image is blank, and its hash is the noise's: the flattest
# of thousands of product photographs on white had 4.3.
_FLAT = 2.0
_COMPACT_ABOVE = 8


@dataclass(frozen=True)
class Hashes:
    """The hashes of a dataset's rows.

    Attributes:
        values: ``uint64 (n,)``, 0 where there is none.
        known: ``bool (n,)``, False for images that are blank or cannot be read.
        unreadable: the images that cannot be read, with reasons.
    """

    values: NDArray[np.uint64]
    known: NDArray[np.bool_]
    unreadable: tuple[SkippedFile, ...]


def hash_images(dataset: Dataset, store: EmbeddingStore, progress: Progress = silent) -> Hashes:
    """Hash the images of a dataset that have no hash yet, and keep the hashes.

    Args:
        dataset: the images.
        store: where the hashes are kept; after a kill the next call goes on.
        progress: told of the stage ``Hashing``.

    Raises:
        LikenessError: the disk is full; what was written before is kept.
    """
    print_ = fingerprint()
    unreadable: list[SkippedFile] = []
    with store.lock(print_):
        store.clear_leftovers(print_)
        pending = np.flatnonzero(store.load(print_).rows(dataset.ids) < 0)
        for keys, bits, failed in _hashed(dataset, pending, progress):
            if keys:
                store.append(print_, keys, np.stack(bits))
            unreadable += failed
        if len(store.parts(print_)) > _COMPACT_ABOVE:
            store.compact(print_)
        stored = store.load(print_)
    rows = stored.rows(dataset.ids)
    values = np.zeros(len(dataset), np.uint64)
    if len(stored.keys):
        packed = np.packbits(stored.values[rows] > 0, axis=1).view(">u8")[:, 0].astype(np.uint64)
        values = np.where(rows < 0, np.uint64(0), packed)
    return Hashes(values, values != 0, tuple(sorted(unreadable, key=lambda file: file.path)))


def perceptual_hash(data: bytes) -> NDArray[np.float32]:
    """The 64 bits of an image file as 0.0 and 1.0, float32 ``(64,)``; all 0.0 for a blank image.

    pHash: which of the lowest 8 x 8 frequencies of the discrete cosine transform of 32 x 32 grey pixels exceed their
    median (Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010).

    Raises:
        UnreadableImage: whatever is wrong with the file.
    """
    picture = images.decode(data, 2 * _SIDE).convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    if np.asarray(picture).std() < _FLAT:
        return np.zeros(BITS, np.float32)
    bits: NDArray[np.bool_] = imagehash.phash(picture).hash
    return bits.ravel().astype(np.float32)


def fingerprint() -> str:
    """What the hashes are kept under: it covers all that decides a hash."""
    content = f"pHash {_SCHEMA} {importlib.metadata.version('ImageHash')} {_SIDE} {_FLAT}"
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _hashed(
    dataset: Dataset, rows: NDArray[np.intp], progress: Progress
) -> Iterator[tuple[list[str], list[NDArray[np.float32]], list[SkippedFile]]]:
    """Content ids, hashes and failures, a batch at a time."""
    progress("Hashing", 0, len(rows))
    with ThreadPoolExecutor(_THREADS, "hash") as pool:
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH].tolist()
            found = list(pool.map(lambda row: _hash_row(dataset, row), batch))
            done = [(row, one) for row, one in zip(batch, found, strict=True) if not isinstance(one, str)]
            failed = [
                SkippedFile(str(dataset.paths[row]), one)
                for row, one in zip(batch, found, strict=True)
                if isinstance(one, str)
            ]
            yield [str(dataset.ids[row]) for row, _ in done], [bits for _, bits in done], failed
            progress("Hashing", start + len(batch), len(rows))


def _hash_row(dataset: Dataset, row: int) -> NDArray[np.float32] | str:
    """The hash of a row's image, or why there is none."""
    try:
        data = dataset.file(row).read_bytes()
        if images.content_id(data) != dataset.ids[row]:
            return "changed while the dataset was being read; run again"
        return perceptual_hash(data)
    except UnreadableImage as error:
        return str(error)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
