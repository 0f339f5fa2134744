"""Text from files and folders, shown as it is: nothing in a name may become markup."""

from __future__ import annotations

import html
import re

from core.words import count, interval, literal, share, shortened

__all__ = ["count", "figure_text", "interval", "literal", "plain", "share", "shortened"]

_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!|~:$<>&^=@/])")


def plain(text: str) -> str:
    """A name for places that read Markdown, with everything that Markdown, LaTeX or HTML would act on escaped."""
    return _MARKUP.sub(r"\\\1", literal(text))


def figure_text(text: str) -> str:
    """A name for Plotly figures, which read a few HTML tags."""
    return html.escape(literal(text), quote=False)
