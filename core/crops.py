"""The subjects of a dataset's images as a dataset of their own: what a model sees when every image is cropped.

A crop is an image like any other: it has a content id, is embedded once and is scored like the rest. Crops are written
once a detector, losslessly, below the cache folder; row ``i`` of the new dataset is the subject of row ``i``.
"""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from core import files, images
from core.boxes import crop
from core.detect import WORKING_SIDE, Detector
from core.errors import UnreadableImage
from core.progress import Progress, silent
from core.records import Dataset
from core.store import EmbeddingStore

_THREADS = min(8, os.cpu_count() or 1)
_BATCH = 64


def cropped(dataset: Dataset, detector: Detector, store: EmbeddingStore, progress: Progress = silent) -> Dataset:
    """The dataset with every image cropped to its subject, rows in the same order.

    Where nothing was found the whole image stays, and so does one that can no longer be read.

    Args:
        dataset: the images.
        detector: what finds the subject.
        store: crops are kept in its folder; after a kill the next call goes on.
        progress: told of the stage ``Cropping``.

    Raises:
        LikenessError: the disk is full; what was written before is kept.
    """
    folder = store.folder / "crops" / detector.fingerprint

    def work(row: int) -> tuple[str, str]:
        key, file = str(dataset.ids[row]), dataset.file(row)
        path = folder / key[:2] / f"{key}.png"
        if not path.exists():
            files.write_bytes(path, _subject(file, detector), durable=False)
        data = path.read_bytes()
        # An empty file says that the whole image is its own subject.
        return (images.content_id(data), str(path)) if data else (key, str(file))

    found: list[tuple[str, str]] = []
    with ThreadPoolExecutor(_THREADS, "crop") as pool:
        for start in range(0, len(dataset), _BATCH):
            progress("Cropping", start, len(dataset))
            found += pool.map(work, range(start, min(start + _BATCH, len(dataset))))
    progress("Cropping", len(dataset), len(dataset))
    ids, paths = (np.array(column) for column in zip(*found, strict=True))
    return replace(dataset, title=f"{dataset.title}, cropped", ids=ids, paths=paths, skipped=(), copies=())


def _subject(file: Path, detector: Detector) -> bytes:
    """A PNG of the subject; nothing where the whole image is it."""
    try:
        picture = images.decode(file.read_bytes(), WORKING_SIDE)
    except (OSError, UnreadableImage):
        return b""
    found = detector(picture)
    if found.crop is None:
        return b""
    buffer = io.BytesIO()
    crop(picture, found.crop).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
