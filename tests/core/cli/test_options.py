"""Which models a command works with: backbones, pair heads and fusions, by name or all that are ready."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from core.backbones import available
from core.cli import main
from core.cli.options import embedded_models
from core.default_fusion import NAME
from core.embed import embed
from core.records import Dataset
from core.store import EmbeddingStore
from tests import pictures
from tests.fakes import install
from tests.pair_heads import checkpoint
from tests.workplace import MODEL


@pytest.fixture
def dataset(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Embedded by a model and by a checkpoint with a pair head; another such checkpoint has embedded nothing."""
    install(monkeypatch)
    for name, base in (("tuned", MODEL), ("idle", "efficientnet_lite0")):
        checkpoint(cache / "checkpoints", name, available()[base].spec.dim, base)
    found = pictures.load(pictures.paint(tmp_path / "shapes", 14))
    embed(found, [available()[name] for name in (MODEL, "tuned")], EmbeddingStore())
    return found


def _json(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    assert main([*map(str, arguments), "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def _names(dataset: Dataset, names: list[str] | None) -> list[str]:
    options = argparse.Namespace(models=names, offline=True)
    return [model.name for model in embedded_models(options, dataset, EmbeddingStore())]


def test_pair_heads_come_after_backbones_and_before_fusions(
    dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    _json(capsys, "fuse", "--dataset", dataset.root, "--models", f"{MODEL},tuned", "--no-labels", "--name", "mine")
    for asked in (None, ["all"]):
        assert _names(dataset, asked) == [MODEL, "tuned", "tuned_pairs", "mine"]
    assert _names(dataset, ["tuned_pairs", "mine", MODEL, "mine"]) == ["tuned_pairs", "mine", MODEL]


def test_a_pair_head_decides_and_searches_by_name(dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    a, b, c = (str(dataset.file(row)) for row in (0, 20, 40))
    threshold = _json(capsys, "threshold", "--dataset", dataset.root, "--model", "tuned_pairs")["threshold"]
    pair = _json(capsys, "compare", a, b, "--model", "tuned_pairs")
    assert (pair["decided_by"], pair["threshold"], pair["contributions"]) == ("tuned_pairs", threshold, {})
    three = _json(capsys, "triplet", a, b, c, "--model", "tuned_pairs")
    assert three["pairs"][0]["score"] == pytest.approx(pair["score"], abs=1e-6)
    assert three["pairs"][0]["distance"] is None
    hits = _json(capsys, "search", a, "--model", "tuned_pairs", "-k", str(len(dataset)))["tuned_pairs"]
    path = str(dataset.paths[20])
    assert next(hit["score"] for hit in hits if hit["path"] == path) == pytest.approx(pair["score"], abs=2e-6)
    assert _json(capsys, "triplet", a, b, c)["decided_by"] == NAME


def test_a_pair_head_is_no_part_of_a_fusion(dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuse", "--dataset", str(dataset.root), "--models", f"tuned_pairs,{MODEL}"]) == 2
    assert "tuned_pairs is a fusion itself or a pair head" in capsys.readouterr().err
