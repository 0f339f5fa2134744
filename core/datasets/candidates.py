"""What a source of images says about its files before any of them is opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from core.records import SkippedFile

# The names under which people keep the three splits, in any case.
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


class Candidate(NamedTuple):
    """A file that may become a row.

    Attributes:
        path: POSIX path relative to the source's root, or absolute for a file outside it.
        label: class name.
        split: ``train``, ``val``, ``test``, or empty where the source has no splits.
        metadata: one value for each of :attr:`Candidates.columns`.
        where: where the source names the file (``row 12``), empty where the file itself is the only mention.
    """

    path: str
    label: str
    split: str = ""
    metadata: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True)
class Candidates:
    """Everything found in a source: files that may become rows, and what was left out and why."""

    root: Path
    files: list[Candidate]
    skipped: list[SkippedFile] = field(default_factory=list)
    columns: tuple[str, ...] = ()


def printable(path: str) -> str:
    """A path in which bytes that are not UTF-8 are written out (``\\udcff``), so that it can be stored and shown."""
    return path.encode("utf-8", "backslashreplace").decode()


def is_utf8(name: str) -> bool:
    """Whether a file name from the system is valid UTF-8 (Python marks other bytes with lone surrogates)."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def plain_reason(error: OSError) -> str:
    """What the system says is wrong, in its own words without numbers and paths."""
    return (error.strerror or str(error) or type(error).__name__).lower()
