"""Pictures with the frequencies of photographs, and copies of them as people make them."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageEnhance


def photo(number: int, width: int = 160, height: int = 120) -> Image.Image:
    """Photo ``number``, always the same: coloured clouds on several scales."""
    random = np.random.default_rng([7, number])
    total = np.zeros((height, width, 3))
    for cells in (3, 6, 12, 24, 48):
        grain = Image.fromarray(random.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        total += np.asarray(grain.resize((width, height), Image.Resampling.BICUBIC), float) / cells
    total -= total.min()
    return Image.fromarray((total / total.max() * 255).astype(np.uint8))


def encoded(picture: Image.Image, form: str = "PNG", **options: int) -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


COPIES: dict[str, Callable[[Image.Image], bytes]] = {
    "recompressed": lambda p: encoded(p, "JPEG", quality=50),
    "resized": lambda p: encoded(p.resize((p.width * 2 // 3, p.height * 2 // 3)), "JPEG", quality=90),
    "cropped": lambda p: encoded(p.crop((2, 2, p.width - 2, p.height - 2)), "JPEG", quality=90),
    "brighter": lambda p: encoded(ImageEnhance.Brightness(p).enhance(1.1), "JPEG", quality=90),
}
