"""Text from files and folders, shown as it is: nothing in a name may become markup."""

from __future__ import annotations

import html
import re

_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!|~:$<>&^=@/])")
_CONTROL = dict.fromkeys((*range(32), 127, *range(128, 160)), "�")
# Marks that turn the direction of the text after them.
_DIRECTION = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F], None)


def plain(text: str) -> str:
    """A name for places that read Markdown, with everything that Markdown, LaTeX or HTML would act on escaped."""
    return _MARKUP.sub(r"\\\1", literal(text))


def literal(text: str) -> str:
    """A name for places that show text as it is: control characters and direction marks are taken out."""
    return text.encode("utf-8", "replace").decode().translate(_CONTROL).translate(_DIRECTION)


def figure_text(text: str) -> str:
    """A name for Plotly figures, which read a few HTML tags."""
    return html.escape(literal(text), quote=False)


def shortened(text: str, most: int) -> str:
    """A name of at most so many characters; what is left out becomes an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def share(value: float) -> str:
    """A share as a percentage: 0.9670 becomes 96.7%."""
    return f"{value:.1%}"


def interval(low: float, high: float) -> str:
    """A 95% interval of a share: [95.5-97.8]."""
    return f"[{low * 100:.1f}\N{EN DASH}{high * 100:.1f}]"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """3,900 images; 1 image."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
