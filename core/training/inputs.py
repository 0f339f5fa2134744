"""What training is fed: pictures as pixels, or vectors that are stored already.

All chance comes from a seed, the epoch and the image, so that an epoch is the same whether it follows others or a
restart.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from core import images
from core.backbones.spec import Preprocessing
from core.errors import LikenessError, UnreadableImage
from core.preprocess import to_pixels
from core.records import Dataset

Items = NDArray[np.intp]
_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
# Random resized crops: share of the area and ratio of the sides (Szegedy et al., arXiv 1409.4842). Not below a third of
# the area: smaller parts often miss the subject, and these networks know small parts already.
_AREA, _RATIO, _TRIES = (0.35, 1.0), (3 / 4, 4 / 3), 10
_JITTER = 0.3
# Batches decoded ahead of the one in work.
_AHEAD = 2


class Inputs(Protocol):
    """Gives batches of items, by row of the dataset."""

    def train(self, batches: Iterable[Items], epoch: int) -> Iterator[torch.Tensor]:
        """The inputs of each batch as they are trained on in an epoch."""
        ...

    def plain(self, rows: Items, batch: int) -> Iterator[torch.Tensor]:
        """The inputs of rows as they are embedded, a batch at a time."""
        ...


class Vectors:
    """Stored vectors, float32 ``(n, d)``, one a row of the dataset."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self._vectors = torch.from_numpy(np.array(vectors))

    def train(self, batches: Iterable[Items], epoch: int) -> Iterator[torch.Tensor]:
        """See :class:`Inputs`; every epoch is alike."""
        return (self._vectors[torch.from_numpy(batch)] for batch in batches)

    def plain(self, rows: Items, batch: int) -> Iterator[torch.Tensor]:
        """See :class:`Inputs`."""
        return (self._vectors[torch.from_numpy(part)] for part in _parts(rows, batch))


class Pictures:
    """Pixels of a dataset's image files, uint8 ``(n, crop, crop, 3)``, decoded by threads.

    Args:
        dataset: whose rows are asked for.
        preprocessing: of the network.
        augmentation: one of :data:`core.training.settings.AUGMENTATIONS`.
        seed: of the augmentation.
    """

    def __init__(self, dataset: Dataset, preprocessing: Preprocessing, augmentation: str, seed: int) -> None:
        self._dataset = dataset
        self._preprocessing = preprocessing
        self._augmentation = augmentation
        self._seed = seed

    def train(self, batches: Iterable[Items], epoch: int) -> Iterator[torch.Tensor]:
        """See :class:`Inputs`; each image is changed by chance."""

        def pixels(row: int) -> NDArray[np.uint8]:
            random = np.random.default_rng([self._seed, epoch, row])
            return augment(self._picture(row), self._preprocessing, self._augmentation, random)

        return self._batches(batches, pixels)

    def plain(self, rows: Items, batch: int) -> Iterator[torch.Tensor]:
        """See :class:`Inputs`."""
        return self._batches(_parts(rows, batch), lambda row: to_pixels(self._picture(row), self._preprocessing))

    def _batches(self, batches: Iterable[Items], pixels: _Pixels) -> Iterator[torch.Tensor]:
        waiting = iter(batches)
        with ThreadPoolExecutor(os.cpu_count() or 1, "decode") as pool:
            ahead = [pool.map(pixels, batch.tolist()) for batch in islice(waiting, _AHEAD)]
            while ahead:
                ready = np.stack(list(ahead.pop(0)))
                ahead += [pool.map(pixels, batch.tolist()) for batch in islice(waiting, 1)]
                yield torch.from_numpy(ready)

    def _picture(self, row: int) -> Image.Image:
        path: Path = self._dataset.file(row)
        try:
            data = path.read_bytes()
            if images.content_id(data) != self._dataset.ids[row]:
                raise UnreadableImage("it has changed since the dataset was read")
            return images.decode(data)
        except (OSError, UnreadableImage) as error:
            raise LikenessError(
                f"{self._dataset.paths[row]} can no longer be used for training: {error}. Finished epochs are kept: "
                "put it back and --resume, or train anew without it."
            ) from error


class _Pixels(Protocol):
    def __call__(self, row: int) -> NDArray[np.uint8]: ...


def augment(picture: Image.Image, wanted: Preprocessing, how: str, random: np.random.Generator) -> NDArray[np.uint8]:
    """A picture as it is trained on, uint8 ``(crop, crop, 3)``.

    Args:
        picture: RGB.
        wanted: size and interpolation.
        how: ``none``: as it is embedded; ``standard``: a part of random place, size and shape, mirrored half of the
            time; ``strong``: brightness, contrast and saturation too.
        random: where chance comes from.
    """
    if how == "none":
        return to_pixels(picture, wanted)
    size = wanted.crop, wanted.crop
    found = picture.resize(size, _FILTERS[wanted.interpolation], box=_part(picture.size, random), reducing_gap=2.0)
    if random.random() < 0.5:
        found = found.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if how == "strong":
        for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            found = change(found).enhance(random.uniform(1 - _JITTER, 1 + _JITTER))
    return np.asarray(found)


def _part(size: tuple[int, int], random: np.random.Generator) -> tuple[float, float, float, float]:
    """A box of random area and ratio within a picture; all of it where none fits."""
    width, height = size
    for _ in range(_TRIES):
        area = width * height * random.uniform(*_AREA)
        ratio = np.exp(random.uniform(*np.log(_RATIO)))
        across, down = np.sqrt(area * ratio), np.sqrt(area / ratio)
        if across <= width and down <= height:
            left, top = random.uniform(0, width - across), random.uniform(0, height - down)
            return float(left), float(top), float(left + across), float(top + down)
    return 0.0, 0.0, float(width), float(height)


def _parts(rows: Items, batch: int) -> Iterator[Items]:
    return (rows[start : start + batch] for start in range(0, len(rows), batch))
