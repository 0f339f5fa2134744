from __future__ import annotations

import os
import socket
from collections import Counter
from pathlib import Path

import pytest

from core.datasets import load_dataset
from core.errors import LikenessError


def reasons(dataset) -> dict[str, str]:
    return {file.path: file.reason for file in dataset.skipped}


def test_class_folders_with_nested_folders_and_any_extension(tmp_path, paint):
    root = tmp_path / "d"
    paint(root / "cat" / "a.PNG", 1)
    paint(root / "cat" / "deep" / "deeper" / "b.jpeg", 2, "JPEG")
    paint(root / "cat" / "no_extension", 3, "GIF")
    paint(root / "dog" / "c.txt", 4, "BMP")
    dataset = load_dataset(str(root))
    assert dict(zip(dataset.paths.tolist(), dataset.labels.tolist(), strict=True)) == {
        "cat/a.PNG": "cat",
        "cat/deep/deeper/b.jpeg": "cat",
        "cat/no_extension": "cat",
        "dog/c.txt": "dog",
    }
    assert dataset.paths.tolist() == sorted(dataset.paths.tolist())
    assert (dataset.ref, dataset.root, dataset.skipped) == (str(root), root, ())
    assert dataset.file(0).is_file()


@pytest.mark.parametrize("val", ["val", "valid", "Validation", "VAL"])
@pytest.mark.parametrize(("train", "test"), [("train", "test"), ("Training", "TESTING")])
def test_split_folders(tmp_path, paint, train, val, test):
    root = tmp_path / "d"
    for number, split in enumerate([train, train, val, test]):
        paint(root / split / ("only_here" if split == test else "cat") / f"{number}.png", number)
    dataset = load_dataset(str(root))
    assert Counter(dataset.splits.tolist()) == {"train": 2, "val": 1, "test": 1}
    assert dataset.labels[dataset.splits == "test"].tolist() == ["only_here"]


def test_train_is_a_class_beside_other_vehicles(tmp_path, paint):
    for number, label in enumerate(["train", "bus", "tram"]):
        paint(tmp_path / "d" / label / "x.png", number)
    assert load_dataset(str(tmp_path / "d")).classes == ("bus", "train", "tram")


def test_folders_beside_the_splits_are_listed(tmp_path, paint):
    paths = ["train/cat/1.png", "val/cat/2.png", "extra/cat/3.png", "train/4.png"]
    for number, path in enumerate(paths):
        paint(tmp_path / "d" / path, number)
    dataset = load_dataset(str(tmp_path / "d"))
    assert len(dataset) == 2
    assert reasons(dataset) == {
        "extra/cat/3.png": "outside the train, val and test folders",
        "train/4.png": "outside any class folder",
    }


def test_val_without_train_is_refused(tmp_path, paint):
    paint(tmp_path / "d" / "val" / "cat" / "1.png", 1)
    with pytest.raises(LikenessError, match="all in val; expected a train split"):
        load_dataset(str(tmp_path / "d"))


def test_everything_unusable_is_listed_and_nothing_blocks(classes, paint):
    (classes / "notes.txt").write_text("hello")
    (classes / "cat" / "text.jpg").write_text("not an image")
    (classes / "cat" / "empty.png").touch()
    (classes / "cat" / "cut.png").write_bytes((classes / "cat" / "00.png").read_bytes()[:20])
    paint(classes / "cat" / ".hidden.png", 900)
    paint(classes / ".secret" / "x.png", 901)
    (classes / "cat" / "broken.png").symlink_to("nowhere.png")
    (classes / "cat" / "itself.png").symlink_to("itself.png")
    os.mkfifo(classes / "cat" / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(classes / "cat" / "s"))
    dataset = load_dataset(str(classes))
    found = reasons(dataset)
    assert len(dataset) == 40
    assert found.pop("cat/cut.png")
    assert "symbolic links" in found.pop("cat/itself.png")
    assert found == {
        "notes.txt": "outside any class folder",
        "cat/text.jpg": "not an image, or a format that cannot be read here",
        "cat/empty.png": "empty file (zero bytes)",
        "cat/.hidden.png": "hidden file",
        ".secret": "hidden folder",
        "cat/broken.png": "broken link",
        "cat/pipe.png": "not a file but a named pipe",
        "cat/s": "not a file but a socket",
    }


def test_links_to_folders_are_followed_once(classes, tmp_path, paint):
    paint(tmp_path / "elsewhere" / "x.png", 500)
    (classes / "bird").symlink_to(tmp_path / "elsewhere")
    (classes / "a_copy_of_cat").symlink_to(classes / "cat")
    (classes / "cat" / "loop").symlink_to(classes / "cat")
    (classes / "cat" / "root").symlink_to(classes)
    (classes / "cat" / "above").symlink_to(tmp_path)
    dataset = load_dataset(str(classes))
    assert Counter(dataset.labels.tolist()) == {"cat": 20, "dog": 20, "bird": 1}
    assert reasons(dataset) == {
        "a_copy_of_cat": "the same folder as cat, which is already read",
        "cat/loop": "the same folder as cat, which is already read",
        "cat/root": "the same folder as the dataset's own folder, which is already read",
        "cat/above": "the same folder as a folder above this one, which is already read",
    }


def test_folder_that_cannot_be_opened(classes, monkeypatch):
    real = os.scandir

    def scandir(path):
        if str(path).endswith("dog"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    dataset = load_dataset(str(classes))
    assert len(dataset) == 20
    assert reasons(dataset) == {"dog": "folder cannot be opened: permission denied"}


def test_strange_names_are_kept(tmp_path, paint):
    names = ["new\nline.png", "🐈.png", "\u202eright to left.png", "<script>alert(1)</script>.png", "a,b;\"c'.png"]
    names = [name.replace("/", "_") for name in names]
    for number, name in enumerate(names):
        paint(tmp_path / "d" / "<b>cat\u200f" / name, number)
    dataset = load_dataset(str(tmp_path / "d"))
    assert {Path(path).name for path in dataset.paths.tolist()} == set(names)
    assert dataset.classes == ("<b>cat\u200f",)
    assert load_dataset(str(tmp_path / "d")).fingerprint == dataset.fingerprint


def test_names_that_are_not_utf8_are_listed(classes):
    for name in ("cat/\udcff.png", "caf\udce9/x.png"):
        (classes / name).parent.mkdir(exist_ok=True)
        (classes / name).write_bytes(b"x")
    dataset = load_dataset(str(classes))
    assert reasons(dataset) == {
        "caf\\udce9": "name is not valid UTF-8; rename it",
        "cat/\\udcff.png": "name is not valid UTF-8; rename it",
    }
    for file in dataset.skipped:
        file.path.encode()


def test_exact_copies(tmp_path, paint):
    paths = ["train/cat/1.png", "train/cat/copy.png", "val/cat/3.png", "val/dog/4.png"]
    for path in paths:
        paint(tmp_path / "d" / path, 7)
    paint(tmp_path / "d" / "train/dog/x.png", 8)
    dataset = load_dataset(str(tmp_path / "d"))
    assert dataset.paths.tolist() == ["train/cat/1.png", "train/dog/x.png"]
    assert reasons(dataset) == {
        "train/cat/copy.png": "duplicate of train/cat/1.png",
        "val/cat/3.png": "duplicate of train/cat/1.png, in train",
        "val/dog/4.png": 'duplicate of train/cat/1.png, which is labelled "cat", in train',
    }
