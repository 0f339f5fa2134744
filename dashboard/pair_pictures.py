"""A picture with what was found in it drawn on: boxes, the crop, evidence. Imports no streamlit."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFont

from core.backbones import Preprocessing
from core.boxes import Box, crop
from core.detect import Detection
from core.evidence import Map, overlay
from dashboard.text import literal

_SIDE = 480
_BOX, _CROP = "#0072B2", "#E69F00"
_LETTERS = 15


def with_evidence(picture: Image.Image, heat: Map, preprocessing: Preprocessing, part: Box | None) -> Image.Image:
    """A picture with evidence laid over it, or over the part of it that the model was shown."""
    if part is None:
        return overlay(picture, heat, preprocessing)
    drawn = picture.copy()
    inside = overlay(crop(picture, part), heat, preprocessing)
    drawn.paste(inside, (min(int(part.left * picture.width), picture.width - 1),
                         min(int(part.top * picture.height), picture.height - 1)))  # fmt: skip
    return drawn


def with_boxes(picture: Image.Image, found: Detection, *, cropped: bool) -> bytes:
    """A JPEG of a picture, 480 pixels on its longer side, with a frame around each object that was found.

    Args:
        picture: upright, RGB, of any size.
        found: objects and crop.
        cropped: whether only the crop is compared: what lies outside it then fades.
    """
    scale = _SIDE / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    drawn = picture.resize((width, height), Image.Resampling.BILINEAR)
    if found.crop is not None:
        ends = _pixels(found.crop, width, height)
        if cropped:
            faded = Image.blend(drawn, Image.new("RGB", drawn.size, "white"), 0.7)
            faded.paste(drawn.crop(ends), ends)
            drawn = faded
        ImageDraw.Draw(drawn).rectangle((ends[0], ends[1], ends[2] - 1, ends[3] - 1), outline=_CROP, width=3)
    for box in found.boxes:
        _frame(ImageDraw.Draw(drawn), box, width, height)
    buffer = io.BytesIO()
    drawn.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _frame(draw: ImageDraw.ImageDraw, box: Box, width: int, height: int) -> None:
    """The box, and a tag inside its upper left corner."""
    left, top, right, bottom = _pixels(box, width, height)
    draw.rectangle((left, top, right - 1, bottom - 1), outline=_BOX, width=2)
    font, text = ImageFont.load_default(_LETTERS), f" {literal(box.label)} {box.confidence:.0%} "
    left = max(0, min(left, width - round(draw.textlength(text, font))))
    draw.rectangle(draw.textbbox((left, top), text, font), fill=_BOX)
    draw.text((left, top), text, fill="white", font=font)


def _pixels(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom, at least one pixel apart and within the picture."""
    left, top = min(int(box.left * width), width - 1), min(int(box.top * height), height - 1)
    return (
        left,
        top,
        max(left + 1, min(width, round(box.right * width))),
        max(top + 1, min(height, round(box.bottom * height))),
    )
