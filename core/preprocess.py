"""From a picture to a network's pixels, exactly as the published weights expect."""

from __future__ import annotations

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
    size, crop = wanted.resize, wanted.crop
    if wanted.squash:
        width = height = size
    else:
        picture = _without_ends(picture)
        short = min(picture.size)
        width, height = (int(size * side / short) for side in picture.size)
    resized = picture.resize((width, height), _FILTERS[wanted.interpolation])
    left, top = round((width - crop) / 2.0), round((height - crop) / 2.0)
    return np.asarray(resized.crop((left, top, left + crop, top + crop)))


def _without_ends(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    longest = _LONGEST_STRIP * min(width, height)
    left, top = max(0, (width - longest) // 2), max(0, (height - longest) // 2)
    return picture.crop((left, top, width - left, height - top)) if left or top else picture
