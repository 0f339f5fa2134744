"""A policy decides as the table it came from, and refuses where it cannot."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import policy as module
from core.backbones import WeightsFile
from core.calibration import fit
from core.datasets import load_dataset
from core.embed import embed
from core.errors import LikenessError, UnreadableImage
from core.metrics.grid import similarity
from core.policy import Policy, is_match
from core.records import Dataset
from core.review import ReviewBand
from core.scorers import scorer_of
from core.siamese import Siamese
from core.store import EmbeddingStore
from core.threshold_report import report
from core.thresholds import Objective
from core.vectors import split_rows, stored_vectors
from core.verify import verify
from tests import pictures
from tests.fakes import fake, install
from tests.pair_heads import encoder

A = fake("fake-a", dim=24)


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    install(monkeypatch)
    monkeypatch.setattr(module, "known_networks", lambda: {A.name: A})
    return load_dataset(str(pictures.paint(tmp_path / "shapes", {"circle": 30, "cross": 30, "square": 30})))


@pytest.fixture
def policy(dataset: Dataset, tmp_path: Path) -> Policy:
    store = EmbeddingStore()
    embed(dataset, [A], store)
    val, test = (verify(dataset, A, store, split).verification for split in ("val", "test"))
    made = Policy.of(dataset, A, report(val, test, Objective("accuracy"), fit(val, "isotonic"), 0.5))
    path = tmp_path / "policy.json"
    path.write_text(made.as_text())
    return Policy.load(path)


def test_it_decides_a_hundred_pairs_as_the_counts_do(policy: Policy, dataset: Dataset) -> None:
    rows = split_rows(dataset, "test")
    vectors = stored_vectors(dataset, A, EmbeddingStore())
    random = np.random.default_rng(0)
    answers = set()
    for a, b in random.choice(rows, (100, 2)):
        decision = policy.decide(dataset.file(a), dataset.file(b).read_bytes())
        assert decision.score == float(similarity(vectors[a], vectors[b]))
        assert decision.same == (decision.score >= policy.threshold)
        answers.add(decision.same)
    assert answers == {True, False}


def test_it_gives_the_probability_of_the_page_and_leaves_doubt_to_a_person(policy: Policy, dataset: Dataset) -> None:
    store = EmbeddingStore()
    val, test = (verify(dataset, A, store, split).verification for split in ("val", "test"))
    calibration, band = fit(val, "logistic"), ReviewBand(0.3, 0.6)
    made = Policy.of(dataset, A, report(val, test, Objective("f1"), calibration, 0.2, band=band))
    loaded = Policy.parse(json.loads(made.as_text()))
    answers = {"same": band.accept, "review": (band.accept + band.reject) / 2, "different": band.reject - 0.01}
    for answer, score in answers.items():
        decision = loaded.judge(score)
        assert decision.answer == answer
        assert decision.same == is_match(score, loaded.threshold)
        assert decision.probability == pytest.approx(float(calibration(score, 0.2)))
    assert policy.judge(0.99).answer == "same"
    assert policy.judge(-0.99).answer == "different"


def test_a_score_at_the_threshold_is_a_match() -> None:
    assert is_match(0.621698, 0.621698)
    assert not is_match(0.621697, 0.621698)
    assert is_match(1.0000001, 1.0)


def test_it_says_where_it_comes_from(policy: Policy, dataset: Dataset) -> None:
    content = policy.content
    assert content["model"]["fingerprint"] == A.fingerprint
    assert content["model"]["weights_sha256"] == A.weights.sha256
    assert content["dataset"]["fingerprint"] == dataset.fingerprint
    assert content["chosen"]["base_rate"] == 0.5
    assert content["val"]["ci"]
    assert content["test"]["counts"]


def test_another_model_of_that_name_is_refused(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(A, weights=WeightsFile(A.weights.path, "f" * 64))
    monkeypatch.setattr(module, "known_networks", lambda: {A.name: other})
    with pytest.raises(LikenessError, match="another fake-a: its weights_sha256 differ"):
        policy.decide(b"", b"")


def test_a_model_that_is_not_here_is_refused(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "known_networks", dict)
    with pytest.raises(LikenessError, match="made with fake-a, which cannot run here"):
        policy.decide(b"", b"")


def test_files_that_are_no_images_are_refused(policy: Policy, dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage):
        policy.decide(b"no picture", dataset.file(0))
    with pytest.raises(LikenessError, match="cannot be read"):
        policy.decide(tmp_path / "gone.jpg", dataset.file(0))


def _damage(content: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    return {**content, key: value}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("kind", "other", "no policy"), ("schema", 99, "schema 99"), ("threshold", "high", "damaged"),
     ("threshold", float("nan"), "damaged"), ("threshold", True, "damaged"), ("model", {}, "damaged"),
     ("model", None, "damaged"), ("score", "l2", "damaged"), ("calibration", None, "damaged"),
     ("calibration", {"method": "guess", "base_rate": 0.5}, "damaged"), ("chosen", {"base_rate": 0}, "damaged"),
     ("chosen", None, "damaged"), ("review", {"reject": 0.1}, "damaged"), ("review", "some", "damaged")],
)  # fmt: skip
def test_damaged_policies_are_refused_in_words(policy: Policy, key: str, value: Any, message: str) -> None:
    with pytest.raises(LikenessError, match=message):
        Policy.parse(_damage(policy.content, key, value))


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[]", b"null"])
def test_files_that_are_no_policies_are_refused_in_words(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_bytes(data)
    with pytest.raises(LikenessError, match=r"not JSON|no policy"):
        Policy.load(path)
    with pytest.raises(LikenessError, match="cannot be read"):
        Policy.load(tmp_path)


def test_the_file_survives_a_round_trip(policy: Policy) -> None:
    assert Policy.parse(json.loads(policy.as_text())).content == policy.content


def test_a_pair_head_decides_as_the_counts_do(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, model = EmbeddingStore(), Siamese(encoder(tmp_path / "weights"))
    embed(dataset, model.networks, store)
    val, test = (verify(dataset, model, store, split).verification for split in ("val", "test"))
    made = Policy.of(dataset, model, report(val, test, Objective("accuracy"), fit(val, "isotonic"), 0.5))
    assert made.content["score"] == "pair head"
    assert made.content["model"]["name"] == "tuned"
    monkeypatch.setattr(module, "known_networks", lambda: {"tuned": model.encoder})
    loaded = Policy.parse(json.loads(made.as_text()))
    assert loaded.model.fingerprint == model.fingerprint
    a, b = np.random.default_rng(0).integers(0, len(dataset), (2, 20))
    scores = scorer_of(dataset, model, store).pairs(a, b)
    for first, second, score in zip(a, b, scores, strict=True):
        decision = loaded.decide(dataset.file(first), dataset.file(second))
        assert decision.score == score
        assert decision.same == is_match(score, loaded.threshold)
    del made.content["model"]["fingerprint"]
    with pytest.raises(LikenessError, match="damaged"):
        Policy.parse(made.content)
