"""Unpacking archives that nobody vouches for."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PureWindowsPath

from core.errors import LikenessError
from core.progress import Progress

MAX_UNPACKED_BYTES = 64 * 2**30
MAX_MEMBERS = 2_000_000
_STAGE = "Unpacking"


def unpack(archive: Path, target: Path, progress: Progress) -> None:
    """Unpack a zip or tar file into ``target``, which appears when everything is there.

    The caller holds the folder around ``target`` (:func:`core.datasets.fetching.preparing`).

    Raises:
        LikenessError: damaged, encrypted, too large, or with a member that would land outside the target.
    """
    scratch = target.with_name(f".{target.name}.partial")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    extract: Callable[[Path, Path, Progress], None] = _unzip if zipfile.is_zipfile(archive) else _untar
    try:
        extract(archive, scratch, progress)
        scratch.replace(target)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise LikenessError(
            f"cannot unpack {archive}: {error}. Download it again, or unpack it yourself beside it."
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _unzip(archive: Path, target: Path, progress: Progress) -> None:
    with zipfile.ZipFile(archive) as bundle:
        members = bundle.infolist()
        _check_size(archive, len(members), sum(member.file_size for member in members), target)
        for member in members:
            _check_name(archive, member.filename)
        for done, member in enumerate(members):
            if done % 100 == 0:
                progress(_STAGE, done, len(members))
            bundle.extract(member, target)  # reads no more than the size declared, and checks the CRC
        progress(_STAGE, len(members), len(members))


def _untar(archive: Path, target: Path, progress: Progress) -> None:
    size = archive.stat().st_size
    total = 0
    with archive.open("rb") as raw, tarfile.open(fileobj=raw) as bundle:
        for count, member in enumerate(bundle, start=1):
            total += member.size
            if count % 100 == 1:
                progress(_STAGE, raw.tell(), size)
                _check_size(archive, count, total, target)
            bundle.extract(member, target, filter="data")  # refuses paths outside the target, devices and the like
    progress(_STAGE, size, size)


def _check_size(archive: Path, members: int, unpacked: int, target: Path) -> None:
    free = shutil.disk_usage(target).free
    if members > MAX_MEMBERS or unpacked > min(MAX_UNPACKED_BYTES, free):
        raise LikenessError(
            f"{archive} unpacks to {members:,} files and {unpacked / 2**30:,.1f} GiB; the limit is {MAX_MEMBERS:,} "
            f"files and {MAX_UNPACKED_BYTES / 2**30:.0f} GiB, and {free / 2**30:,.1f} GiB are free. Unpack it yourself."
        )


def _check_name(archive: Path, name: str) -> None:
    windows = PureWindowsPath(name)
    if name.startswith("/") or windows.drive or windows.root or ".." in windows.parts:
        raise LikenessError(
            f"{archive} holds {name!r}, which would land outside its folder; do not trust this archive."
        )
