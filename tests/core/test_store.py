"""The embedding store: bit-exact, append-only, and never a wrong vector."""

from __future__ import annotations

import errno
import importlib.metadata
import json
import logging
import os
import shutil
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import LikenessError
from core.paths import REPOSITORY
from core.store import EmbeddingStore, Vectors

PRINT = "ab" * 16
OTHER = "cd" * 16


def _key(number: int) -> str:
    return f"{number:032x}"


def _vectors(numbers: list[int], dim: int = 4) -> NDArray[np.float32]:
    return np.stack([np.random.default_rng(number).standard_normal(dim).astype(np.float32) for number in numbers])


def _append(store: EmbeddingStore, numbers: list[int], fingerprint: str = PRINT) -> None:
    store.append(fingerprint, [_key(number) for number in numbers], _vectors(numbers))


def _content(vectors: Vectors) -> dict[str, bytes]:
    return {str(key): value.tobytes() for key, value in zip(vectors.keys, vectors.values, strict=True)}


def _expected(numbers: list[int]) -> dict[str, bytes]:
    return {_key(number): value.tobytes() for number, value in zip(numbers, _vectors(numbers), strict=True)}


@pytest.fixture
def store(tmp_path: Path) -> EmbeddingStore:
    return EmbeddingStore(tmp_path / "store")


def test_vectors_come_back_bit_for_bit(store: EmbeddingStore) -> None:
    odd = np.array([[np.nan, -0.0, np.inf, 1e-42], [1, 2, 3, 4]], np.float32)
    store.append(PRINT, [_key(7), _key(2**128 - 1)], odd)
    loaded = store.load(PRINT)
    assert loaded.keys.tolist() == [_key(7), _key(2**128 - 1)]
    assert loaded.values.tobytes() == odd.tobytes()
    assert loaded.values.dtype == np.float32


def test_nothing_stored_is_an_empty_result(store: EmbeddingStore) -> None:
    assert store.keys(PRINT) == set()
    assert store.load(PRINT).rows(np.array([_key(1)])).tolist() == [-1]


def test_backbones_are_kept_apart(store: EmbeddingStore) -> None:
    _append(store, [1, 2])
    _append(store, [3], OTHER)
    assert (store.keys(PRINT), store.keys(OTHER)) == ({_key(1), _key(2)}, {_key(3)})


def test_rows_finds_each_id_whatever_the_order(store: EmbeddingStore) -> None:
    _append(store, [5, 1, 9])
    _append(store, [3])
    loaded = store.load(PRINT)
    asked = np.array([_key(number) for number in (3, 0, 9, 5, 10, 1)])
    rows = loaded.rows(asked)
    assert (rows >= 0).tolist() == [True, False, True, True, False, True]
    assert loaded.keys[rows[rows >= 0]].tolist() == asked[rows >= 0].tolist()


def test_a_key_stored_twice_is_loaded_once(store: EmbeddingStore) -> None:
    _append(store, [1, 2])
    _append(store, [2, 3])
    assert _content(store.load(PRINT)) == _expected([1, 2, 3])
    assert len(store.load(PRINT).keys) == store.count(PRINT) == 3


def _regions(path: Path) -> dict[str, range]:
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    start = 8 + length
    tensors = {name: header[name]["data_offsets"] for name in ("keys", "vectors")}
    places = {name: range(start + low, start + high) for name, (low, high) in tensors.items()}
    return {"length": range(8), "header": range(8, start), **places}


@pytest.mark.parametrize("region", ["length", "header", "keys", "vectors"])
def test_a_flipped_byte_anywhere_gives_no_wrong_vector(store: EmbeddingStore, region: str) -> None:
    _append(store, [1, 2, 3])
    (path,) = store.parts(PRINT)
    good, expected = path.read_bytes(), _expected([1, 2, 3])
    for place in _regions(path)[region]:
        for flip in (0x0F, 0x13):  # these turn the type F32 into I32 and U32
            path.write_bytes(good[:place] + bytes([good[place] ^ flip]) + good[place + 1 :])
            loaded = store.load(PRINT)
            # The noted library versions decide nothing, so a flip there may still load.
            assert not len(loaded.keys) or (_content(loaded) == expected and loaded.values.dtype == np.float32)
            if region in ("length", "keys", "vectors"):
                assert not len(loaded.keys)


