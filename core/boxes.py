"""Parts of a picture that hold an object, and which of them is the picture's subject."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from PIL import Image

# COCO's animals.
ANIMALS = frozenset({"bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"})


@dataclass(frozen=True)
class Box:
    """Where an object is, what it is and how sure of it the detector is.

    Sides are fractions, in [0, 1], of the upright picture's width and height, from its left and its top: they hold for
    the picture at any size. ``confidence`` is a probability.
    """

    left: float
    top: float
    right: float
    bottom: float
    label: str
    confidence: float

    @property
    def area(self) -> float:
        """The share of the picture it covers."""
        return (self.right - self.left) * (self.bottom - self.top)

    def widened(self, margin: float) -> Box:
        """Wider by this share of its size on each side, but never beyond the picture.

        >>> Box(0.1, 0.2, 0.5, 0.6, "cat", 0.9).widened(0.5).left
        0.0
        """
        across, down = (self.right - self.left) * margin, (self.bottom - self.top) * margin
        return replace(
            self,
            left=max(0.0, self.left - across),
            top=max(0.0, self.top - down),
            right=min(1.0, self.right + across),
            bottom=min(1.0, self.bottom + down),
        )


def subject(boxes: Iterable[Box]) -> Box | None:
    """The largest animal, or the largest object where there is no animal; of equal ones the surest. None of none."""
    found = list(boxes)
    animals = [box for box in found if box.label in ANIMALS]
    return max(animals or found, key=lambda box: (box.area, box.confidence), default=None)


def crop(picture: Image.Image, box: Box | None) -> Image.Image:
    """The part of a picture in a box, rounded outwards to whole pixels, at least one each way; all of it for None."""
    if box is None:
        return picture
    width, height = picture.size
    left, top = (min(math.floor(at * side), side - 1) for at, side in ((box.left, width), (box.top, height)))
    right, bottom = math.ceil(box.right * width), math.ceil(box.bottom * height)
    return picture.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
