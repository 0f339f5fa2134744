"""Pictures dropped into the dashboard, kept so that a link to a view can show them again."""

from __future__ import annotations

from pathlib import Path

from core import files
from core.images import content_id
from core.paths import cache_dir

_KEEP = 200


def keep(data: bytes) -> str:
    """Keep an uploaded file and return its content id; the oldest beyond the last 200 are dropped."""
    key = content_id(data)
    folder = _folder()
    if not (folder / key).exists():
        files.write_bytes(folder / key, data, durable=False)
        kept = sorted((path for path in folder.iterdir() if path.is_file()), key=lambda path: path.stat().st_mtime)
        for path in kept[:-_KEEP]:
            path.unlink(missing_ok=True)
    return key


def read(key: str) -> bytes | None:
    """The bytes of an upload, or None if it was dropped or never was."""
    if len(key) != 32 or any(digit not in "0123456789abcdef" for digit in key):
        return None
    path = _folder() / key
    return path.read_bytes() if path.is_file() else None


def _folder() -> Path:
    return cache_dir() / "uploads"
