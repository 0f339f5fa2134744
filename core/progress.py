"""How long work tells whoever waits for it how far it is."""

from __future__ import annotations

from collections.abc import Callable

# Called as progress(stage, done, total): a word for what is being done, and how many of how many steps are behind it.
# It may raise to cancel the work.
Progress = Callable[[str, int, int], None]


def silent(stage: str, done: int, total: int) -> None:
    """Tell nobody."""
