"""From a picture to a network's pixels, exactly as the published weights expect."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.backbones.spec import Preprocessing

_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
# How many pixels to either side a filter looks at.
_RADIUS = {"bilinear": 1, "bicubic": 2}


def to_pixels(picture: Image.Image, wanted: Preprocessing) -> NDArray[np.uint8]:
    """Resize and crop an RGB picture.

    Equal, but for the rounding of a few pixels, to torchvision's ``Resize`` on the picture and then ``CenterCrop``;
    only the pixels inside the crop are computed, so a 1 x 10,000 strip costs no more than a square.

    Returns:
        uint8 ``(crop, crop, 3)``.
    """
    size, crop, filter_ = wanted.resize, wanted.crop, _FILTERS[wanted.interpolation]
    if wanted.squash:
        edge = round((size - crop) / 2.0)
        return np.asarray(picture.resize((size, size), filter_).crop((edge, edge, edge + crop, edge + crop)))
    width, height = picture.size
    short = min(width, height)
    across = _Stretch.middle(width, int(size * width / short), wanted)
    down = _Stretch.middle(height, int(size * height / short), wanted)
    part = picture.crop((across.first, down.first, across.last, down.last))
    # Pillow resizes most whole pictures across and then down; for a part it may choose the other order, which rounds
    # differently. It also keeps boxes in single precision, so they are counted from the part's own corner.
    part = part.resize((crop, part.height), filter_, (across.start, 0, across.end, part.height))
    return np.asarray(part.resize((crop, crop), filter_, (0, down.start, crop, down.end)))


class _Stretch(NamedTuple):
    """Along one side: the pixels from ``first`` to ``last`` matter; counted from there, the crop is start to end."""

    first: int
    last: int
    start: float
    end: float

    @classmethod
    def middle(cls, length: int, resized: int, wanted: Preprocessing) -> _Stretch:
        scale = length / resized
        before = round((resized - wanted.crop) / 2.0)
        start, end = before * scale, min((before + wanted.crop) * scale, length)
        reach = _RADIUS[wanted.interpolation] * max(scale, 1.0) + 1
        first, last = max(math.floor(start - reach), 0), min(math.ceil(end + reach), length)
        return cls(first, last, start - first, end - first)
