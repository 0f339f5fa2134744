from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from core.backbones import BACKBONES, Preprocessing
from core.backbones.vision import import_torchvision
from core.preprocess import seen_box, to_pixels

INTERPOLATIONS = ("bilinear", "bicubic")
GEOMETRIES = sorted({spec.preprocessing.geometry for spec in BACKBONES.values()}, key=repr)


@pytest.fixture(scope="module")
def transforms():
    return import_torchvision().transforms


def noise(width: int, height: int) -> Image.Image:
    """The hardest picture to resize: no pixel resembles its neighbour."""
    pixels = np.random.default_rng(width * 7919 + height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def official(transforms, picture: Image.Image, wanted: Preprocessing) -> np.ndarray:
    size = [wanted.resize, wanted.resize] if wanted.squash else wanted.resize
    mode = transforms.InterpolationMode(wanted.interpolation)
    resized = transforms.Resize(size, interpolation=mode)(picture)
    return np.asarray(transforms.CenterCrop(wanted.crop)(resized))


@settings(max_examples=150, deadline=None)
@given(
    width=st.integers(1, 700),
    height=st.integers(1, 700),
    resize=st.integers(8, 96),
    share=st.floats(0.2, 1),
    interpolation=st.sampled_from(INTERPOLATIONS),
    squash=st.booleans(),
)
@example(width=64, height=64, resize=64, share=1, interpolation="bilinear", squash=False)
@example(width=80, height=640, resize=64, share=0.9, interpolation="bicubic", squash=False)
def test_pixels_are_those_of_torchvision(transforms, width, height, resize, share, interpolation, squash):
    wanted = Preprocessing(resize, max(1, int(resize * share)), interpolation, squash)
    assume(squash or max(width, height) <= 8 * min(width, height))
    picture = noise(width, height)
    assert np.array_equal(to_pixels(picture, wanted), official(transforms, picture, wanted))


@pytest.mark.parametrize("size", [(500, 375), (333, 500), (223, 225), (100, 80), (2000, 257), (131, 1024)])
@pytest.mark.parametrize("wanted", GEOMETRIES, ids=str)
def test_pixels_are_those_of_torchvision_for_every_model(transforms, wanted, size):
    picture = noise(*size)
    assert np.array_equal(to_pixels(picture, wanted), official(transforms, picture, wanted))


def test_squashing_takes_in_the_whole_picture_and_cropping_leaves_the_ends_out():
    picture = Image.new("RGB", (400, 100), "white")
    picture.paste("red", (0, 0, 60, 100))
    squashed = Preprocessing(32, 32, squash=True)
    assert tuple(to_pixels(picture, squashed)[16, 0]) == (255, 0, 0)
    assert to_pixels(picture, replace(squashed, squash=False)).min() == 255


@settings(max_examples=50, deadline=None)
@given(width=st.integers(64, 900), height=st.integers(64, 900), crop=st.integers(24, 64), squash=st.booleans())
@example(width=900, height=64, crop=48, squash=False)
def test_the_box_that_is_seen_is_where_the_pixels_come_from(width, height, crop, squash):
    wanted = Preprocessing(64, crop, "bilinear", squash)
    left, top, right, bottom = seen_box((width, height), wanted)
    across, down = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    ramps = Image.fromarray((np.stack([across, down, down], -1) * 255).round().astype(np.uint8))
    middle = (np.arange(crop) + 0.5) / crop
    pixels = to_pixels(ramps, wanted).astype(float)
    inside = slice(2, -2)  # a filter that reaches over the picture's edge bends the ramp
    assert np.abs(pixels[0, :, 0] - 255 * (left + middle * (right - left)) / width)[inside].max() <= 1.5
    assert np.abs(pixels[:, 0, 1] - 255 * (top + middle * (bottom - top)) / height)[inside].max() <= 1.5


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("size", [(1, 10_000), (10_000, 1), (1, 40_000_000), (40_000_000, 1)])
def test_a_strip_costs_little_more_than_a_square(size, interpolation):
    picture = Image.new("RGB", size, (10, 20, 30))
    started = time.perf_counter()
    pixels = to_pixels(picture, Preprocessing(256, 224, interpolation))
    assert time.perf_counter() - started < 1.0
    assert pixels.shape == (224, 224, 3)
    assert (pixels == (10, 20, 30)).all()


def test_the_middle_of_a_long_strip_is_where_it_says():
    picture = Image.new("RGB", (40_000_000, 1), "black")
    picture.paste("white", (20_000_000, 0, 40_000_000, 1))
    row = to_pixels(picture, Preprocessing(256, 224))[0, :, 0].astype(int)
    # One source pixel is 256 wide here, so the edge is a ramp whose middle is the crop's middle.
    assert np.abs(row - np.linspace(128 - 111.5, 127 + 111.5, 224)).max() <= 2


def test_a_greyscale_ramp_keeps_its_direction():
    ramp = Image.fromarray(np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 256, 0).repeat(3, 2))
    pixels = to_pixels(ramp, Preprocessing(256, 224)).astype(int)
    assert (np.diff(pixels[:, :, 0], axis=1) == 1).all()
    assert (np.diff(pixels[:, :, 0], axis=0) == 0).all()
    assert pixels[0, 0, 0] == 16
