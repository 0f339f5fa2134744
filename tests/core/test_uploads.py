"""Uploaded pictures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core import uploads
from core.images import content_id


def test_an_upload_comes_back_by_its_content(cache: Path) -> None:
    key = uploads.keep(b"picture")
    assert key == content_id(b"picture")
    assert uploads.read(key) == b"picture"
    assert uploads.keep(b"picture") == key


@pytest.mark.parametrize(
    "key", ["", "../secret", "/etc/passwd", "a" * 31, "g" * 32, "A" * 32, "../" + "a" * 29, "0" * 32]
)
def test_only_ids_of_uploads_are_read(cache: Path, key: str) -> None:
    uploads.keep(b"picture")
    (cache / "secret").write_bytes(b"secret")
    assert uploads.read(key) is None


def test_a_damaged_upload_is_a_miss(cache: Path) -> None:
    key = uploads.keep(b"picture")
    (cache / "uploads" / key).write_bytes(b"pict")
    assert uploads.read(key) is None


def test_the_oldest_beyond_the_limit_are_dropped(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_KEEP", 3)
    keys = []
    for number in range(5):
        keys.append(uploads.keep(f"{number}".encode()))
        os.utime(cache / "uploads" / keys[-1], (1000 + number,) * 2)
    assert [uploads.read(key) is not None for key in keys] == [False, False, True, True, True]
