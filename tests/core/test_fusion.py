"""A fusion is the weighted sum it says it is, wherever a pair is looked at, and stands wherever a model does."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core import fusions
from core.backbones import Backbone
from core.datasets import load_dataset
from core.embed import embed, embed_picture
from core.errors import LikenessError
from core.evaluate import evaluate
from core.full_search import searcher_of
from core.fusion import LABELS, Component, Fusion, LabelPart, from_json, reweighted
from core.label_groups import LabelGroups
from core.metrics.grid import similarity
from core.normalise import fit
from core.pair_errors import find_pair_errors
from core.records import Dataset
from core.scorers import scorer_of
from core.store import EmbeddingStore
from core.vectors import stored_vectors
from core.verify import verify
from tests import pictures
from tests.fakes import fake, install

A, B = fake("fake-a", dim=24), fake("fake-b", dim=12, crop=24)
C = fake("fake-classes", dim=1000)
KNOWN = {one.name: one for one in (A, B, C)}


def groups(seed: int = 0) -> LabelGroups:
    """Every class of the classifier speaks for one group, by lot."""
    share = np.eye(3, dtype=np.float32)[np.random.default_rng(seed).integers(0, 3, 1000)]
    return LabelGroups(("circle", "cross", "square"), share, np.ones(1000, np.float32))


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    install(monkeypatch)
    found = load_dataset(str(pictures.paint(tmp_path / "shapes", 24)))
    embed(found, [A, B, C], EmbeddingStore())
    return found


@pytest.fixture
def fusion(dataset: Dataset) -> Fusion:
    val = {one.name: verify(dataset, one, EmbeddingStore(), "val").verification for one in (A, B)}
    parts = (Component(A, fit(val["fake-a"], "min-max"), 0.6), Component(B, fit(val["fake-b"], "quantile"), 0.3))
    return Fusion("mine", parts, LabelPart(C, groups(), 0.1))


def naive(fusion: Fusion, dataset: Dataset, a: int, b: int) -> float:
    """The sum by hand, from vectors."""
    store = EmbeddingStore()
    total = 0.0
    for part in fusion.components:
        vectors = stored_vectors(dataset, part.backbone, store)
        total += part.weight * float(part.normaliser(similarity(vectors[a], vectors[b])))
    if fusion.labels:
        said = stored_vectors(dataset, C, store)[[a, b]] ** 2
        first, second = (said @ fusion.labels.groups.share).argmax(1)
        total += fusion.labels.weight * (first == second)
    return total


def test_blocks_pairs_and_fresh_pictures_score_alike(fusion: Fusion, dataset: Dataset) -> None:
    scorer = scorer_of(dataset, fusion, EmbeddingStore())
    random = np.random.default_rng(0)
    a, b = random.integers(0, len(dataset), (2, 40))
    items = np.arange(len(dataset))
    whole = scorer.blocks(items, items)(slice(None))
    loaded = {one.name: (one.spec.preprocessing, one.load()) for one in fusion.networks}
    for place, (i, j) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        expected = naive(fusion, dataset, i, j)
        one, other = (embed_picture(dataset.file(row).read_bytes(), loaded) for row in (i, j))
        assert fusion.score(one, other) == scorer.pairs(a, b)[place]
        assert scorer.pairs(a, b)[place] == pytest.approx(expected, abs=1e-6)
        assert whole[i, j] == pytest.approx(expected, abs=5e-6)
    assert set(np.unique(np.sign(whole))) <= {0, 1}


def test_contributions_add_up_to_the_score(fusion: Fusion, dataset: Dataset) -> None:
    store = EmbeddingStore()
    a, b = ({n.name: stored_vectors(dataset, n, store)[row] for n in fusion.networks} for row in (3, 9))
    parts = fusion.contributions(a, b)
    assert list(parts) == ["fake-a", "fake-b", LABELS]
    assert sum(parts.values()) == fusion.score(a, b)
    assert all(0 <= parts[name] <= weight + 1e-6 for name, weight in fusion.weights.items())


def test_it_stands_wherever_a_model_does(fusion: Fusion, dataset: Dataset) -> None:
    store = EmbeddingStore()
    found = evaluate(dataset, [A, fusion], store)
    assert set(found.models) == {"fake-a", "mine"}
    result = found.models["mine"]
    assert result.latency.p50 > found.models["fake-a"].latency.p50
    assert result.backbone.spec.dim == 24 + 12 + 1000
    errors = find_pair_errors(verify(dataset, fusion, store, "test"), store)
    a, b = errors.false_matches.rows[0]
    assert errors.false_matches.scores[0] == pytest.approx(naive(fusion, dataset, a, b), abs=1e-6)


def test_search_ranks_every_image_by_its_score(fusion: Fusion, dataset: Dataset, tmp_path: Path) -> None:
    store, query = EmbeddingStore(), 5
    hits = searcher_of(dataset, fusion, store).by_image(dataset.file(query).read_bytes(), 7)
    scores = [(-naive(fusion, dataset, query, row), row) for row in range(len(dataset)) if row != query]
    assert [hit.row for hit in hits] == [row for _, row in sorted((round(s, 6), row) for s, row in scores)[:7]]
    fresh = pictures.png("cross", 777)
    found = searcher_of(dataset, fusion, store).by_image(fresh, 3)
    assert len(found) == 3
    assert found[0].score >= found[1].score >= found[2].score


def test_a_file_keeps_it_and_another_model_is_refused(fusion: Fusion) -> None:
    content = json.loads(json.dumps(fusion.as_json(), allow_nan=False))
    again = from_json(content, KNOWN)
    assert again.fingerprint == fusion.fingerprint
    assert again.weights == fusion.weights
    with pytest.raises(LikenessError, match="made with another fake-a: its weights_sha256"):
        from_json(content, {**KNOWN, "fake-a": Backbone(A.spec, B.weights)})
    with pytest.raises(LikenessError, match="made with fake-b, which cannot run here"):
        from_json(content, {"fake-a": A})


def test_saved_ones_are_found_by_name_and_removed(fusion: Fusion, caplog: pytest.LogCaptureFixture) -> None:
    assert fusions.saved(KNOWN) == {}
    fusions.save(fusion)
    assert fusions.saved(KNOWN)["mine"].fingerprint == fusion.fingerprint
    assert fusions.saved({"fake-a": A}) == {}
    assert "mine is left out" in caplog.text
    fusions.remove("mine")
    fusions.remove("../mine")
    assert fusions.saved(KNOWN) == {}


@pytest.mark.parametrize("name", ["", "../up", "a b", "resnet18", "x" * 65, "<b>"])
def test_names_that_cannot_be_are_refused_in_words(name: str, fusion: Fusion) -> None:
    with pytest.raises(LikenessError, match=r"cannot be a name|name of a model"):
        fusions.save(reweighted(fusion, fusion.weights, name))


def test_new_weights_add_up_to_1_and_parts_without_weight_go(fusion: Fusion) -> None:
    found = reweighted(fusion, {"fake-a": 3, "fake-b": 0, LABELS: 1}, "other")
    assert found.weights == {"fake-a": 0.75, LABELS: 0.25}
    assert found.fingerprint != fusion.fingerprint
    assert reweighted(fusion, {"fake-a": 1}, "alone").labels is None
    with pytest.raises(LikenessError, match="at least one model"):
        reweighted(fusion, {LABELS: 1}, "labels")


@pytest.mark.parametrize("weights", [(0.6, 0.5), (1.2, -0.2), (float("nan"), 1.0)])
def test_weights_that_do_not_add_up_are_refused_in_words(weights: tuple[float, float], fusion: Fusion) -> None:
    a, b = fusion.components
    with pytest.raises(LikenessError, match="add up to 1"):
        Fusion("odd", (Component(A, a.normaliser, weights[0]), Component(B, b.normaliser, weights[1])))


@pytest.mark.parametrize("content", [None, [], {}, {"components": 1}, {"components": [], "labels": None, "name": "x"}])
def test_damaged_files_are_refused_in_words(content: object) -> None:
    with pytest.raises(LikenessError, match=r"no fusion|add up to 1"):
        from_json(content, KNOWN)
