"""What is known of files that have not changed since they were last read."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import PIL

from core.errors import LikenessError
from core.files import locked, read_json, write_json
from core.paths import cache_dir

_SCHEMA = 1
_ID = re.compile(r"[0-9a-f]{32}")


class Finding(NamedTuple):
    """A file's content id, or the reason it cannot be used."""

    id: str | None
    reason: str | None


class ScanCache:
    """Findings of one source, by path, each good for as long as the file's size and modification time are the same.

    A damaged or foreign file is an empty cache, and so is one written with another Pillow: what counts as an image
    is Pillow's to say.
    """

    def __init__(self, source: Path) -> None:
        self._source = str(source)
        key = hashlib.sha256(os.fsencode(self._source)).hexdigest()[:16]
        self._file = cache_dir() / "scans" / f"{key}.json"
        self._known = self._load()
        self._current: dict[str, list[Any]] = {}

    def get(self, path: str, status: os.stat_result) -> Finding | None:
        """What is known of a file with this size and time, if anything."""
        entry = self._known.get(path)
        if not isinstance(entry, list) or len(entry) != 4 or entry[:2] != [status.st_size, status.st_mtime_ns]:
            return None
        id_, reason = entry[2:]
        whole = (_is_id(id_) and reason is None) or (id_ is None and isinstance(reason, str))
        if not whole:
            return None
        self._current[path] = entry
        return Finding(id_, reason)

    def put(self, path: str, status: os.stat_result, finding: Finding) -> None:
        """Remember a finding made of a file with this size and time."""
        self._current[path] = [status.st_size, status.st_mtime_ns, *finding]

    def save(self) -> None:
        """Replace what is stored by what this scan found; a cache that cannot be written only costs time."""
        if self._current == self._known:
            return
        content = {"schema": _SCHEMA, "pillow": PIL.__version__, "source": self._source, "files": self._current}
        with contextlib.suppress(OSError, LikenessError), locked(self._file):
            write_json(self._file, content, durable=False)

    def _load(self) -> dict[str, Any]:
        content = read_json(self._file)
        if not isinstance(content, dict) or not isinstance(content.get("files"), dict):
            return {}
        head = content.get("schema"), content.get("pillow"), content.get("source")
        return content["files"] if head == (_SCHEMA, PIL.__version__, self._source) else {}


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None
