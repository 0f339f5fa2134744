"""Image files that real folders hold: damaged, hostile, or merely unusual. All are made here; none is large on disk."""

from __future__ import annotations

import functools
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

Check = Callable[[Image.Image], bool]
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The image as a file of this format."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def photo(width: int = 64, height: int = 48, seed: int = 0) -> Image.Image:
    """A smooth, asymmetric colour picture, which survives JPEG and tells its orientations apart."""
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    wave = 0.5 + 0.5 * np.sin(seed + 5 * across + 3 * down)
    return Image.fromarray((np.stack([across, down, wave], -1) * 255).astype(np.uint8))


def png(width: int, height: int, bits: int = 8, colour: int = 2, rows: bytes = b"", extra: bytes = b"") -> bytes:
    """A PNG put together by hand: any size in the header, whatever rows."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def orientation_exif(orientation: int) -> Image.Exif:
    """An EXIF block with nothing but an orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@functools.cache  # many tests ask, and compressing the hostile ones takes a while
def bad_images() -> dict[str, bytes]:
    """Files that must be refused with a reason."""
    jpeg, webp, gif = (encoded(photo(), kind) for kind in ("JPEG", "WEBP", "GIF"))
    picture, tiff, bmp = (encoded(photo(), kind) for kind in ("PNG", "TIFF", "BMP"))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("photo.jpg", jpeg)
    return {
        "empty.jpg": b"",
        "one_byte.jpg": b"\xff",
        "nul.jpg": bytes(4096),
        "text.jpg": b"A photograph of a cat.\n",
        "page.jpg": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
        "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>',
        "document.pdf": b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n",
        "archive.jpg": archive.getvalue(),
        "postscript.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n",
        "random.jpg": np.random.default_rng(1).bytes(4096),
        "random_after_jpeg_start.jpg": b"\xff\xd8\xff\xe0" + np.random.default_rng(2).bytes(4096),
        "jpeg_start_only.jpg": jpeg[:2],
        **{f"cut_{percent}.jpg": jpeg[: len(jpeg) * percent // 100] for percent in (10, 40, 70, 90)},
        **{f"cut_{percent}.png": picture[: len(picture) * percent // 100] for percent in (2, 30, 60, 90)},
        "cut_after_header.png": picture[:33],
        "cut.webp": webp[: len(webp) // 2],
        "cut.gif": gif[: len(gif) // 2],
        "cut.bmp": bmp[: len(bmp) // 2],
        "cut.tiff": tiff[: len(tiff) // 2],
        "bad_data_stream.png": png(8, 8).replace(zlib.compress(b"", 9), b"\x00" * 8),
        "no_rows.png": png(8, 8),
        "no_pixels.png": png(0, 0),
        "bad_frame.gif": gif.replace(b"\x2c\x00\x00\x00\x00", b"\x2c\xff\xff\xff\xff", 1)[: len(gif) // 3],
        "bomb.png": png(30_000, 30_000, 1, 0, bytes(1000)),
        "bomb_real.png": png(30_000, 30_000, 1, 0, bytes((1 + 30_000 // 8) * 30_000)),
        "bomb_wide.png": png(2**31 - 1, 2**31 - 1),
        "bomb.gif": b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + gif[13:],
        "bomb.bmp": bmp[:18] + struct.pack("<ii", 60_000, 60_000) + bmp[26:],
        "bomb_negative.bmp": bmp[:18] + struct.pack("<ii", 2**31 - 1, -(2**31) + 1) + bmp[26:],
        "bomb.tiff": _tiff_of_size(100_000, 100_000),
        "bomb.ppm": b"P6 50000 50000 255\n" + bytes(300),
        "bomb.jpg": _jpeg_of_size(jpeg, 65_000, 65_000),
        "bomb.ico": _icon(png(30_000, 30_000, 1, 0, bytes(1000))),
    }


def _tiff_of_size(width: int, height: int) -> bytes:
    entries = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 64)]
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\x00" + struct.pack("<IH", 8, len(entries)) + directory + bytes(68)


def _jpeg_of_size(jpeg: bytes, width: int, height: int) -> bytes:
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


def _icon(inside: bytes) -> bytes:
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(inside), 22) + inside


def odd_images() -> dict[str, tuple[bytes, Check]]:
    """Files that must be read, each with what the result has to be."""
    return {**_plain(), **_animated(), **_deep(), **_see_through(), **_unusual_metadata()}


def is_filled(colour: tuple[int, int, int], within: int = 3) -> Check:
    """Every pixel has this colour."""
    return lambda image: bool((np.abs(np.asarray(image, int) - colour).max()) <= within)


def looks_like(wanted: Image.Image, within: float = 4.0) -> Check:
    """Same size, and the same pixels but for compression."""
    return lambda image: (
        image.size == wanted.size and np.abs(np.asarray(image, float) - np.asarray(wanted, float)).mean() <= within
    )


def _flat(mode: str, colour: Any, size: tuple[int, int] = (16, 12)) -> Image.Image:
    return Image.new(mode, size, colour)


def _plain() -> dict[str, tuple[bytes, Check]]:
    picture = photo()
    same = looks_like(picture)
    gradient = picture.convert("L")
    return {
        "png_named.jpg": (encoded(picture, "PNG"), same),
        "one_pixel.png": (encoded(_flat("RGB", RED, (1, 1)), "PNG"), is_filled(RED)),
        "one_pixel.jpg": (encoded(_flat("RGB", RED, (1, 1)), "JPEG"), is_filled(RED)),
        "strip.png": (encoded(_flat("RGB", BLUE, (1, 10_000)), "PNG"), lambda image: image.size == (1, 10_000)),
        "progressive.jpg": (encoded(picture, "JPEG", progressive=True, quality=92), same),
        "trailing_garbage.jpg": (encoded(picture, "JPEG", quality=92) + b"<script>" * 999, same),
        "picture.ppm": (encoded(picture, "PPM"), same),
        "picture.webp": (encoded(picture, "WEBP", quality=92), same),
        "picture.bmp": (encoded(picture, "BMP"), same),
        "picture.tga": (encoded(picture, "TGA"), same),
        "picture.jp2": (encoded(picture, "JPEG2000"), same),
        "icon.ico": (encoded(_flat("RGB", GREEN, (32, 32)), "ICO", sizes=[(32, 32)]), is_filled(GREEN)),
        "grey.jpg": (encoded(gradient, "JPEG", quality=92), looks_like(gradient.convert("RGB"))),
        "one_bit.png": (encoded(_flat("1", 1), "PNG"), is_filled(WHITE)),
        "cmyk.tiff": (encoded(_flat("CMYK", (0, 255, 255, 0)), "TIFF"), is_filled(RED)),
        "cmyk.jpg": (_cmyk_jpeg(adobe=True), is_filled(RED, within=6)),
        "cmyk_without_adobe.jpg": (_cmyk_jpeg(adobe=False), lambda image: image.size == (16, 12)),
        "two_pictures.mpo": (encoded(picture, "MPO", save_all=True, append_images=[_flat("RGB", RED)]), same),
    }


def _cmyk_jpeg(adobe: bool) -> bytes:
    """Adobe writes CMYK inverted and says so in a marker; Pillow does as Adobe."""
    data = encoded(_flat("CMYK", (0, 255, 255, 0)), "JPEG", quality=95)
    start = data.index(b"\xff\xee")
    length = struct.unpack(">H", data[start + 2 : start + 4])[0]
    return data if adobe else data[:start] + data[start + 2 + length :]


def _animated() -> dict[str, tuple[bytes, Check]]:
    first, second = _flat("RGB", RED), _flat("RGB", BLUE)
    frames: dict[str, Any] = {"save_all": True, "append_images": [second], "duration": 50}
    return {
        "animated.gif": (encoded(first, "GIF", **frames), is_filled(RED)),
        "animated.webp": (encoded(first, "WEBP", lossless=True, **frames), is_filled(RED)),
        "animated.png": (encoded(first, "PNG", **frames), is_filled(RED)),
        "second_frame_cut.gif": (encoded(first, "GIF", **frames)[:-20], is_filled(RED)),
        "pages.tiff": (encoded(first, "TIFF", save_all=True, append_images=[second]), is_filled(RED)),
    }


def _deep() -> dict[str, tuple[bytes, Check]]:
    half = np.full((12, 16), 32_896, np.uint16)  # 128.0 of 255
    ramp = np.tile(np.linspace(0, 65_535, 256).astype(np.uint16), (4, 1))
    wanted = Image.fromarray((ramp / 257).round().astype(np.uint8)).convert("RGB")
    rows = b"".join(b"\x00" + struct.pack(">3H", 65_535, 0, 32_896) * 16 for _ in range(12))
    numbers = np.tile(np.linspace(0, 1, 16, dtype=np.float32), (12, 1))
    holes = numbers.copy()
    holes[0, :3] = np.nan, np.inf, -np.inf
    return {
        "grey_16_bit.png": (encoded(Image.fromarray(half), "PNG"), is_filled((128, 128, 128), within=1)),
        "ramp_16_bit.png": (encoded(Image.fromarray(ramp), "PNG"), looks_like(wanted, within=0.6)),
        "grey_16_bit.tiff": (encoded(Image.fromarray(half), "TIFF"), is_filled((128, 128, 128), within=1)),
        "colour_16_bit.png": (png(16, 12, 16, 2, rows), is_filled((255, 0, 128), within=1)),
        "float.tiff": (encoded(Image.fromarray(numbers), "TIFF"), _ramps_to_white),
        "float_with_nan.tiff": (encoded(Image.fromarray(holes), "TIFF"), _ramps_to_white),
        "all_nan.tiff": (encoded(Image.fromarray(numbers * np.nan), "TIFF"), is_filled((0, 0, 0))),
        "integers.tiff": (encoded(_flat("I", 200), "TIFF"), is_filled((200, 200, 200))),
    }


def _ramps_to_white(image: Image.Image) -> bool:
    last = np.asarray(image)[-1, :, 0].astype(int)
    return last[0] == 0 and last[-1] == 255 and bool((np.diff(last) > 0).all())


def _see_through() -> dict[str, tuple[bytes, Check]]:
    palette = Image.new("P", (16, 12), 0)
    palette.putpalette([10, 20, 30, 255, 0, 0])
    half_black = is_filled((127, 127, 127), within=2)
    return {
        "palette_transparent.png": (encoded(palette, "PNG", transparency=0), is_filled(WHITE)),
        "palette.png": (encoded(palette, "PNG"), is_filled((10, 20, 30))),
        "palette_transparent.gif": (encoded(palette, "GIF", transparency=0), is_filled(WHITE)),
        "grey_alpha.png": (encoded(_flat("LA", (0, 128)), "PNG"), half_black),
        "colour_alpha.png": (encoded(_flat("RGBA", (0, 0, 0, 128)), "PNG"), half_black),
        "colour_alpha.webp": (encoded(_flat("RGBA", (9, 9, 9, 0)), "WEBP", lossless=True), is_filled(WHITE)),
        "colour_key.png": (encoded(_flat("RGB", (1, 2, 3)), "PNG", transparency=(1, 2, 3)), is_filled(WHITE)),
    }


def _unusual_metadata() -> dict[str, tuple[bytes, Check]]:
    picture = photo()
    same = looks_like(picture)
    junk = b"Exif\x00\x00II*\x00" + b"\xff" * 40
    bad_offset = b"Exif\x00\x00MM\x00*\xff\xff\xff\xf0"
    return {
        "broken_exif.jpg": (encoded(picture, "JPEG", quality=92, exif=junk), same),
        "exif_offset_outside.jpg": (encoded(picture, "JPEG", quality=92, exif=bad_offset), same),
        "orientation_of_nonsense.jpg": (encoded(picture, "JPEG", quality=92, exif=orientation_exif(99)), same),
        "broken_profile.jpg": (encoded(picture, "JPEG", quality=92, icc_profile=b"not a profile" * 9), same),
        "broken_profile.png": (encoded(picture, "PNG", icc_profile=b"\x00\xff" * 50), same),
        "broken_xmp.jpg": (encoded(picture, "JPEG", quality=92, xmp=b"<x:xmpmeta><<<"), same),
    }