@pytest.mark.parametrize("keep", [0, 1, 8, 100, -1])
def test_a_torn_part_is_ignored_with_a_warning(
    store: EmbeddingStore, keep: int, caplog: pytest.LogCaptureFixture
) -> None:
    _append(store, [1])
    (torn,) = store.parts(PRINT)
    torn.write_bytes(torn.read_bytes()[:keep])
    _append(store, [2])
    with caplog.at_level(logging.WARNING):
        assert _content(store.load(PRINT)) == _expected([2])
    assert store.count(PRINT) == 1
    assert str(torn) in caplog.text


def test_a_part_of_another_backbone_is_ignored_with_a_warning(
    store: EmbeddingStore, caplog: pytest.LogCaptureFixture
) -> None:
    _append(store, [1])
    _append(store, [2], OTHER)
    shutil.copy(store.parts(OTHER)[0], store.parts(PRINT)[0].parent)
    with caplog.at_level(logging.WARNING):
        assert _content(store.load(PRINT)) == _expected([1])
    assert "does not match its manifest" in caplog.text


def test_a_part_of_another_schema_is_ignored(store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("core.store.SCHEMA", 0)
        _append(store, [1])
    assert store.keys(PRINT) == set()


def test_compaction_keeps_everything_in_one_part(store: EmbeddingStore) -> None:
    for number in range(12):
        _append(store, [number, number + 1])
    before = _content(store.load(PRINT))
    with store.lock(PRINT):
        store.compact(PRINT)
    assert len(store.parts(PRINT)) == 1
    assert _content(store.load(PRINT)) == before == _expected(list(range(13)))


def test_leftovers_of_killed_writers_are_cleared_and_never_read(store: EmbeddingStore) -> None:
    _append(store, [1])
    part = store.parts(PRINT)[0]
    leftover = part.with_name(f".{part.stem}-x1.tmp.safetensors")
    shutil.copy(part, leftover)
    assert store.parts(PRINT) == [part]
    store.clear_leftovers(PRINT)
    assert not leftover.exists()
    assert _content(store.load(PRINT)) == _expected([1])


_APPENDER = """
import sys
from pathlib import Path
import numpy as np
from core.store import EmbeddingStore
store, first = EmbeddingStore(Path(sys.argv[1])), int(sys.argv[2])
for number in range(first, first + 10):
    vector = np.random.default_rng(number).standard_normal(4).astype(np.float32)
    store.append("ab" * 16, [f"{number:032x}"], vector[None])
"""


def test_several_processes_can_append_at_once(store: EmbeddingStore) -> None:
    command = [sys.executable, "-c", _APPENDER, str(store.folder)]
    writers = [subprocess.Popen([*command, str(first)], cwd=REPOSITORY) for first in (0, 5, 100)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert _content(store.load(PRINT)) == _expected([*range(15), *range(100, 110)])


def test_a_reader_sees_everything_while_parts_are_joined(store: EmbeddingStore) -> None:
    for number in range(20):
        _append(store, [number])
    wanted = _expected(list(range(20)))
    done = threading.Event()

    def compact() -> None:
        for number in range(15):
            store.compact(PRINT)
            _append(store, [number])
        done.set()

    joiner = threading.Thread(target=compact)
    joiner.start()
    while not done.is_set():
        assert _content(store.load(PRINT)) == wanted
    joiner.join()


def test_a_reader_looks_again_when_its_parts_were_joined_meanwhile(
    store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        _append(store, [number])
    parts = store.parts

    def overtaken(fingerprint: str) -> list[Path]:
        found = parts(fingerprint)
        monkeypatch.undo()
        store.compact(fingerprint)
        return found

    monkeypatch.setattr(store, "parts", overtaken)
    assert _content(store.load(PRINT)) == _expected(list(range(5)))


@pytest.mark.parametrize("edge", ["os.fsync", "pathlib.Path.write_bytes", "pathlib.Path.replace", "pathlib.Path.touch"])
@pytest.mark.parametrize("action", ["append", "compact"])
def test_a_full_disk_is_said_and_loses_nothing(
    store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch, edge: str, action: str
) -> None:
    _append(store, [1])
    _append(store, [2])

    def full(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(edge, full)
        with pytest.raises(LikenessError, match=r"disk is full.*--cache"):
            store.compact(PRINT) if action == "compact" else _append(store, [3])
    assert _content(store.load(PRINT)) == _expected([1, 2])
    assert not list(store.folder.rglob(".*.tmp*"))
    _append(store, [3])
    assert _content(store.load(PRINT)) == _expected([1, 2, 3])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.none(), st.lists(st.integers(0, 30), min_size=1, max_size=5, unique=True)), max_size=8))
def test_any_sequence_of_appends_and_compactions_equals_a_dict(
    tmp_path_factory: pytest.TempPathFactory, steps: list[list[int] | None]
) -> None:
    store = EmbeddingStore(tmp_path_factory.mktemp("store"))
    known: dict[str, bytes] = {}
    for step in steps:
        if step is None:
            store.compact(PRINT)
        else:
            _append(store, step)
            known |= _expected(step)
    assert _content(store.load(PRINT)) == known


def test_results_come_back_with_their_types_and_shapes(store: EmbeddingStore) -> None:
    arrays = {"a": np.arange(6).reshape(2, 3), "b": np.array([True, False]), "c": np.empty((0, 4), np.float32)}
    store.write_arrays("evaluations", "k", arrays)
    read = store.read_arrays("evaluations", "k")
    assert read is not None
    assert set(read) == set(arrays)
    for name, array in arrays.items():
        assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape)
        assert np.array_equal(read[name], array)


