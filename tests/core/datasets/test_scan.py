from __future__ import annotations

import builtins
import json
import os

import pytest

from core import images
from core.datasets import load_dataset
from core.datasets import scan as scanning


@pytest.fixture
def reads(monkeypatch):
    """How many files were looked into."""
    seen: list[int] = []
    probe = images.probe

    def counting(data: bytes) -> None:
        seen.append(len(data))
        probe(data)

    monkeypatch.setattr(images, "probe", counting)
    return seen


def cache_file(cache):
    [file] = (cache / "scans").glob("*.json")
    return file


def test_an_unchanged_folder_is_not_read_again(classes, reads, monkeypatch):
    (classes / "cat" / "bad.png").write_text("not an image")
    os.utime(classes / "cat" / "bad.png", (1, 1))
    first = load_dataset(str(classes))
    assert len(reads) == 41
    opened = []
    real = builtins.open
    monkeypatch.setattr(builtins, "open", lambda file, *a, **k: (opened.append(str(file)), real(file, *a, **k))[1])
    second = load_dataset(str(classes))
    assert len(reads) == 41
    assert not [name for name in opened if name.endswith(".png")]
    assert (second.fingerprint, second.skipped) == (first.fingerprint, first.skipped)


def test_only_what_is_new_or_changed_is_read(classes, reads, paint):
    load_dataset(str(classes))
    del reads[:]
    paint(classes / "cat" / "new.png", 700)
    paint(classes / "cat" / "00.png", 701)
    os.utime(classes / "cat" / "00.png", (5, 5))
    (classes / "dog" / "39.png").unlink()
    dataset = load_dataset(str(classes))
    assert len(reads) == 2
    assert len(dataset) == 40


def test_a_file_changed_a_moment_ago_is_read_again(classes, reads, paint):
    target = classes / "cat" / "00.png"
    os.utime(target)
    before = load_dataset(str(classes))
    status = target.stat()
    # Same size, same time: the second write of one clock tick.
    data = bytearray(target.read_bytes())
    other = (classes / "cat" / "01.png").read_bytes()
    paint(target, 60000)
    assert len(target.read_bytes()) == len(data) == len(other)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = load_dataset(str(classes))
    assert before.ids[0] != after.ids[0]
    assert len(reads) == 41


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"[1, 2]",
        lambda content: b'{"schema": 1, "files": 3}',
        lambda content: json.dumps(content)[:-30].encode(),
        lambda content: json.dumps(content | {"schema": 99}).encode(),
        lambda content: json.dumps(content | {"pillow": "0.1"}).encode(),
        lambda content: json.dumps(content | {"source": "/elsewhere"}).encode(),
        lambda content: json.dumps(content | {"files": dict.fromkeys(content["files"], 5)}).encode(),
        lambda content: json.dumps(
            content | {"files": {path: [*entry[:2], "../../etc", None] for path, entry in content["files"].items()}}
        ).encode(),
    ],
)
def test_a_damaged_or_foreign_cache_is_a_miss(classes, cache, reads, damage):
    first = load_dataset(str(classes))
    content = json.loads(cache_file(cache).read_text())
    cache_file(cache).write_bytes(damage(content))
    assert load_dataset(str(classes)).fingerprint == first.fingerprint
    assert len(reads) == 80
    assert json.loads(cache_file(cache).read_text()) == content


def test_a_cache_that_cannot_be_written_only_costs_time(classes, cache):
    cache.mkdir()
    (cache / "scans").write_text("in the way")
    assert len(load_dataset(str(classes))) == 40


def test_unreadable_files_are_listed_and_asked_again(classes, monkeypatch):
    real = builtins.open

    def refuse(file, *args, **kwargs):
        if str(file).endswith("00.png"):
            raise PermissionError(13, "Permission denied", str(file))
        return real(file, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", refuse)
    dataset = load_dataset(str(classes))
    assert [(file.path, file.reason) for file in dataset.skipped] == [
        ("cat/00.png", "cannot be opened: permission denied")
    ]
    monkeypatch.undo()
    assert len(load_dataset(str(classes)).skipped) == 0


def test_a_file_over_the_limit_is_not_read(classes, reads, monkeypatch):
    monkeypatch.setattr(images, "MAX_BYTES", 10 * 2**20)
    with (classes / "cat" / "huge.png").open("wb") as stream:
        stream.truncate(11 * 2**20)
    dataset = load_dataset(str(classes))
    assert len(reads) == 40
    assert dataset.skipped[0].reason == "file of 11 MiB; the limit is 10 MiB"


def test_progress_and_cancelling(classes, reads, monkeypatch):
    monkeypatch.setattr(scanning, "_BATCH", 10)
    calls = []

    def cancel(stage: str, done: int, total: int) -> None:
        calls.append((stage, done, total))
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_dataset(str(classes), progress=cancel)
    assert calls == [("Scanning", done, 40) for done in (0, 10, 20)]
    assert len(reads) == 20
    load_dataset(str(classes))
    assert len(reads) == 40, "what was read before the cancel is remembered"
