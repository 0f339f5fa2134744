from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from core.datasets import load_dataset
from core.errors import LikenessError


@pytest.fixture
def folder(tmp_path, paint) -> Path:
    for number in range(12):
        paint(tmp_path / "shop" / "images" / f"{number}.png", number)
    return tmp_path / "shop"


def write(folder: Path, text: str, encoding: str = "utf-8") -> str:
    (folder / "t.csv").write_text(text, encoding=encoding, newline="")
    return str(folder / "t.csv")


def reasons(dataset) -> list[tuple[str, str]]:
    return [(file.path, file.reason) for file in dataset.skipped]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_rows_and_metadata(folder, encoding, newline):
    lines = ["Label,path,colour", *(f'"Schuhe, groß",images/{n}.png,rot' for n in range(12))]
    ref = write(folder, newline.join(lines), encoding)
    dataset = load_dataset(ref)
    assert (len(dataset), dataset.ref, dataset.root, dataset.title) == (12, ref, folder, "t")
    assert dataset.classes == ("Schuhe, groß",)
    assert set(dataset.metadata) == {"colour"}
    assert dataset.metadata["colour"].tolist() == ["rot"] * 12
    assert Counter(dataset.splits.tolist()) == {"train": 8, "val": 2, "test": 2}


def test_metadata_follows_its_row_and_moves_nothing(folder):
    plain = load_dataset(write(folder, "path,label\n" + "".join(f"images/{n}.png,a\n" for n in range(12))))
    rows = "".join(f"images/{n}.png,a,{n}\n" for n in reversed(range(12)))
    rich = load_dataset(write(folder, "path,label,n\n" + rows))
    assert rich.fingerprint == plain.fingerprint
    assert [f"images/{n}.png" for n in rich.metadata["n"]] == rich.paths.tolist()


def test_splits_are_taken_and_mapped(folder):
    names = ["train"] * 6 + ["Valid", "VAL", "validation", "test", "testing", "training"]
    dataset = load_dataset(
        write(folder, "path,label,split\n" + "".join(f"images/{n}.png,a,{s}\n" for n, s in enumerate(names)))
    )
    assert Counter(dataset.splits.tolist()) == {"train": 7, "val": 3, "test": 2}


def test_an_empty_split_column_is_none(folder):
    dataset = load_dataset(write(folder, "path,label,split\n" + "".join(f"images/{n}.png,a,\n" for n in range(12))))
    assert set(dataset.splits.tolist()) == {"train", "val", "test"}


def test_rows_that_cannot_be_used(folder):
    lines = [
        "path,label,split",
        "images/0.png,a,train",
        "images/none.png,a,train",
        "images/1.png,,train",
        "images/2.png,a,holdout",
        "./images/0.png,b,train",
        "",
        "images/3.png,a",
        ",a,train",
        "images/4.png,a,train,x",
        "images/5.png,a,train,",
        f"images/6.png,{'a' * 201},train",
        "images/7.png,a\0b,train",
        "images,a,train",
    ]
    dataset = load_dataset(write(folder, "\n".join(lines)))
    assert dataset.paths.tolist() == ["images/0.png", "images/5.png"]
    assert sorted(
        reasons(dataset), key=lambda pair: int(pair[1].split()[1].strip(":")) if "row" in pair[1] else 99
    ) == [
        ("images/none.png", "row 3: no such file or directory"),
        ("images/1.png", "row 4: no label"),
        ("images/2.png", 'row 5: split "holdout"; expected train, val, test'),
        ("images/0.png", "row 6: path already given in row 2"),
        ("images/3.png", "row 8: no split, where other rows have one"),
        ("", "row 9: no path"),
        ("images/4.png", "row 10: 4 values for 3 columns; put values with a comma in quotes"),
        ("images/6.png", "row 12: a label of 201 characters; the limit is 200"),
        ("images/7.png", "row 13: holds a null character"),
        ("images", "not a file but a folder"),
    ]


def test_absolute_paths_inside_and_outside(folder, tmp_path, paint):
    outside = paint(tmp_path / "other" / "x.png", 99)
    lines = ["path,label", f"{folder}/images/0.png,a", f"{outside},a", "../other/../shop/images/1.png,a"]
    dataset = load_dataset(write(folder, "\n".join(lines)))
    assert dataset.paths.tolist() == [str(outside), "images/0.png", "images/1.png"]
    assert all(dataset.file(row).is_file() for row in range(3))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file;class\n", "has the columns file;class; expected path and label"),
        ("", r"has the columns \(none\)"),
        ("path,label\n", "no usable images"),
        ("path,label\n" + "x" * 200_000, "not a proper CSV, line 2"),
    ],
)
def test_tables_that_are_not(folder, text, message):
    with pytest.raises(LikenessError, match=message):
        load_dataset(write(folder, text))


def test_other_encodings_are_refused(folder):
    with pytest.raises(LikenessError, match="not in UTF-8"):
        load_dataset(write(folder, "path,label\nimages/0.png,größe\n", "latin-1"))


def test_long_metadata_is_cut(folder):
    dataset = load_dataset(write(folder, f"path,label,text\nimages/0.png,a,{'y' * 5000}\n"))
    assert dataset.metadata["text"].tolist() == ["y" * 200]


def test_a_folder_with_a_table_is_that_table(folder):
    (folder / "labels.csv").write_text("path,label\nimages/0.png,a\nimages/1.png,b\n")
    dataset = load_dataset(str(folder))
    assert dataset.classes == ("a", "b")
    assert (dataset.ref, dataset.root) == (str(folder), folder)


def test_a_folder_with_another_table_is_class_folders(folder):
    (folder / "labels.csv").write_text("id,breed\n1,a\n")
    assert load_dataset(str(folder)).classes == ("images",)
