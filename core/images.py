"""Reading image files that nobody vouches for.

Every image enters Likeness through :func:`decode`. It either returns an upright 8-bit RGB picture or raises
:class:`~core.errors.UnreadableImage` with a reason a person can act on; it never crashes and never returns a
half-read picture.
"""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from core.errors import UnreadableImage

# Pillow itself starts to complain above this many pixels; one limit, one message.
MAX_PIXELS = 89_000_000
MAX_BYTES = 256 * 2**20
THUMBNAIL_SIDE = 256
# Large JPEGs are decoded at 1/2, 1/4 or 1/8 of their size as long as both sides keep this many pixels, more than any
# network's input. A 12-megapixel photo is decoded at 1/8, which moves its similarities by about 0.002. One value for
# all models, so that a vector never depends on which other models ran beside it.
WORKING_SIDE = 375
# What every browser shows as it is, so that a small file needs no thumbnail of its own.
_BROWSER_FORMATS = {"JPEG", "PNG", "WEBP"}
_BROWSER_MODES = {"RGB", "L", "RGBA", "P"}
_BROWSER_BYTES = 96 * 2**10
_ORIENTATION_TAG = 0x0112
_LYING = 5  # orientations from here on are turned by a quarter

# Pillow loads its formats at first need, which is not safe when several threads need them first.
Image.init()
# Left out: PostScript, which Pillow would hand to Ghostscript to run, and formats it can name but not decode.
_FORMATS = [name for name in Image.ID if name not in {"EPS", "WMF", "MPEG", "BUFR", "GRIB", "HDF5"}]
# Sizes are checked below, with a reason; Pillow's own remark would only be printed.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def content_id(data: bytes) -> str:
    """The first 128 bits of a file's SHA-256, as 32 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()[:32]


def probe(data: bytes) -> None:
    """Check a file's header without decoding its pixels.

    Raises:
        UnreadableImage: empty, too large, not an image, or too many pixels.
    """
    with _open(data):
        pass


def header(path: Path) -> tuple[int, int, str]:
    """Width and height of an image file in pixels, upright, and its format as Pillow names it, from its header alone.

    Raises:
        UnreadableImage: the file cannot be read, or is no image.
    """
    with _reasons(), Image.open(path, formats=_FORMATS) as image:
        width, height = image.size
        turned = _orientation(image) >= _LYING
        return (height, width, image.format or "") if turned else (width, height, image.format or "")


def decode(data: bytes, min_side: int | None = WORKING_SIDE) -> Image.Image:
    """Decode an image file to an upright 8-bit RGB picture.

    Transparency is laid over white, 16-bit and float samples are scaled to 8 bits, CMYK and palettes are converted,
    the first frame of an animation is taken and EXIF orientation is applied.

    Args:
        data: the file's bytes.
        min_side: a large JPEG may be decoded at 1/2, 1/4 or 1/8 of its size (libjpeg's scaled decoding, Pillow's
            draft mode) as long as both sides stay at least this long, in pixels; None for full size.

    Raises:
        UnreadableImage: whatever is wrong with the file.
    """
    with _open(data) as image:
        if min_side is not None and image.format == "JPEG":
            image.draft(None, (min_side, min_side))
        with _reasons():
            image.load()
            return _upright(_to_rgb(image), image)


def thumbnail(image: Image.Image, side: int = THUMBNAIL_SIDE) -> bytes:
    """A JPEG of at most ``side`` pixels on its longer side."""
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.BILINEAR, reducing_gap=1.0)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=82)
    return buffer.getvalue()


def shows_as_it_is(data: bytes) -> bool:
    """Whether a browser shows this file properly and cheaply, so that no thumbnail is needed."""
    if len(data) > _BROWSER_BYTES:
        return False
    with _open(data) as image:
        return (
            image.format in _BROWSER_FORMATS
            and image.mode in _BROWSER_MODES
            and max(image.size) <= THUMBNAIL_SIDE
            and not getattr(image, "is_animated", False)
            and _orientation(image) == 1
        )


def at_width(data: bytes, width: int) -> bytes:
    """A picture at most ``width`` pixels wide: a PNG where it may be transparent, else a JPEG.

    Untouched where it is that already.

    Raises:
        UnreadableImage: whatever is wrong with the file.
    """
    with _open(data) as image, _reasons():
        kind, mode = ("PNG", "RGBA") if image.mode in {"RGBA", "LA", "P"} else ("JPEG", "RGB")
        if image.format == kind and image.width <= width:
            return data
        size = min(width, image.width), max(1, image.height * min(width, image.width) // image.width)
        buffer = io.BytesIO()
        image.convert(mode).resize(size, Image.Resampling.BILINEAR).save(buffer, kind, quality=90)
        return buffer.getvalue()


def _open(data: bytes) -> Image.Image:
    if not data:
        raise UnreadableImage("empty file (zero bytes)")
    if len(data) > MAX_BYTES:
        raise UnreadableImage(f"file of {len(data) / 2**20:.0f} MiB; the limit is {MAX_BYTES // 2**20} MiB")
    with _reasons():
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise UnreadableImage(
            f"{width:,} x {height:,} pixels; the limit is {MAX_PIXELS / 1e6:.0f} megapixels (decompression bomb?)"
        )
    return image


# Codecs raise all of these on damaged data, each with its own wording.
_DAMAGE = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, struct.error, ArithmeticError,
    MemoryError, AttributeError, RuntimeError,
)  # fmt: skip


@contextmanager
def _reasons() -> Iterator[None]:
    """Turn whatever Pillow and its codecs raise into an UnreadableImage with a plain reason."""
    try:
        yield
    except UnidentifiedImageError as error:
        raise UnreadableImage("not an image, or a format that cannot be read here") from error
    except Image.DecompressionBombError as error:
        raise UnreadableImage(f"more than {MAX_PIXELS / 1e6:.0f} megapixels (decompression bomb?)") from error
    except _DAMAGE as error:
        raise UnreadableImage(f"damaged: {' '.join(str(error).split()) or type(error).__name__}") from error


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # broken EXIF blocks raise anything; a picture without orientation is upright
        return 1


def _upright(picture: Image.Image, source: Image.Image) -> Image.Image:
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(_orientation(source))
    return picture if turn is None else picture.transpose(turn)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return _wide_to_rgb(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _wide_to_rgb(image: Image.Image) -> Image.Image:
    """16-bit, 32-bit and float greyscale. Pillow's own ``convert`` clips at 255 instead of scaling."""
    samples = np.array(image, dtype=np.float32)  # single precision, in place: a picture near the limit is 89 M of them
    np.nan_to_num(samples, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = min(0.0, float(samples.min())), float(samples.max())
    if image.mode.startswith("I;16") or (image.mode == "I" and high > 255):
        high = max(high, 65535.0)  # the full 16-bit range, so that exposure is kept
    elif image.mode == "I":
        high = 255.0
    scale = 255 / max(high - low, 1e-12)
    samples *= scale
    samples -= low * scale
    return Image.fromarray(samples.round(out=samples).astype(np.uint8)).convert("RGB")
