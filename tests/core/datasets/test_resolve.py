from __future__ import annotations

import io
import zipfile

import pytest

from core.datasets import DATASETS, load_dataset
from core.errors import LikenessError
from core.records import DatasetOptions


@pytest.mark.parametrize("ref", ["", "no_such", "/no/such/folder", "a\0b", "x" * 5000, "caf\udce9"])
def test_unknown_names_say_what_there_is(ref):
    with pytest.raises(LikenessError) as error:
        load_dataset(ref)
    message = str(error.value)
    assert "UTF-8" in message or all(name in message for name in DATASETS)
    message.encode()


def test_a_near_miss_is_suggested():
    with pytest.raises(LikenessError, match='Did you mean "imagenette"'):
        load_dataset("imagenet")


def test_a_folder_without_images(tmp_path):
    with pytest.raises(LikenessError, match=r"it holds no files.*demo"):
        load_dataset(str(tmp_path))
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "x.png").write_text("no")
    with pytest.raises(LikenessError, match=r"1 files were skipped, such as cat/x.png \(not an image"):
        load_dataset(str(tmp_path))


def test_other_files_are_refused(tmp_path):
    (tmp_path / "x.tar").write_text("")
    with pytest.raises(LikenessError, match=r"neither a \.csv nor a \.zip"):
        load_dataset(str(tmp_path / "x.tar"))


def test_a_relative_path_becomes_absolute(classes, monkeypatch):
    monkeypatch.chdir(classes.parent)
    dataset = load_dataset("pets/../pets")
    assert dataset.ref == str(classes)
    assert dataset.title == "pets"


def test_known_failures_move_no_other_image(classes):
    before = load_dataset(str(classes))
    failures = {str(id_): "damaged: cut short" for id_ in before.ids[::3]}
    after = load_dataset(str(classes), known_failures={**failures, "f" * 32: "elsewhere"})
    split_of = dict(zip(before.ids.tolist(), before.splits.tolist(), strict=True))
    assert len(after) == len(before) - len(failures)
    assert all(split_of[id_] == split for id_, split in zip(after.ids.tolist(), after.splits.tolist(), strict=True))
    assert [file.path for file in after.skipped] == before.paths[::3].tolist()
    assert {file.reason for file in after.skipped} == {"damaged: cut short"}


def test_only_failures_left(classes):
    ids = load_dataset(str(classes)).ids.tolist()
    with pytest.raises(LikenessError, match="no usable images"):
        load_dataset(str(classes), known_failures=dict.fromkeys(ids, "damaged"))


def test_options_are_applied_and_recorded(classes, paint):
    paint(classes / "rare" / "x.png", 900)
    options = DatasetOptions(top_classes=2, per_class=10)
    dataset = load_dataset(str(classes), options)
    assert dataset.options == options
    assert [len(dataset.rows(label=label)) for label in dataset.classes] == [10, 10]
    full = load_dataset(str(classes))
    split_of = dict(zip(full.ids.tolist(), full.splits.tolist(), strict=True))
    assert all(split_of[id_] == split for id_, split in zip(dataset.ids.tolist(), dataset.splits.tolist(), strict=True))


def zipped(path, members):
    with zipfile.ZipFile(path, "w") as bundle:
        for name, data in members.items():
            bundle.writestr(name, data)
    return path


@pytest.mark.parametrize("wrapper", ["", "pets/", "raw-img/"])
def test_a_zip_of_class_folders(classes, tmp_path, wrapper):
    members = {f"{wrapper}{file.relative_to(classes)}": file.read_bytes() for file in classes.rglob("*.png")}
    extra = {"translate.py": b"x"} if wrapper == "raw-img/" else {}
    archive = zipped(tmp_path / "a.zip", members | extra)
    dataset = load_dataset(str(archive))
    assert dataset.ref == str(archive)
    assert dataset.classes == ("cat", "dog")
    assert dataset.fingerprint == load_dataset(str(classes)).fingerprint


@pytest.mark.parametrize(
    "name", ["../evil.png", "/evil.png", "cat/../../evil.png", "C:\\evil.png", "a\\..\\..\\evil.png"]
)
def test_a_zip_that_would_write_elsewhere(tmp_path, name):
    archive = zipped(tmp_path / "a.zip", {"cat/x.png": b"x", name: b"x"})
    with pytest.raises(LikenessError, match="outside its folder"):
        load_dataset(str(archive))
    assert not list(tmp_path.rglob("evil.png"))


def test_a_zip_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr("core.datasets.archives.MAX_UNPACKED_BYTES", 1000)
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("cat/x.png", b"0" * 2000)
    with pytest.raises(LikenessError, match="the limit is"):
        load_dataset(str(archive))


def test_a_damaged_zip(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        bundle.writestr("cat/x.png", b"0123456789" * 100)
    for data in (b"", b"no zip", buffer.getvalue().replace(b"0123456789", b"9876543210", 1)):
        (tmp_path / "a.zip").write_bytes(data)
        with pytest.raises(LikenessError, match="cannot unpack"):
            load_dataset(str(tmp_path / "a.zip"))
    assert not [path for path in (tmp_path / "cache" / "datasets" / "unpacked").iterdir() if path.is_dir()]


def test_every_record_is_complete():
    for name, spec in DATASETS.items():
        assert spec.name == name
        assert isinstance(spec.available(), bool)
        assert all([spec.title, spec.description, spec.licence, spec.attribution, spec.how_to_get()])
    assert set(DATASETS) == {"demo", "imagenette", "fashion", "animals10"}
