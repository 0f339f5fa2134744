"""Atomic writes, locks and what a crash leaves."""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

import pytest

from core import files
from core.errors import LikenessError


def _failing(number: int) -> Any:
    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return fail


def test_write_bytes_replaces_the_content_and_makes_the_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.bin"
    files.write_bytes(path, b"old")
    files.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in path.parent.iterdir()] == ["b.bin"]


@pytest.mark.parametrize("call", ["fsync", "replace", "write"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EACCES])
def test_a_failing_disk_keeps_the_old_file_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    path = tmp_path / "kept.bin"
    files.write_bytes(path, b"old")
    where: Any = {"fsync": (os, "fsync"), "replace": (Path, "replace"), "write": (Path, "write_bytes")}[call]
    with monkeypatch.context() as patch:
        patch.setattr(*where, _failing(number))
        with pytest.raises(LikenessError, match="disk is full" if number != errno.EACCES else "permissions"):
            files.write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_exception_inside_replacing_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "kept.bin"
    files.write_bytes(path, b"old")

    def interrupted() -> None:
        with files.replacing(path) as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LikenessError, match="could not be written"):
        files.write_bytes(tmp_path / "file" / "x", b"")
    with pytest.raises(LikenessError, match="could not be written"):
        files.lock_for(tmp_path / "file" / "x")


def test_durable_writes_reach_the_disk_and_others_do_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    files.write_bytes(tmp_path / "a", b"", durable=False)
    assert not synced
    files.write_bytes(tmp_path / "a", b"")
    assert len(synced) == 1


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None]}, "ünï\udcff<b>", []])
def test_json_round_trips_even_undecodable_names(tmp_path: Path, value: Any) -> None:
    files.write_json(tmp_path / "a.json", value)
    assert files.read_json(tmp_path / "a.json") == value


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": 1}}'])
def test_damaged_json_reads_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    assert files.read_json(tmp_path / "a.json") is None


def test_json_that_is_not_a_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a.json", {"x": float("nan")})
    assert not (tmp_path / "a.json").exists()


def test_readers_see_only_whole_values_while_a_writer_writes(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    files.write_json(path, [0] * 2000)
    stop = threading.Event()

    def write() -> None:
        for number in range(1, 60):
            files.write_json(path, [number] * 2000, durable=False)
        stop.set()

    writer = threading.Thread(target=write)
    writer.start()
    reads = 0
    while not stop.is_set():
        value = json.loads(path.read_bytes())
        assert len(value) == 2000
        assert len(set(value)) == 1
        reads += 1
        time.sleep(0.001)
    writer.join()
    assert reads


def test_is_locked_tells_whether_another_holds_the_lock(tmp_path: Path) -> None:
    assert not files.is_locked(tmp_path / "a")
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with files.locked(tmp_path / "a"):
            held.set()
            release.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    assert files.is_locked(tmp_path / "a")
    release.set()
    holder.join()
    assert not files.is_locked(tmp_path / "a")


def test_leftovers_are_cleared_but_young_ones_are_spared_when_asked(tmp_path: Path) -> None:
    old, young, real = tmp_path / "x" / ".a-1.tmp.json", tmp_path / ".b-2.tmp", tmp_path / "c.json"
    old.parent.mkdir()
    for path in (old, young, real):
        path.write_bytes(b"")
    os.utime(old, (time.time() - 7200,) * 2)
    files.clear_leftovers(tmp_path, 3600)
    assert (old.exists(), young.exists(), real.exists()) == (False, True, True)
    files.clear_leftovers(tmp_path)
    assert (young.exists(), real.exists()) == (False, True)


def test_a_file_has_the_rights_that_the_user_s_files_have(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    files.write_bytes(tmp_path / "report.html", b"for somebody else")
    assert (tmp_path / "report.html").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_name_as_long_as_the_file_system_allows_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / f"{'x' * 250}.json"
    files.write_bytes(path, b"{}")
    assert path.read_bytes() == b"{}"
