"""The embedding engine: what it computes, what it reuses, what it lists, and that no image is ever lost."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core import images
from core.backbones import Backbone, available
from core.embed import BATCH, EmbedReport, embed, embed_picture
from core.errors import LikenessError
from core.paths import REPOSITORY
from core.records import Dataset, SkippedFile
from core.store import EmbeddingStore
from tests import pictures
from tests.fakes import fake, install

A, B, C = fake("fake-a"), fake("fake-b", dim=24), fake("fake-c", crop=40)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    return install(monkeypatch)


@pytest.fixture
def store(cache: Path) -> EmbeddingStore:
    return EmbeddingStore(cache)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Content ids in the order in which they are decoded."""
    calls: list[str] = []
    decode = images.decode

    def spy(data: bytes, *args: int | None) -> Image.Image:
        calls.append(images.content_id(data))
        return decode(data, *args)

    monkeypatch.setattr(images, "decode", spy)
    return calls


def _stored(store: EmbeddingStore, backbone: Backbone) -> dict[str, bytes]:
    vectors = store.load(backbone.fingerprint)
    return {str(key): value.tobytes() for key, value in zip(vectors.keys, vectors.values, strict=True)}


def _slowly(dataset: Dataset, backbone: Backbone) -> dict[str, bytes]:
    loaded = {backbone.name: (backbone.spec.preprocessing, backbone.load())}
    files = {str(key): dataset.file(row) for row, key in enumerate(dataset.ids)}
    return {key: embed_picture(file.read_bytes(), loaded)[backbone.name].tobytes() for key, file in files.items()}


def _counts(report: EmbedReport) -> tuple[int, int, int, int]:
    return report.images, report.computed, report.reused, len(report.failed)


def _dataset(root: Path, count: int) -> Dataset:
    """So many images, without a scan."""
    blank = Dataset("d", "d", root, *(np.empty(0, "U1") for _ in range(4)))
    if not count:
        return blank
    names = [f"{number:03}.png" for number in range(count)]
    data = [pictures.png(pictures.CLASSES[number % 3], number, side=40) for number in range(count)]
    for name, content in zip(names, data, strict=True):
        pictures.write(root / name, content)
    ids = np.array([images.content_id(content) for content in data])
    every = np.full(count, "train")
    return replace(blank, ids=ids, paths=np.array(names), labels=every, splits=every)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 16, 17, 32, 33, 40, 65, 2 * BATCH + 3])
def test_every_image_is_stored_whatever_their_number(
    tmp_path: Path, store: EmbeddingStore, seen: Counter[str], count: int
) -> None:
    dataset = _dataset(tmp_path, count)
    steps: list[tuple[int, int]] = []
    report = embed(dataset, [A], store, lambda stage, done, of: steps.append((done, of)))["fake-a"]
    assert store.keys(A.fingerprint) == set(dataset.ids.tolist())
    assert _counts(report) == (count, count, 0, 0)
    assert seen["fake-a"] == count
    if count:
        assert steps[-1] == (count, count)


def test_vectors_equal_the_slow_way_bit_for_bit(tmp_path: Path, store: EmbeddingStore, seen: Counter[str]) -> None:
    dataset = pictures.load(pictures.paint(tmp_path / "d", 15))
    embed(dataset, [A, B, C], store)
    for backbone in (A, B, C):
        assert _stored(store, backbone) == _slowly(dataset, backbone)


def test_a_real_network_equals_the_slow_way_bit_for_bit(tmp_path: Path, store: EmbeddingStore, network: str) -> None:
    dataset = pictures.load(pictures.paint(tmp_path / "d", 9))
    backbone = available()[network]
    embed(dataset, [backbone], store)
    assert _stored(store, backbone) == _slowly(dataset, backbone)
    lengths = np.linalg.norm(store.load(backbone.fingerprint).values, axis=1)
    assert np.allclose(lengths, 1, atol=1e-5)


