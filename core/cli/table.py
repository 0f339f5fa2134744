"""Plain tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

_UNPRINTABLE = dict.fromkeys((*range(32), 127, *range(128, 160)), "�")


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Columns padded to their widest cell; the first ``left`` flush left, the others flush right."""
    cells = [[clean(cell) for cell in row] for row in [headings, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if number < left else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def clean(text: str) -> str:
    """File names can hold control characters, which a terminal would obey."""
    return text.encode("utf-8", "replace").decode().translate(_UNPRINTABLE)
