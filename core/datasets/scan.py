"""From files that may be images to rows of images."""
# Plain strings, not Paths: making a Path of each of 100,000 files costs as much as asking the system about it.
# ruff: noqa: PTH114, PTH116, PTH118, PTH123

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from core import images
from core.datasets.candidates import Candidate, Candidates, plain_reason, printable
from core.datasets.scan_cache import Finding, ScanCache
from core.errors import UnreadableImage
from core.progress import Progress, silent
from core.records import SkippedFile

# Reading and hashing release the interpreter; more threads than this only wait for each other.
_THREADS = min(8, 2 * (os.cpu_count() or 1))
_BATCH = 256
# A file changed twice within one tick of its file system's clock keeps its time, so a finding made that soon after a
# change is not kept for the next time. Two seconds is the coarsest clock in use (FAT).
_SETTLED_NS = 2_000_000_000


@dataclass(frozen=True)
class Scan:
    """The usable files of a source, sorted by path, with their content ids; and every other, with the reason.

    ``copies`` pairs each exact copy, which is in ``skipped``, with the file it is a copy of.
    """

    files: list[Candidate]
    ids: list[str]
    skipped: list[SkippedFile]
    copies: list[tuple[Candidate, Candidate]]


def scan(candidates: Candidates, source: Path, progress: Progress = silent) -> Scan:
    """Read every file that has changed since the last scan, and drop exact copies.

    Args:
        candidates: the files.
        source: the folder or table they were found in; names what is remembered about them.
        progress: told of the stage ``Scanning``.
    """
    files = sorted(candidates.files)
    cache = ScanCache(source)
    try:
        findings = _find(str(candidates.root), files, cache, progress)
    finally:
        cache.save()  # also when cancelled: what was read need not be read again
    return _without_copies(files, findings)


def _find(root: str, files: list[Candidate], cache: ScanCache, progress: Progress) -> list[Finding]:
    findings: list[Finding | None] = [_known(root, file, cache) for file in files]
    pending = [row for row, finding in enumerate(findings) if finding is None]
    done = len(files) - len(pending)
    progress("Scanning", done, len(files))
    if pending:
        with ThreadPoolExecutor(_THREADS) as pool:
            for batch in _batches(pending):
                # Batches, so that a caller who cancels waits for one of them and not for the whole folder.
                for row, finding in zip(
                    batch, pool.map(lambda row: _read(root, files[row], cache), batch), strict=True
                ):
                    findings[row] = finding
                done += len(batch)
                progress("Scanning", done, len(files))
    return [finding for finding in findings if finding is not None]


def _batches(rows: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]


def _known(root: str, file: Candidate, cache: ScanCache) -> Finding | None:
    """What can be said without opening the file; opening a pipe would wait for ever."""
    try:
        status = os.stat(os.path.join(root, file.path))
    except (OSError, ValueError) as error:
        return Finding(None, _absent(root, file, error))
    if not stat.S_ISREG(status.st_mode):
        return Finding(None, f"not a file but a {_kind(status.st_mode)}")
    if status.st_size > images.MAX_BYTES:
        limit = images.MAX_BYTES // 2**20
        return Finding(None, f"file of {status.st_size / 2**20:,.0f} MiB; the limit is {limit} MiB")
    return cache.get(file.path, status)


def _absent(root: str, file: Candidate, error: OSError | ValueError) -> str:
    reason = plain_reason(error) if isinstance(error, OSError) else str(error)
    if isinstance(error, FileNotFoundError) and os.path.islink(os.path.join(root, file.path)):
        reason = "broken link"
    return f"{file.where}: {reason}" if file.where else reason


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "folder", stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket"}
    return kinds.get(stat.S_IFMT(mode), "device")


def _read(root: str, file: Candidate, cache: ScanCache) -> Finding:
    full = os.path.join(root, file.path)
    now = time.time_ns()
    try:
        with open(full, "rb") as stream:
            status = os.fstat(stream.fileno())
            data = stream.read(images.MAX_BYTES + 1)
    except OSError as error:
        return Finding(None, f"cannot be opened: {plain_reason(error)}")  # not remembered: rights change unseen
    try:
        images.probe(data)
        finding = Finding(images.content_id(data), None)
    except UnreadableImage as error:
        finding = Finding(None, str(error))
    if now - status.st_mtime_ns > _SETTLED_NS:
        cache.put(file.path, status, finding)
    return finding


def _without_copies(files: list[Candidate], findings: list[Finding]) -> Scan:
    result = Scan([], [], [], [])
    first: dict[str, Candidate] = {}
    for file, (id_, reason) in zip(files, findings, strict=True):
        if id_ is None:
            result.skipped.append(SkippedFile(printable(file.path), reason or ""))
        elif id_ in first:
            result.skipped.append(SkippedFile(file.path, _copy_of(first[id_], file)))
            result.copies.append((file, first[id_]))
        else:
            first[id_] = file
            result.files.append(file)
            result.ids.append(id_)
    return result


def _copy_of(first: Candidate, copy: Candidate) -> str:
    reason = f"duplicate of {first.path}"
    if first.label != copy.label:
        reason += f', which is labelled "{first.label}"'
    if first.split != copy.split:
        reason += f", in {first.split}"
    return reason
