"""The ``models`` command lists weights and fetches those that are asked for."""

from __future__ import annotations

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