def test_a_second_pass_computes_and_decodes_nothing(
    tmp_path: Path, store: EmbeddingStore, seen: Counter[str], decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = pictures.paint(tmp_path / "d", 5)
    embed(pictures.load(root), [A], store)
    seen.clear(), decoded.clear()
    monkeypatch.setattr(Backbone, "load", lambda self: pytest.fail("loaded a network for nothing"))
    report = embed(pictures.load(root), [A], store)["fake-a"]
    assert _counts(report) == (15, 0, 15, 0)
    assert report.images_per_s == 0
    assert not decoded


def test_only_unseen_images_cost_anything(tmp_path: Path, store: EmbeddingStore, seen: Counter[str]) -> None:
    root = pictures.paint(tmp_path / "d", 5)
    embed(pictures.load(root), [A], store)
    before = _stored(store, A)

    (root / "circle" / "0000.png").rename(root / "circle" / "renamed.png")
    (root / "circle" / "0001.png").rename(root / "cross" / "relabelled.png")
    shutil.move(root / "square", tmp_path / "elsewhere" / "square")
    shutil.copytree(tmp_path / "elsewhere" / "square", root / "oblong")
    pictures.paint(root, {"cross": 3}, first=50)
    seen.clear()
    report = embed(pictures.load(root), [A], store)["fake-a"]
    assert (report.computed, report.reused) == (3, 15)
    assert seen["fake-a"] == 3
    assert before.items() <= _stored(store, A).items()

    moved = embed(pictures.load(tmp_path / "d"), [A], EmbeddingStore(store.folder))["fake-a"]
    assert (moved.computed, moved.reused) == (0, 18)


def test_two_datasets_share_the_vectors_of_the_images_they_share(
    tmp_path: Path, store: EmbeddingStore, seen: Counter[str]
) -> None:
    embed(pictures.load(pictures.paint(tmp_path / "one", 4)), [A], store)
    report = embed(pictures.load(pictures.paint(tmp_path / "two", 6)), [A], store)["fake-a"]
    assert (report.computed, report.reused) == (6, 12)


def test_each_image_is_decoded_once_for_all_models(
    tmp_path: Path, store: EmbeddingStore, seen: Counter[str], decoded: list[str]
) -> None:
    dataset = pictures.load(pictures.paint(tmp_path / "d", 10))
    embed(dataset, [A, B, C], store)
    assert sorted(decoded) == sorted(dataset.ids.tolist())
    assert seen == {"fake-a": 30, "fake-b": 30, "fake-c": 30}


def test_models_with_different_gaps_each_get_only_what_they_lack(
    tmp_path: Path, store: EmbeddingStore, seen: Counter[str], decoded: list[str]
) -> None:
    dataset = pictures.load(pictures.paint(tmp_path / "d", 7))
    ids = dataset.ids.tolist()
    want = {model.name: _slowly(dataset, model) for model in (A, B, C)}
    rows = {"fake-a": range(12), "fake-b": range(6, 21), "fake-c": range(0)}
    for model in (A, B, C):
        keys = [ids[row] for row in rows[model.name]]
        if keys:
            values = [np.frombuffer(want[model.name][key], np.float32) for key in keys]
            store.append(model.fingerprint, keys, np.stack(values))
    seen.clear(), decoded.clear()
    reports = embed(dataset, [A, B, C], store)
    assert {name: (r.computed, r.reused) for name, r in reports.items()} == {
        "fake-a": (9, 12), "fake-b": (6, 15), "fake-c": (21, 0),
    }  # fmt: skip
    assert seen == {"fake-a": 9, "fake-b": 6, "fake-c": 21}
    assert len(decoded) == 21
    assert all(_stored(store, model) == want[model.name] for model in (A, B, C))


def test_one_weights_file_under_two_names_does_not_wait_for_itself(
    tmp_path: Path, store: EmbeddingStore, seen: Counter[str]
) -> None:
    twin = Backbone(replace(A.spec, name="twin"), A.weights)
    assert twin.fingerprint == A.fingerprint

    def hurry(stage: str, done: int, total: int) -> None:
        assert "Waiting" not in stage

    reports = embed(pictures.load(pictures.paint(tmp_path / "d", 2)), [A, twin], store, hurry)
    assert {name: report.images for name, report in reports.items()} == {"fake-a": 6, "twin": 6}


def _spoil(root: Path) -> dict[str, bytes]:
    buffer = io.BytesIO()
    pictures.picture("circle", 900, 200).save(buffer, "JPEG")
    png = pictures.png("cross", 901)
    spoilt = {"circle/torn.jpg": buffer.getvalue()[:-2000], "cross/torn.png": png[: len(png) // 2]}
    for name, data in spoilt.items():
        pictures.write(root / name, data)
    return spoilt


def test_files_that_cannot_be_decoded_are_listed_and_the_rest_go_on(
    tmp_path: Path, store: EmbeddingStore, seen: Counter[str], decoded: list[str]
) -> None:
    root = pictures.paint(tmp_path / "d", 6)
    spoilt = _spoil(root)
    pictures.write(root / "circle" / "empty.png", b"")
    pictures.write(root / "circle" / "notes.png", b"not an image")
    dataset = pictures.load(root)
    report = embed(dataset, [A], store)["fake-a"]
    assert _counts(report) == (18, 18, 0, 4)
    reasons = {file.path: file.reason for file in report.failed}
    assert set(reasons) == {*spoilt, "circle/empty.png", "circle/notes.png"}
    assert "damaged" in reasons["circle/torn.jpg"]
    assert "zero bytes" in reasons["circle/empty.png"]
    assert len(report.failed) + report.images == 22
    assert set(store.failures()) == {images.content_id(data) for data in spoilt.values()}

    decoded.clear()
    again = embed(pictures.load(root), [A], store)["fake-a"]
    assert again.images == 18
    known = pictures.load_dataset(str(root), offline=True, known_failures=store.failures())
    decoded.clear()
    remembered = embed(known, [A], store)["fake-a"]
    assert _counts(remembered) == (18, 0, 18, 4)
    assert not decoded
    assert {file.path for file in remembered.failed} == set(reasons)


def test_a_file_that_changed_or_vanished_since_the_scan_is_listed_and_never_stored(
    tmp_path: Path, store: EmbeddingStore, seen: Counter[str]
) -> None:
    root = pictures.paint(tmp_path / "d", 4)
    dataset = pictures.load(root)
    pictures.write(root / "circle" / "0000.png", pictures.png("square", 77))
    (root / "cross" / "0001.png").unlink()
    report = embed(dataset, [A], store)["fake-a"]
    assert _counts(report) == (10, 10, 0, 2)
    reasons = {file.path: file.reason for file in report.failed}
    assert "changed" in reasons["circle/0000.png"]
    assert "cannot be read" in reasons["cross/0001.png"]
    good = _slowly(pictures.load(root), A)
    assert _stored(store, A).items() <= good.items()
    assert not store.failures()  # neither is the content's fault


def test_a_model_that_has_a_vector_does_not_lose_it_with_the_file(
    tmp_path: Path, store: EmbeddingStore, seen: Counter[str]
) -> None:
    root = pictures.paint(tmp_path / "d", 4)
    dataset = pictures.load(root)
    embed(dataset, [A], store)
    (root / "cross" / "0001.png").unlink()
    reports = embed(dataset, [A, B], store)
    assert _counts(reports["fake-a"]) == (12, 0, 12, 0)
    assert _counts(reports["fake-b"]) == (11, 11, 0, 1)
    assert all(report.computed + report.reused == report.images for report in reports.values())


def test_cancelling_keeps_what_was_finished(tmp_path: Path, store: EmbeddingStore, seen: Counter[str]) -> None:
    dataset = pictures.load(pictures.paint(tmp_path / "d", 50))
    reached = 0

    def stop(stage: str, done: int, total: int) -> None:
        nonlocal reached
        reached = done
        if stage == "Embedding" and done >= 80:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed(dataset, [A], store, stop)
    kept = len(_stored(store, A))
    assert reached <= kept < len(dataset)
    report = embed(dataset, [A], store)["fake-a"]
    assert (report.computed, report.reused) == (len(dataset) - kept, kept)
    assert _stored(store, A) == _slowly(dataset, A)


@pytest.mark.parametrize("written", [False, True])
def test_cancelling_during_a_write_loses_nothing(
    tmp_path: Path, store: EmbeddingStore, seen: Counter[str], monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    dataset = pictures.load(pictures.paint(tmp_path / "d", 50))
    append, reached = store.append, 0

    def interrupted(fingerprint: str, keys: list[str], values: NDArray[np.float32]) -> None:
        monkeypatch.setattr(store, "append", append)  # the second write is let through
        if written:
            append(fingerprint, keys, values)
        raise KeyboardInterrupt

    def watch(stage: str, done: int, total: int) -> None:
        nonlocal reached
        reached = done

    monkeypatch.setattr(store, "append", interrupted)
    with pytest.raises(KeyboardInterrupt):
        embed(dataset, [A], store, watch)
    kept = _stored(store, A)
    assert reached <= len(kept) < len(dataset)
    assert len(kept) >= BATCH
    assert embed(dataset, [A], store)["fake-a"].computed == len(dataset) - len(kept)
    assert _stored(store, A) == _slowly(dataset, A)


def test_a_full_disk_ends_the_pass_and_keeps_what_was_written(
    tmp_path: Path, store: EmbeddingStore, seen: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = pictures.load(pictures.paint(tmp_path / "d", 60))
    fsync, calls = os.fsync, Counter[str]()

    def full(handle: int) -> None:
        calls["fsync"] += 1
        if calls["fsync"] > 1:
            raise OSError(28, "No space left on device")
        fsync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(LikenessError, match="disk is full"):
            embed(dataset, [A], store)
    kept = _stored(store, A)
    assert BATCH <= len(kept) < len(dataset)
    assert embed(dataset, [A], store)["fake-a"].computed == len(dataset) - len(kept)
    assert _stored(store, A) == _slowly(dataset, A)


def test_many_small_parts_are_joined(tmp_path: Path, store: EmbeddingStore, seen: Counter[str]) -> None:
    dataset = pictures.load(pictures.paint(tmp_path / "d", 5))
    want = _slowly(dataset, A)
    for key in dataset.ids.tolist()[:9]:
        store.append(A.fingerprint, [key], np.frombuffer(want[key], np.float32)[None])
    embed(dataset, [A], store)
    assert len(store.parts(A.fingerprint)) == 1
    assert _stored(store, A) == want


def test_damaged_vectors_are_computed_again(tmp_path: Path, store: EmbeddingStore, seen: Counter[str]) -> None:
    dataset = pictures.load(pictures.paint(tmp_path / "d", 5))
    embed(dataset, [A], store)
    (part,) = store.parts(A.fingerprint)
    part.write_bytes(part.read_bytes()[:-1] + b"\0")
    assert embed(dataset, [A], store)["fake-a"].computed == 15
    assert _stored(store, A) == _slowly(dataset, A)


def test_thumbnails_are_made_only_of_what_a_browser_cannot_show_cheaply(
    tmp_path: Path, store: EmbeddingStore, seen: Counter[str]
) -> None:
    root = pictures.paint(tmp_path / "d", 2)
    big, tiff, turned = io.BytesIO(), io.BytesIO(), io.BytesIO()
    pictures.picture("cross", 90, 700).save(big, "JPEG")
    pictures.picture("cross", 91).save(tiff, "TIFF")
    exif = Image.Exif()
    exif[0x0112] = 6
    pictures.picture("cross", 92).save(turned, "JPEG", exif=exif)
    needed = {"big.jpg": big, "old.tiff": tiff, "turned.jpg": turned}
    for name, data in needed.items():
        pictures.write(root / "cross" / name, data.getvalue())
    embed(pictures.load(root), [A], store)
    made = {path.stem: path for path in (store.folder / "thumbnails").rglob("*.jpg")}
    assert set(made) == {images.content_id(data.getvalue()) for data in needed.values()}
    for path in made.values():
        with Image.open(path) as thumbnail:
            assert max(thumbnail.size) <= images.THUMBNAIL_SIDE


def test_the_dataset_s_own_skipped_files_are_in_every_report(
    tmp_path: Path, store: EmbeddingStore, seen: Counter[str]
) -> None:
    dataset = replace(_dataset(tmp_path, 3), skipped=(SkippedFile("a", "because"),))
    assert all(report.failed == dataset.skipped for report in embed(dataset, [A, B], store).values())


def test_a_vector_does_not_depend_on_which_models_ran_beside(
    tmp_path: Path, store: EmbeddingStore, seen: Counter[str], cache: Path
) -> None:
    dataset = pictures.load(pictures.paint(tmp_path / "d", 4, side=600))
    embed(dataset, [A, B, C], store)
    alone = EmbeddingStore(cache / "alone")
    embed(dataset, [C], alone)
    assert _stored(store, C) == _stored(alone, C)


def test_a_network_that_fails_raises_and_releases_the_lock(
    tmp_path: Path, store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        engine = "onnxruntime"

        def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
            raise LikenessError("the weights do not fit")

    monkeypatch.setattr(Backbone, "load", lambda self: Broken())
    with pytest.raises(LikenessError, match="do not fit"):
        embed(_dataset(tmp_path, 20), [A], store)
    assert store.lock(A.fingerprint).acquire(timeout=0)


def test_two_processes_share_the_work(tmp_path: Path, cache: Path, network: str) -> None:
    root = pictures.paint(tmp_path / "d", 40)
    command = [sys.executable, "-m", "core", "embed", "--dataset", str(root), "--models", network, "--json", "-"]
    both = [subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    outputs = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    reports = [json.loads(output[0])[network] for output in outputs]
    assert sum(report["computed"] for report in reports) == 120
    assert [report["computed"] + report["reused"] for report in reports] == [120, 120]
    assert len(EmbeddingStore(cache).keys(available()[network].fingerprint)) == 120
