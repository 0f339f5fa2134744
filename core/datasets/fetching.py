"""What every dataset that is fetched or made has in common: a folder of its own, and errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import LikenessError
from core.files import locked
from core.paths import CACHE_VARIABLE


@contextmanager
def preparing(folder: Path) -> Iterator[None]:
    """Make ``folder`` and hold it against other processes.

    Raises:
        LikenessError: something in it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            yield
    except OSError as error:
        raise LikenessError(
            f"cannot write to {folder}: {error.strerror or error}. "
            f"Free some space, or choose another cache folder with --cache or {CACHE_VARIABLE}."
        ) from error


@contextmanager
def downloading(title: str, how_to_get: str) -> Iterator[None]:
    """Turn whatever a downloader raises into one message that says how to get the files by hand.

    Raises:
        LikenessError: the download failed, for any reason.
    """
    try:
        yield
    except Exception as error:  # each downloader fails in its own ways: network, server, checksum, missing package
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise LikenessError(f"{title} could not be downloaded ({reason}). {how_to_get}") from error


def not_here(title: str, how_to_get: str) -> LikenessError:
    """The error for a dataset that is not on this machine when nothing may be downloaded."""
    return LikenessError(f"{title} is not on this machine, and downloading is switched off. {how_to_get}")
