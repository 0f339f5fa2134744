from __future__ import annotations

import io
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from core import images
from core.errors import UnreadableImage
from tests.bad_images import bad_images, encoded, is_filled, odd_images, orientation_exif, photo, png

BAD, ODD = bad_images(), odd_images()
KINDS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP")
SEEDS = {
    **{kind: encoded(photo(24, 18), kind) for kind in KINDS},
    "PNG16": encoded(Image.fromarray(np.arange(400, dtype=np.uint16).reshape(20, 20) * 99), "PNG"),
    "animated": encoded(photo(9, 9), "GIF", save_all=True, append_images=[photo(9, 9, 2)]),
    "exif": encoded(photo(24, 18), "JPEG", exif=orientation_exif(6)),
    "palette": encoded(photo(24, 18).quantize(8), "PNG", transparency=0),
    "ICO": encoded(photo(16, 16), "ICO"),
}


def refused(data: bytes) -> str:
    with pytest.raises(UnreadableImage) as error:
        images.decode(data)
    return str(error.value)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_a_one_line_reason(name):
    reason = refused(BAD[name])
    assert reason.strip()
    assert "\n" not in reason


@pytest.mark.parametrize("name", [name for name in BAD if "bomb" in name])
def test_a_decompression_bomb_is_refused_before_its_pixels_are_made(name):
    tracemalloc.start()
    started = time.perf_counter()
    refused(BAD[name])
    assert time.perf_counter() - started < 1
    assert tracemalloc.get_traced_memory()[1] < 30 * 2**20
    tracemalloc.stop()


@pytest.mark.parametrize("name", [name for name in BAD if "bomb" in name and not name.endswith(".ico")])
def test_the_header_alone_gives_a_bomb_away(name):
    with pytest.raises(UnreadableImage, match=r"megapixels|damaged|not an image"):
        images.probe(BAD[name])


def test_a_reason_says_what_is_wrong():
    assert "zero bytes" in refused(BAD["empty.jpg"])
    assert "not an image" in refused(BAD["text.jpg"])
    assert "30,000 x 5,000" in refused(png(30_000, 5_000))
    assert "megapixels" in refused(BAD["bomb.png"])
    assert "truncated" in refused(BAD["cut_70.jpg"])


def test_a_page_description_is_no_image_and_is_never_handed_to_an_interpreter(monkeypatch):
    import subprocess

    monkeypatch.setattr(subprocess, "check_call", lambda *_, **__: pytest.fail("ran Ghostscript"))
    assert "not an image" in refused(BAD["postscript.eps"])


@pytest.mark.parametrize("name", ODD)
def test_an_unusual_file_is_read_right(name):
    data, check = ODD[name]
    images.probe(data)
    image = images.decode(data)
    assert image.mode == "RGB"
    assert check(image)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_comes_out_upright(kind, orientation):
    upright = photo(60, 40)
    undo = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}.get(orientation)
    marked = upright.copy()
    if undo:
        marked.getexif()[0x0112] = undo
        marked = ImageOps.exif_transpose(marked)
    options = {} if kind == "TIFF" else {"quality": 95}
    data = encoded(Image.fromarray(np.asarray(marked)), kind, exif=orientation_exif(orientation), **options)
    decoded = images.decode(data)
    assert decoded.size == upright.size
    assert np.abs(np.asarray(decoded, float) - np.asarray(upright, float)).mean() < 3


def test_a_large_photo_keeps_enough_pixels_and_looks_the_same():
    picture = photo(3000, 2000)
    noisy = np.asarray(picture, float) + np.random.default_rng(0).normal(0, 6, (2000, 3000, 1))
    data = encoded(Image.fromarray(noisy.clip(0, 255).astype(np.uint8)), "JPEG", quality=90)
    small, full = images.decode(data), images.decode(data, min_side=None)
    assert full.size == (3000, 2000)
    assert full.size != small.size
    assert min(small.size) >= images.WORKING_SIDE
    resized = full.resize(small.size, Image.Resampling.BOX)
    assert np.abs(np.asarray(small, float) - np.asarray(resized, float)).mean() < 2


@pytest.mark.parametrize("size", [(1023, 1023), (1024, 1024), (4096, 512), (511, 9000), (4097, 4099)])
def test_scaled_decoding_never_goes_below_the_working_side(size):
    decoded = images.decode(encoded(Image.new("RGB", size, (9, 99, 199)), "JPEG"))
    assert min(decoded.size) >= min(*size, images.WORKING_SIDE)
    assert decoded.width / decoded.height == pytest.approx(size[0] / size[1], rel=0.01)


def test_a_file_beyond_the_byte_limit_is_refused(monkeypatch):
    monkeypatch.setattr(images, "MAX_BYTES", 1000)
    with pytest.raises(UnreadableImage, match="limit is"):
        images.probe(bytes(1001))


