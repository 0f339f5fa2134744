"""From a picture to a network's pixels, exactly as the published weights expect."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.backbones.spec import Preprocessing

_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
# The crop is a square from the middle: of a longer strip than this many squares the ends never matter, and resizing
# them could take any amount of memory.
_LONGEST_STRIP = 8


def to_pixels(picture: Image.Image, wanted: Preprocessing) -> NDArray[np.uint8]:
    """Resize and crop an RGB picture: torchvision's ``Resize`` on the picture, then ``CenterCrop``, pixel for pixel.

    A picture more than eight times as long as wide loses its ends first.

    Returns:
        uint8 ``(crop, crop, 3)``.
    """
    steps = _steps(picture.size, wanted)
    if steps.kept != (0, 0, *picture.size):
        picture = picture.crop(steps.kept)
    return np.asarray(picture.resize(steps.size, _FILTERS[wanted.interpolation]).crop(steps.crop))


def seen_box(size: tuple[int, int], wanted: Preprocessing) -> tuple[float, float, float, float]:
    """The part of a picture of ``size`` (width, height) that the network's pixels are made of.

    Returns:
        Left, top, right and bottom in the picture's own pixels, with fractions.
    """
    steps = _steps(size, wanted)
    left, top, right, bottom = steps.kept
    across, down = (right - left) / steps.size[0], (bottom - top) / steps.size[1]
    x0, y0, x1, y1 = steps.crop
    return left + x0 * across, top + y0 * down, left + x1 * across, top + y1 * down


class _Steps(NamedTuple):
    """The box of the picture that is kept, the size it is resized to, and the box of that which is cropped."""

    kept: tuple[int, int, int, int]
    size: tuple[int, int]
    crop: tuple[int, int, int, int]


def _steps(size: tuple[int, int], wanted: Preprocessing) -> _Steps:
    width, height = size
    x, y = 0, 0
    resized = wanted.resize, wanted.resize
    if not wanted.squash:
        short = min(size)
        x, y = (max(0, (side - _LONGEST_STRIP * short) // 2) for side in size)
        resized = int(wanted.resize * (width - 2 * x) / short), int(wanted.resize * (height - 2 * y) / short)
    left, top = (round((side - wanted.crop) / 2.0) for side in resized)
    return _Steps((x, y, width - x, height - y), resized, (left, top, left + wanted.crop, top + wanted.crop))
