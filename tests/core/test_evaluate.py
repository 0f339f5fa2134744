"""Retrieval evaluation: the numbers, what is cached, and what is not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core import evaluate as module
from core.embed import embed
from core.errors import LikenessError
from core.evaluate import Protocol, compare_models, evaluate
from core.latency import Latency
from core.metrics import METRICS
from core.records import Dataset
from core.store import EmbeddingStore
from core.vectors import stored_vectors
from tests import pictures
from tests.fakes import fake, install

A, B = fake("fake-a", dim=24), fake("fake-b", dim=2)
RETRIEVAL = {
    "precision_at_5", "retrieval_accuracy", "weighted_precision_at_5", "mrr", "map_at_r", "r_precision", "latency_ms",
    "size_mb", "dim", "ci", "per_class_precision_at_5",
}  # fmt: skip


@pytest.fixture
def store(cache: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddingStore:
    install(monkeypatch)
    monkeypatch.setattr(module, "measure", lambda backbone: Latency(1.5, 2.5, "here"))
    return EmbeddingStore(cache)


@pytest.fixture
def dataset(tmp_path: Path, store: EmbeddingStore) -> Dataset:
    data = pictures.load(pictures.paint(tmp_path / "d", {"circle": 20, "cross": 30, "square": 14}))
    embed(data, [A, B], store)
    return data


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often results were computed, not remembered."""
    calls: Counter[str] = Counter()
    compute = module.evaluate_queries

    def spy(*args: NDArray[np.float32]) -> object:
        calls["queries"] += 1
        return compute(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "evaluate_queries", spy)
    return calls


def _by_hand(
    dataset: Dataset, vectors: NDArray[np.float32], queries: list[int], gallery: list[int]
) -> dict[str, float]:
    """The definitions, one query at a time."""
    precision, hit, reciprocal, map_at_r, r_precision = [], [], [], [], []
    for query in queries:
        others = [row for row in gallery if row != query]
        scores = vectors[others].astype(np.float64) @ vectors[query].astype(np.float64)
        right = dataset.labels[np.array(others)[np.argsort(-scores, kind="stable")]] == dataset.labels[query]
        total = int(right.sum())
        at = np.cumsum(right) / np.arange(1, len(right) + 1)
        precision.append(right[:5].mean())
        hit.append(float(right[0]))
        reciprocal.append(1 / (1 + right.argmax()))
        r_precision.append(right[:total].mean())
        map_at_r.append((at * right)[:total].sum() / total)
    values = zip(
        ("precision_at_5", "retrieval_accuracy", "mrr", "map_at_r", "r_precision"),
        (precision, hit, reciprocal, map_at_r, r_precision), strict=True,
    )  # fmt: skip
    return {name: float(np.mean(value)) for name, value in values}


@pytest.mark.parametrize(
    "protocol",
    [
        Protocol(),
        Protocol("val", "train"),
        Protocol("train", "train"),
        Protocol("all", "all"),
        Protocol("all", leave_one_out=True),
        Protocol("test", leave_one_out=True),
    ],
    ids=str,
)
def test_numbers_follow_their_definitions_and_no_image_finds_itself(
    dataset: Dataset, store: EmbeddingStore, protocol: Protocol
) -> None:
    def rows(split: str) -> list[int]:
        return dataset.rows(None if split == "all" else split).tolist()

    queries = rows(protocol.split)
    gallery = queries if protocol.leave_one_out else rows(protocol.gallery)
    found = evaluate(dataset, [A, B], store, protocol)
    for backbone in (A, B):
        wanted = _by_hand(dataset, stored_vectors(dataset, backbone, store), queries, gallery)
        result = found.models[backbone.name]
        assert {name: result.values[name] for name in wanted} == pytest.approx(wanted, abs=1e-9)
        assert len(result.results) == len(queries)
        assert all(low <= result.values[name] <= high for name, (low, high) in result.intervals.items())


def test_the_best_model_comes_first_and_is_tied_with_itself(dataset: Dataset, store: EmbeddingStore) -> None:
    found = evaluate(dataset, [B, A], store, Protocol("all", leave_one_out=True))
    scores = [result.values["precision_at_5"] for result in found.models.values()]
    assert list(found.models) == ["fake-a", "fake-b"]
    assert scores[0] > scores[1]
    assert "fake-a" in found.tied


def test_json_has_the_keys_of_the_contract(dataset: Dataset, store: EmbeddingStore) -> None:
    content = evaluate(dataset, [A, B], store).as_json()
    assert set(content) == {"models", "tied_for_best", "differences", "trained_on_queries", "provenance"}
    assert list(content["models"]) == ["fake-a", "fake-b"]
    (difference,) = content["differences"]
    assert (difference["a"], difference["b"], difference["metric"]) == ("fake-a", "fake-b", "precision_at_5")
    values = [model["precision_at_5"] for model in content["models"].values()]
    assert difference["difference"] == pytest.approx(values[0] - values[1], abs=2e-6)
    assert difference["ci"][0] <= difference["difference"] <= difference["ci"][1]
    assert difference["p_value"] == difference["p_adjusted"]  # one pair needs no correction
    assert (difference["p_value"] > 0.05) == (content["tied_for_best"] == ["fake-a", "fake-b"])
    for values in content["models"].values():
        assert set(values) >= RETRIEVAL
        assert set(values["ci"]) == {*METRICS, "roc_auc", "eer"}
        assert all(low <= values[name] <= high for name, (low, high) in values["ci"].items())
        assert set(values["per_class_precision_at_5"]) == set(dataset.classes)
        assert values["latency_ms"] == 1.5
    assert content["models"]["fake-a"]["dim"] == 24
    provenance = content["provenance"]
    assert provenance["dataset"] == dataset.ref
    assert provenance["fingerprints"] == {"fake-a": A.fingerprint, "fake-b": B.fingerprint}
    assert (provenance["split"], provenance["gallery"], provenance["leave_one_out"]) == ("test", "train", False)


