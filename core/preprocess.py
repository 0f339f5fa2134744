"""From a picture to a network's pixels, exactly as the published weights expect."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.backbones.spec import Preprocessing

_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def to_pixels(picture: Image.Image, wanted: Preprocessing) -> NDArray[np.uint8]:
    """Resize and crop an RGB picture.

    Equal to torchvision's ``Resize`` on the picture and then ``CenterCrop``, but only the pixels inside the crop are
    computed, so a 1 x 10,000 strip costs no more than a square.

    Returns:
        uint8 ``(crop, crop, 3)``.
    """
    width, height = picture.size
    if wanted.squash:
        new_width = new_height = wanted.resize
    elif width <= height:
        new_width, new_height = wanted.resize, int(wanted.resize * height / width)
    else:
        new_width, new_height = int(wanted.resize * width / height), wanted.resize
    left = round((new_width - wanted.crop) / 2.0)
    top = round((new_height - wanted.crop) / 2.0)
    across, down = width / new_width, height / new_height
    box = (left * across, top * down, (left + wanted.crop) * across, (top + wanted.crop) * down)
    box = (box[0], box[1], min(box[2], width), min(box[3], height))
    return np.asarray(picture.resize((wanted.crop, wanted.crop), _FILTERS[wanted.interpolation], box=box))