def test_the_content_id_is_the_start_of_the_sha256():
    assert images.content_id(b"") == "e3b0c44298fc1c149afbf4c8996fb924"


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from(sorted(SEEDS)),
    edits=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=12),
    cut=st.none() | st.integers(0, 10**6),
    tail=st.binary(max_size=8),
)
def test_damage_ends_in_a_picture_or_a_reason_and_nothing_else(kind, edits, cut, tail):
    data = bytearray(SEEDS[kind])
    for at, value in edits:
        data[at % min(len(data), 700 if value % 2 else len(data))] = value
    if cut is not None:
        del data[cut % len(data) :]
    both_or_neither(bytes(data) + tail)


@settings(max_examples=100, deadline=None)
@given(start=st.sampled_from([data[:16] for data in SEEDS.values()]), rest=st.binary(max_size=300))
def test_random_bytes_after_a_known_start_do_no_harm(start, rest):
    both_or_neither(start + rest)


def both_or_neither(data: bytes) -> None:
    for read in (images.probe, images.decode, images.shows_as_it_is, lambda data: images.at_width(data, 64)):
        try:
            result = read(data)
        except UnreadableImage as error:
            reason = str(error)
        else:
            assert not isinstance(result, Image.Image) or (result.mode == "RGB" and min(result.size) > 0)
            continue
        assert reason
        assert "\n" not in reason


@pytest.mark.parametrize("size", [(1, 1), (1, 10_000), (10_000, 1), (320, 320), (4000, 1000)])
def test_a_thumbnail_is_a_small_jpeg_of_the_same_shape(size):
    picture = Image.new("RGB", size, (200, 30, 60))
    with Image.open(io.BytesIO(images.thumbnail(picture))) as small:
        assert small.format == "JPEG"
        assert max(small.size) == min(max(size), images.THUMBNAIL_SIDE)
        assert is_filled((200, 30, 60), within=4)(small)
        if min(size) > 100:
            assert small.width / small.height == pytest.approx(size[0] / size[1], rel=0.02)
    assert picture.size == size


def test_only_a_small_plain_upright_file_is_shown_as_it_is():
    side = images.THUMBNAIL_SIDE
    small = photo(side, 200)
    assert all(images.shows_as_it_is(encoded(small, kind)) for kind in ("JPEG", "PNG", "WEBP"))
    frames = {"save_all": True, "append_images": [photo(side, 200, 3)]}
    unfit = {
        "too many pixels": encoded(photo(side + 1, 10), "JPEG"),
        "turned": encoded(small, "JPEG", exif=orientation_exif(6)),
        "animated": encoded(small, "PNG", **frames),
        "format": encoded(small, "TIFF"),
        "CMYK": encoded(small.convert("CMYK"), "JPEG"),
        "16 bit": encoded(Image.fromarray(np.zeros((9, 9), np.uint16)), "PNG"),
        "too many bytes": encoded(small, "PNG") + bytes(97 * 2**10),
    }
    assert [name for name, data in unfit.items() if images.shows_as_it_is(data)] == []


def test_a_header_that_cannot_be_read_is_not_shown():
    with pytest.raises(UnreadableImage):
        images.shows_as_it_is(png(40_000, 40_000))


@pytest.mark.parametrize(("mode", "saved", "kind"), [
    ("RGB", "JPEG", "JPEG"), ("L", "JPEG", "JPEG"), ("RGB", "PNG", "JPEG"), ("RGB", "WEBP", "JPEG"),
    ("RGBA", "PNG", "PNG"), ("P", "PNG", "PNG"), ("RGBA", "WEBP", "PNG"),
])  # fmt: skip
@pytest.mark.parametrize("width", [1, 60, 200, 300])
def test_a_picture_for_a_width_is_no_wider_and_never_made_twice(mode, saved, kind, width):
    picture = Image.new("RGBA", (200, 30), (204, 51, 0, 128))
    data = encoded(picture if mode == "RGBA" else picture.convert("RGB").convert(mode), saved)
    fitted = images.at_width(data, width)
    with Image.open(io.BytesIO(fitted)) as small:
        assert small.format == kind
        assert small.size == (min(width, 200), max(1, 30 * min(width, 200) // 200))
        if mode != "L":
            assert is_filled((204, 51, 0), within=8)(small.convert("RGB"))
    assert images.at_width(fitted, width) == fitted
    assert (fitted == data) == (kind == saved and width >= 200)


def test_what_is_transparent_stays_so_at_any_width():
    clear = encoded(Image.new("RGBA", (200, 30), (200, 30, 60, 0)), "PNG")
    with Image.open(io.BytesIO(images.at_width(clear, 60))) as small:
        assert small.getextrema()[3] == (0, 0)