def test_damaged_foreign_or_absent_results_are_a_miss(store: EmbeddingStore) -> None:
    array = np.linspace(0, 1, 4)
    store.write_arrays("evaluations", "k", {"a": array})
    path = store.folder / "evaluations" / "k.safetensors"
    good = path.read_bytes()
    assert store.read_arrays("evaluations", "other") is None
    shutil.copy(path, path.with_name("other.safetensors"))
    assert store.read_arrays("evaluations", "other") is None
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0x0F]) + good[place + 1 :])
        read = store.read_arrays("evaluations", "k")
        assert read is None, f"byte {place} of {len(good)}"


def test_failures_add_up_and_are_forgotten_by_another_pillow(
    store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_failures({_key(1): "damaged"})
    store.add_failures({_key(2): "empty"})
    store.add_failures({})
    assert store.failures() == {_key(1): "damaged", _key(2): "empty"}
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.1" if name == "pillow" else real(name))
    assert store.failures() == {}
    store.add_failures({_key(3): "new"})
    assert store.failures() == {_key(3): "new"}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pillow": "PILLOW"}', '{"pillow": "PILLOW", "reasons": 3}'])
def test_a_damaged_failures_file_is_an_empty_one(store: EmbeddingStore, content: str) -> None:
    store.folder.mkdir()
    (store.folder / "failures.json").write_text(content.replace("PILLOW", importlib.metadata.version("pillow")))
    assert store.failures() == {}
    store.add_failures({_key(1): "damaged"})
    assert store.failures() == {_key(1): "damaged"}


def test_thumbnails_are_kept_by_content(store: EmbeddingStore) -> None:
    key = _key(255)
    assert not store.thumbnail(key).exists()
    store.write_thumbnail(key, b"jpeg")
    assert store.thumbnail(key).read_bytes() == b"jpeg"
    assert store.thumbnail(key) != store.thumbnail(_key(254))