def test_models_are_compared_by_any_metric(dataset: Dataset, store: EmbeddingStore) -> None:
    found = evaluate(dataset, [A, B], store, Protocol("all", leave_one_out=True))
    assert compare_models(found.models, "precision_at_5") == found.differences
    for name, metric in METRICS.items():
        (difference,) = compare_models(found.models, name)
        a, b = (metric.value(result.results) for result in found.models.values())
        assert difference.value == pytest.approx(a - b), name


def test_the_second_time_nothing_is_computed_and_everything_is_equal(
    dataset: Dataset, store: EmbeddingStore, computed: Counter[str]
) -> None:
    first = evaluate(dataset, [A, B], store).as_json()
    assert computed["queries"] == 2
    assert evaluate(dataset, [A, B], store).as_json() == first
    assert computed["queries"] == 2


def test_results_are_not_reused_for_other_labels_splits_protocols_or_vectors(
    dataset: Dataset, store: EmbeddingStore, computed: Counter[str], tmp_path: Path
) -> None:
    evaluate(dataset, [A], store)
    labels, splits = dataset.labels.copy(), dataset.splits.copy()
    labels[0], splits[:5] = "square", "test"
    other = fake("fake-a", dim=24, crop=40)
    embed(dataset, [other], store)
    for changed, model, protocol in (
        (replace(dataset, labels=labels), A, Protocol()),
        (replace(dataset, splits=splits), A, Protocol()),
        (dataset, A, Protocol("val")),
        (dataset, other, Protocol()),
    ):
        computed.clear()
        evaluate(changed, [model], store, protocol)
        assert computed["queries"] == 1
    computed.clear()
    evaluate(dataset, [A], store)
    assert not computed


def _asked(dataset: Dataset) -> NDArray[np.str_]:
    return dataset.ids[Protocol().queries(dataset)]


def test_results_name_the_right_rows_after_files_were_renamed(dataset: Dataset, store: EmbeddingStore) -> None:
    before = evaluate(dataset, [B], store).models["fake-b"].results
    assert len(set(before.precision[:, 4].tolist())) > 2
    last_first = np.arange(len(dataset))[::-1]
    columns = {name: getattr(dataset, name)[last_first] for name in ("ids", "paths", "labels", "splits")}
    renamed = replace(dataset, **columns)
    assert renamed.fingerprint == dataset.fingerprint
    after = evaluate(renamed, [B], store).models["fake-b"].results
    by_image = [
        dict(zip(_asked(data)[results.index].tolist(), results.precision[:, 4].tolist(), strict=True))
        for data, results in ((dataset, before), (renamed, after))
    ]
    assert by_image[0] == by_image[1]


def test_a_damaged_result_is_computed_again(dataset: Dataset, store: EmbeddingStore, computed: Counter[str]) -> None:
    first = evaluate(dataset, [A], store).as_json()
    (path,) = (store.folder / "evaluations").glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    computed.clear()
    assert evaluate(dataset, [A], store).as_json() == first
    assert computed["queries"] == 1


def test_queries_whose_class_is_not_in_the_gallery_are_counted_out(dataset: Dataset, store: EmbeddingStore) -> None:
    splits = np.where(dataset.labels == "square", "test", dataset.splits)
    found = evaluate(replace(dataset, splits=splits), [A], store).models["fake-a"]
    assert found.results.left_out == 14
    assert "square" not in found.per_class


def test_missing_vectors_name_the_command_that_makes_them(
    dataset: Dataset, store: EmbeddingStore, tmp_path: Path
) -> None:
    more = pictures.load(pictures.paint(tmp_path / "d", {"circle": 2}, first=500))
    with pytest.raises(LikenessError, match=r"2 of the 66 images.*core embed --dataset .* --models fake-a"):
        evaluate(more, [A], store)


def test_an_empty_split_is_said_with_the_sizes_of_the_others(dataset: Dataset, store: EmbeddingStore) -> None:
    everything = replace(dataset, splits=np.full(len(dataset), "train"))
    with pytest.raises(LikenessError, match=r"no images in 'test' .train 64, val 0, test 0"):
        evaluate(everything, [A], store)


def test_no_models_is_an_error_and_not_an_empty_table(dataset: Dataset, store: EmbeddingStore) -> None:
    with pytest.raises(LikenessError, match="no model"):
        evaluate(dataset, [], store)
