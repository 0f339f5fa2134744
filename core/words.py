"""Numbers and names as people read them: shares, intervals, counts, and names that may hold anything."""

from __future__ import annotations

from collections.abc import Sequence

_CONTROL = dict.fromkeys((*range(32), 127, *range(128, 160)), "�")
# Marks that turn the direction of the text after them.
_DIRECTION = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F], None)


def literal(text: str) -> str:
    """A name for places that show text as it is: control characters and direction marks are taken out."""
    return text.encode("utf-8", "replace").decode().translate(_CONTROL).translate(_DIRECTION)


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


def listed(names: Sequence[str]) -> str:
    """One; one and two; one, two and three.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
