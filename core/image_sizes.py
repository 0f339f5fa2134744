"""How large the images of a dataset are and in which format, from the headers of their files.

They are kept, so that only new files are looked at. In the store they are like vectors: width and height in pixels, the
file's bytes in two parts that are exact as float32, and the place of the format in :data:`FORMATS`.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core import images
from core.errors import UnreadableImage
from core.progress import Progress, silent
from core.records import Dataset
from core.store import EmbeddingStore

FINGERPRINT = hashlib.sha256(b"image sizes 2").hexdigest()[:32]
# Only ever add at the end. What is not among them is one of the many that Pillow reads and few people have.
FORMATS = ("other", "JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "MPO", "ICO", "PPM", "TGA", "PCX")
_THREADS = min(8, 2 * (os.cpu_count() or 1))
_BATCH = 2048  # what a kill can cost
_PART = 1 << 16
_COMPACT_ABOVE = 8


@dataclass(frozen=True)
class ImageSizes:
    """Sizes of a dataset's rows; 0 throughout, and no format, for a file that cannot be read any more.

    Attributes:
        width: pixels of the upright picture, ``(n,)``.
        height: the same.
        bytes: of the file, ``(n,)``.
        format: one of :data:`FORMATS`, by content and not by the file's name, ``(n,)``.
    """

    width: NDArray[np.int64]
    height: NDArray[np.int64]
    bytes: NDArray[np.int64]
    format: NDArray[np.str_]


def image_sizes(dataset: Dataset, store: EmbeddingStore, progress: Progress = silent) -> ImageSizes:
    """Read the sizes that are not known yet, and keep them.

    Args:
        dataset: the images.
        store: where sizes are kept, by content.
        progress: told of the stage ``Measuring``.

    Raises:
        LikenessError: the disk is full; what was written before is kept.
    """
    with store.lock(FINGERPRINT):
        store.clear_leftovers(FINGERPRINT)
        pending = np.flatnonzero(store.load(FINGERPRINT).rows(dataset.ids) < 0)
        with ThreadPoolExecutor(_THREADS, "size") as pool:
            for start in range(0, len(pending), _BATCH):
                progress("Measuring", start, len(pending))
                rows = pending[start : start + _BATCH].tolist()
                read = list(pool.map(lambda row: _measure(dataset, row), rows))
                found = [(str(dataset.ids[row]), one) for row, one in zip(rows, read, strict=True) if one]
                if found:
                    keys, values = zip(*found, strict=True)
                    store.append(FINGERPRINT, list(keys), np.array(values, np.float32))
        progress("Measuring", len(pending), len(pending))
        if len(store.parts(FINGERPRINT)) > _COMPACT_ABOVE:
            store.compact(FINGERPRINT)
        stored = store.load(FINGERPRINT)
    places = stored.rows(dataset.ids)
    known, table = places >= 0, np.zeros((len(dataset), 5), np.int64)
    table[known] = stored.values[places[known]]
    formats = np.where(known, np.array(FORMATS)[table[:, 4]], "")
    return ImageSizes(table[:, 0], table[:, 1], table[:, 2] * _PART + table[:, 3], formats)


def _measure(dataset: Dataset, row: int) -> tuple[int, ...] | None:
    file = dataset.file(row)
    try:
        width, height, kind = images.header(file)
        place = FORMATS.index(kind) if kind in FORMATS else 0
        return width, height, *divmod(file.stat().st_size, _PART), place
    except (UnreadableImage, OSError):  # gone or damaged since the dataset was scanned
        return None
