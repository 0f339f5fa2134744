"""What was found is drawn where it is, on pictures of any shape."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from core.backbones import Preprocessing
from core.boxes import Box
from core.detect import Detection
from dashboard.pair_pictures import with_boxes, with_evidence

WHITE = Image.new("RGB", (400, 200), "white")
BOX = Box(0.25, 0.25, 0.5, 0.75, "cat", 0.9)
CROP = Box(0.1, 0.1, 0.9, 0.9, "cat", 0.9)
SEEN = Preprocessing(32, 32, squash=True)


def drawn(picture: Image.Image, found: Detection, *, cropped: bool = False) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(with_boxes(picture, found, cropped=cropped))), int)


def test_frames_are_where_the_objects_are() -> None:
    pixels = drawn(WHITE, Detection((BOX,), CROP, "detr", ""))
    assert pixels.shape == (240, 480, 3)
    blue = (pixels[..., 2] - pixels[..., 0] > 80).nonzero()
    assert [side.min() for side in blue] == pytest.approx([60, 120], abs=3)
    assert [side.max() for side in blue] == pytest.approx([179, 239], abs=3)
    amber = (pixels[..., 0] - pixels[..., 2] > 100).nonzero()
    assert [side.min() for side in amber] == pytest.approx([24, 48], abs=3)
    assert [side.max() for side in amber] == pytest.approx([215, 431], abs=3)


def test_nothing_is_drawn_where_nothing_was_found() -> None:
    assert drawn(WHITE, Detection((), None, "none", "")).min() > 250


def test_what_is_not_compared_fades() -> None:
    black = Image.new("RGB", (400, 400))
    whole, cropped = (drawn(black, Detection((), CROP, "detr", ""), cropped=on) for on in (False, True))
    assert whole[10, 10].max() < 10
    assert cropped[10, 10].min() > 150
    assert cropped[240, 240].max() < 10


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (7, 5)])
@pytest.mark.parametrize(
    "box", [BOX, Box(1.0, 1.0, 1.0, 1.0, "x" * 200, 1.0), Box(0.0, 0.0, 1.0, 1.0, "\x1b\u202ec", 1.0)]
)
def test_any_picture_and_any_box_can_be_drawn(size: tuple[int, int], box: Box) -> None:
    picture = Image.new("RGB", size, "white")
    pixels = drawn(picture, Detection((box,), box, "detr", ""), cropped=True)
    assert max(pixels.shape[:2]) == 480
    assert min(pixels.shape[:2]) >= 1


def test_evidence_is_laid_over_what_was_compared() -> None:
    heat = np.ones((4, 4), np.float32)
    whole = np.asarray(with_evidence(WHITE, heat, SEEN, None), int)
    assert (whole[..., 0] - whole[..., 2] > 80).all()
    part = np.asarray(with_evidence(WHITE, heat, SEEN, CROP), int)
    warm = part[..., 0] - part[..., 2] > 80
    assert warm[20:180, 40:360].all()
    assert warm.sum() == 160 * 320
    assert part.shape == whole.shape == (200, 400, 3)
