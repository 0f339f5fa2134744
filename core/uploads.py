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
        for path in sorted(folder.iterdir(), key=_written)[:-_KEEP]:
            path.unlink(missing_ok=True)
    return key


def is_key(text: str) -> bool:
    """Whether a text could be what :func:`keep` returned."""
    return len(text) == 32 and all(digit in "0123456789abcdef" for digit in text)


def read(key: str) -> bytes | None:
    """The bytes of an upload, or None if it was dropped, is damaged or never was."""
    if not is_key(key):
        return None
    try:
        data = (_folder() / key).read_bytes()
    except OSError:
        return None
    return data if content_id(data) == key else None


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # dropped by another session
        return 0.0


def _folder() -> Path:
    return cache_dir() / "uploads"
