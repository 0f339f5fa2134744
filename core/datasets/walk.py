"""Every file below a folder, whatever the folder holds."""
# Plain strings, not Paths, for speed, as in scan.py.
# ruff: noqa: PTH112, PTH116, PTH118

from __future__ import annotations

import heapq
import os
from pathlib import Path

from core.datasets.candidates import is_utf8, plain_reason, printable
from core.records import SkippedFile


def walk(root: Path) -> tuple[list[str], list[SkippedFile]]:
    """The files below ``root`` as POSIX paths relative to it, unordered, and what was left out and why.

    Links to folders are followed, each folder is read once, and nothing is opened but folders. Real folders come
    before linked ones, so that a link never takes a folder's images away from it.
    """
    search = _Walk(root)
    search.run()
    return search.files, search.skipped


class _Walk:
    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.files: list[str] = []
        self.skipped: list[SkippedFile] = []
        self._folders = [""]
        self._links: list[str] = []
        # A link to a folder above the root would drag in everything beside it, and lead back here.
        self._seen = {_identity(str(above)): "a folder above this one" for above in root.resolve().parents}

    def run(self) -> None:
        while self._folders or self._links:
            folder = self._folders.pop() if self._folders else heapq.heappop(self._links)
            try:
                self._read(folder)
            except OSError as error:
                self._skip(folder, f"folder cannot be opened: {plain_reason(error)}")

    def _read(self, folder: str) -> None:
        full = os.path.join(self.root, folder)
        identity = _identity(full)
        if identity in self._seen:
            self._skip(folder, f"the same folder as {self._seen[identity]}, which is already read")
            return
        self._seen[identity] = folder or "the dataset's own folder"
        with os.scandir(full) as entries:
            for entry in entries:
                self._sort(entry, f"{folder}/{entry.name}" if folder else entry.name)

    def _sort(self, entry: os.DirEntry[str], path: str) -> None:
        if not is_utf8(entry.name):
            self._skip(path, "name is not valid UTF-8; rename it")
        elif entry.name.startswith("."):
            self._skip(path, "hidden folder" if entry.is_dir(follow_symlinks=False) else "hidden file")
        elif entry.is_dir(follow_symlinks=False):
            self._folders.append(path)
        elif entry.is_symlink() and os.path.isdir(entry.path):  # entry.is_dir() raises on a link to itself
            heapq.heappush(self._links, path)
        else:
            self.files.append(path)

    def _skip(self, path: str, reason: str) -> None:
        self.skipped.append(SkippedFile(printable(path) or ".", reason))


def _identity(folder: str) -> tuple[int, int]:
    status = os.stat(folder)
    return status.st_dev, status.st_ino
