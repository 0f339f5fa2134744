"""Writing files so that a crash, a full disk or a second process leaves either the old file or the new one."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core.errors import LikenessError

_STEM = 40  # letters of the name; a name may be as long as the file system allows, and this one is longer
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def is_name(name: str) -> bool:
    """Whether a user's name for something may be the name of its file."""
    return _NAME.fullmatch(name) is not None


def check_name(name: str) -> None:
    """Raise a LikenessError unless :func:`is_name`."""
    if not is_name(name):
        raise LikenessError(f"{name!r} cannot be a name: use 1 to 64 letters, digits, dots, dashes and underscores.")


def write_bytes(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace ``path`` by ``data`` at once: readers see the old content or the new, never a part.

    ``durable`` waits until the disk has it; leave it off for what is cheap to make again.

    Raises:
        LikenessError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    with replacing(path, durable=durable) as temporary:
        temporary.write_bytes(data)


def check_writable(path: Path) -> None:
    """Say before long work that its result could not be written.

    Raises:
        LikenessError: ``path`` is a folder, or nothing can be written beside it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise _explained(path, error) from error


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """A temporary file beside ``path`` for a library to write; it takes the place of ``path`` on success.

    Raises:
        LikenessError: as :func:`write_bytes`.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.stem[:_STEM]}-{uuid.uuid4().hex}.tmp{path.suffix}")
        temporary.touch(exist_ok=False)  # with the rights that the user's other files have; tempfile's are his alone
        yield temporary
        if durable:
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise _explained(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any, *, durable: bool = True) -> None:
    """Write ``value`` as JSON; see :func:`write_bytes`."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    write_bytes(path, text.encode("utf-8", "surrogatepass"), durable=durable)


def read_json(path: Path) -> Any | None:
    """The JSON value in ``path``, or None when the file is missing or damaged: the caller makes it anew."""
    try:
        return json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
    except (OSError, ValueError, RecursionError):
        return None


def sha256(path: Path) -> str:
    """The SHA-256 of a file as 64 hexadecimal digits, or an empty string when there is no such file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of ``path`` across processes, waiting for whoever holds it. It ends with its process."""
    with lock_for(path):
        yield


def lock_for(path: Path) -> FileLock:
    """The lock that guards ``path``: the file ``<path>.lock`` beside it.

    Raises:
        LikenessError: the folder cannot be written.
    """
    lock = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.touch()
    except OSError as error:
        raise _explained(path, error) from error
    return FileLock(lock)


def clear_leftovers(folder: Path, older_than_s: float = 0.0) -> None:
    """Remove temporary files that killed writers left below a folder.

    Args:
        folder: looked through with all folders below it.
        older_than_s: spare younger ones, which another process may still be writing; 0 where a lock keeps others out.
    """
    for leftover in folder.rglob(".*.tmp*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - leftover.stat().st_mtime >= older_than_s:
                leftover.unlink()


def is_locked(path: Path) -> bool:
    """Whether another holder has the lock of ``path`` now."""
    lock = lock_for(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def _explained(path: Path, error: OSError) -> LikenessError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return LikenessError(
            f"The disk is full: {path.name} could not be written in {path.parent}. What was written before is safe; "
            "free some space, or name another folder with --cache, and run the same command again."
        )
    return LikenessError(f"{path} could not be written: {error.strerror or error}. Check the folder's permissions.")
