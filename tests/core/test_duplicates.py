"""Duplicates of a folder: copies as people make them are found, other images are not, and leaks are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.backbones import Backbone
from core.duplicates import Duplicates, find_duplicates
from core.embed import embed
from core.errors import LikenessError
from core.records import Dataset
from core.store import EmbeddingStore
from tests import pictures
from tests.fakes import fake, install
from tests.photos import COPIES, encoded, photo

MODEL = fake("fake-a", dim=48)


@pytest.fixture(autouse=True)
def _networks(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """24 different photos in train and one in val."""
    pictures.write(tmp_path / "clouds" / "val" / "sea" / "24.png", encoded(photo(24)))
    for number in range(24):
        label = ("sea", "sky")[number % 2]
        pictures.write(tmp_path / "clouds" / "train" / label / f"{number:02}.png", encoded(photo(number)))
    return tmp_path / "clouds"


def _copies(folder: Path, label: str = "sea", split: str = "test") -> None:
    """A copy of each kind, of photos 0, 2, 4 and 6."""
    for number, (name, copy) in enumerate(COPIES.items()):
        pictures.write(folder / split / label / f"{name}.jpg", copy(photo(2 * number)))


def _found(folder: Path, cache: Path, backbone: Backbone | None = MODEL) -> Duplicates:
    dataset = pictures.load(folder)
    if backbone is not None:
        embed(dataset, [backbone], EmbeddingStore(cache))
    return find_duplicates(dataset, EmbeddingStore(cache), backbone)


def _paths(dataset: Dataset, rows: tuple[int, ...]) -> list[str]:
    return dataset.paths[list(rows)].tolist()


@pytest.mark.parametrize("model", [MODEL, None], ids=["confirmed", "by hash alone"])
def test_different_photos_are_no_duplicates(folder: Path, cache: Path, model: Backbone | None) -> None:
    found = _found(folder, cache, model)
    assert (found.groups, found.cross_split, found.leaked("all", "all").tolist()) == ((), (), [])


def test_copies_are_found_with_their_originals(folder: Path, cache: Path) -> None:
    _copies(folder)
    found = _found(folder, cache)
    assert found.model == "fake-a"
    assert [_paths(found.dataset, group.rows) for group in found.near] == [
        [f"test/sea/{name}.jpg", f"train/sea/{2 * number:02}.png"]
        for name, number in sorted((name, number) for number, name in enumerate(COPIES))
    ]
    assert found.cross_split == found.near == found.groups
    assert found.label_conflicts == ()


def test_recompressed_and_resized_copies_are_found_without_a_model(folder: Path, cache: Path) -> None:
    _copies(folder)
    found = _found(folder, cache, None)
    copies = {Path(path).stem for group in found.near for path in _paths(found.dataset, group.rows)}
    assert (found.model, copies >= {"recompressed", "resized"}) == (None, True)
    assert all(len(group.rows) == 2 for group in found.near)


def test_leaks_are_the_rows_that_ask_and_have_a_copy_that_answers(folder: Path, cache: Path) -> None:
    _copies(folder)
    found = _found(folder, cache)
    splits = found.dataset.splits
    assert found.leaked("test", "train").tolist() == np.flatnonzero(splits == "test").tolist()
    assert len(found.leaked("train", "test")) == 4
    assert len(found.leaked("all", "all")) == 8
    assert len(found.leaked("all", "test")) == 4
    assert found.leaked("test", "test").tolist() == found.leaked("val", "train").tolist() == []
    assert found.leaked("test", "test").dtype == np.intp


def test_labels_that_disagree_are_named(folder: Path, cache: Path) -> None:
    _copies(folder, label="sky", split="train")
    found = _found(folder, cache)
    assert len(found.label_conflicts) == len(found.near) == 4
    assert {group.labels for group in found.near} == {("sea", "sky")}


def test_blank_images_are_no_duplicates(folder: Path, cache: Path) -> None:
    for level in range(200, 230):
        blank = encoded(Image.new("RGB", (64, 64), (level,) * 3))
        pictures.write(folder / "train" / "sea" / f"blank{level}.png", blank)
    assert _found(folder, cache).groups == _found(folder, cache, None).groups == ()


def test_exact_copies_are_groups_with_their_labels_and_splits(folder: Path, cache: Path) -> None:
    for place in ("train/sky/a.png", "test/sea/b.png", "test/sky/c.png"):
        pictures.write(folder / place, encoded(photo(0)))
    pictures.write(folder / "test" / "sky" / "other.png", encoded(photo(90)))
    found = _found(folder, cache)
    (group,) = found.groups
    assert (group.kind, group.rows, found.exact, found.near) == ("exact", (group.members[0].row,), found.groups, ())
    assert [(m.path, m.label, m.split) for m in group.members] == [
        ("test/sea/b.png", "sea", "test"),
        ("test/sky/c.png", "sky", "test"),
        ("train/sea/00.png", "sea", "train"),
        ("train/sky/a.png", "sky", "train"),
    ]
    assert found.cross_split == found.label_conflicts == found.groups
    assert found.leaked("test", "train").tolist() == []  # the copies are left out already


def test_copies_within_a_drawn_split_cross_none(tmp_path: Path, cache: Path) -> None:
    for number in range(20):
        for name in ("one", "two"):
            pictures.write(tmp_path / "clouds" / "sea" / f"{name}{number}.png", encoded(photo(number)))
    found = _found(tmp_path / "clouds", cache)
    assert (len(found.exact), found.cross_split) == (20, ())
    assert {split for group in found.exact for split in group.splits} == {"train", "val", "test"}


def test_names_do_not_matter(folder: Path, cache: Path, tmp_path: Path) -> None:
    _copies(folder)
    straight = _found(folder, cache)
    for number, file in enumerate(sorted((folder / "train" / "sea").iterdir())):
        file.rename(file.with_name(f"{99 - number}.png"))
    renamed = _found(folder, cache)
    ids = [
        {frozenset(found.dataset.ids[list(group.rows)].tolist()) for group in found.near}
        for found in (straight, renamed)
    ]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 4


def test_json_names_every_member(folder: Path, cache: Path) -> None:
    _copies(folder)
    content = _found(folder, cache).as_json()
    assert set(content) == {"groups", "cross_split", "label_conflicts", "model", "unreadable"}
    assert content["groups"] == content["cross_split"]
    assert content["groups"][0] == [
        {"path": "test/sea/brighter.jpg", "label": "sea", "split": "test", "kind": "near"},
        {"path": "train/sea/06.png", "label": "sea", "split": "train", "kind": "near"},
    ]


def test_a_model_that_has_not_embedded_all_is_refused(folder: Path, cache: Path) -> None:
    with pytest.raises(LikenessError, match="has not embedded 25 of the 25"):
        find_duplicates(pictures.load(folder), EmbeddingStore(cache), MODEL)
