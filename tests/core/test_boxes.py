from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.boxes import Box, crop, subject

SMALL_DOG = Box(0.1, 0.1, 0.3, 0.3, "dog", 0.8)
DOG = Box(0.5, 0.5, 0.9, 0.9, "dog", 0.75)
SOFA = Box(0.0, 0.2, 1.0, 1.0, "couch", 0.99)
CUP = Box(0.2, 0.2, 0.3, 0.3, "cup", 0.95)
FRACTIONS = st.floats(0, 1)


def test_an_animal_is_preferred_to_a_larger_object_and_the_largest_of_its_kind_is_taken():
    assert subject([SOFA, SMALL_DOG, CUP, DOG]) == DOG
    assert subject([CUP, SOFA]) == SOFA
    assert subject([]) is None


def test_of_equal_boxes_the_surest_is_taken():
    sure = replace(DOG, confidence=0.9)
    assert subject([DOG, sure]) == subject([sure, DOG]) == sure


def test_a_margin_is_a_share_of_the_box_and_stops_at_the_picture():
    wide = Box(0.2, 0.3, 0.6, 0.4, "cat", 0.9).widened(0.1)
    assert (wide.left, wide.top, wide.right, wide.bottom) == pytest.approx((0.16, 0.29, 0.64, 0.41))
    assert SOFA.widened(0.5) == replace(SOFA, top=0.0)
    assert DOG.widened(0) == DOG


def test_a_crop_holds_every_pixel_that_the_box_touches():
    pixels = np.arange(10 * 8 * 3, dtype=np.uint8).reshape(10, 8, 3)
    cut = crop(Image.fromarray(pixels), Box(0.3, 0.25, 0.5, 0.61, "cat", 0.9))
    np.testing.assert_array_equal(np.asarray(cut), pixels[2:7, 2:4])


def test_no_box_is_the_whole_picture():
    picture = Image.new("RGB", (5, 3))
    assert crop(picture, None) is picture


@given(st.tuples(FRACTIONS, FRACTIONS), st.tuples(FRACTIONS, FRACTIONS), st.integers(1, 40), st.integers(1, 40))
def test_a_crop_is_never_empty_and_never_beyond_the_picture(across, down, width, height):
    box = Box(min(across), min(down), max(across), max(down), "cat", 0.9)
    cut = crop(Image.new("RGB", (width, height), "white"), box)
    assert 1 <= cut.width <= width
    assert 1 <= cut.height <= height
    assert cut.getextrema() == ((255, 255),) * 3, "Pillow fills with black what lies beyond"
