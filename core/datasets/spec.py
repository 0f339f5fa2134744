"""What a dataset of the catalogue is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.progress import Progress


@dataclass(frozen=True)
class DatasetSpec:
    """One dataset, and everything that is particular to it.

    Attributes:
        name: what the user types.
        title: what the user reads.
        description: what the images are, how many, in how many classes.
        licence: the licence's short name, or who sets the terms.
        attribution: the line to show beside the images.
        available: whether it can be loaded without a download.
        how_to_get: what to fetch and where to put it. Asked when needed: the cache may move.
        prepare: ``prepare(offline, progress)`` fetches or makes what is missing and returns the folder or CSV to read.
            Raises :class:`~core.errors.LikenessError` with ``how_to_get`` when it cannot; with ``offline`` it never
            touches the network.
    """

    name: str
    title: str
    description: str
    licence: str
    attribution: str
    available: Callable[[], bool]
    how_to_get: Callable[[], str]
    prepare: Callable[[bool, Progress], Path]
