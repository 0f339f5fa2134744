"""A pair head scores as its formula says, wherever a pair is looked at, and stands wherever a model does."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import save_file

from core import fusions, models, scorers
from core import siamese as module
from core.backbones import Backbone, WeightsFile, available
from core.compare import deciding_model
from core.datasets.overlap import seen_in_pretraining
from core.embed import embed
from core.errors import LikenessError
from core.evaluate import evaluate
from core.full_search import searcher_of
from core.metrics.grid import to_bins
from core.metrics.scorer import Cosine
from core.records import Dataset
from core.scorers import HeadScores
from core.siamese import PairHead, Siamese, pair_scorers
from core.store import EmbeddingStore
from core.triplets import decide
from core.vectors import stored_vectors
from core.verify import verify
from tests import pictures
from tests.fakes import fake, install
from tests.pair_heads import checkpoint, encoder, tensors
from tests.workplace import MODEL

Vectors = NDArray[np.float32]


def unit(count: int, dim: int, seed: int = 0) -> Vectors:
    vectors = np.random.default_rng(seed).standard_normal((count, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def head_of(dim: int, units: int = 6, seed: int = 0) -> PairHead:
    return PairHead(*tensors(dim, units, seed).values())


def naive(head: PairHead, a: Vectors, b: Vectors) -> float:
    """The formula, number by number."""
    d = len(a)
    seen = [math.sqrt(d) * abs(float(x) - float(y)) for x, y in zip(a, b, strict=True)]
    seen += [d * float(x) * float(y) for x, y in zip(a, b, strict=True)]
    logit = float(head.output_bias[0])
    for unit_, weights in enumerate(head.hidden):
        active = sum(float(w) * x for w, x in zip(weights, seen, strict=True)) + float(head.hidden_bias[unit_])
        logit += float(head.output[0, unit_]) * max(0.0, active)
    return 1 / (1 + math.exp(-logit))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 5))
def test_it_is_a_naive_loop_and_the_order_is_no_matter(seed: int, dim: int, units: int) -> None:
    head, (a, b) = head_of(dim, units, seed), unit(2, dim, seed)
    assert float(head(a, b)) == pytest.approx(naive(head, a, b), abs=1e-12)
    assert head(a, b) == head(b, a)
    assert head.against(a, b[None]) == pytest.approx(naive(head, a, b), abs=1e-5)


def test_it_is_what_torch_trains() -> None:
    weights, vectors = tensors(24, units=5), unit(40, 24)
    network = torch.nn.Sequential(torch.nn.Linear(48, 5), torch.nn.ReLU(), torch.nn.Linear(5, 1)).double()
    network.load_state_dict({name.removeprefix("pair_head."): torch.from_numpy(w) for name, w in weights.items()})
    a, b = (torch.from_numpy(part).double() for part in (vectors[:20], vectors[20:]))
    logits = network(torch.cat([24**0.5 * (a - b).abs(), 24 * a * b], 1))[:, 0]
    found = PairHead(*weights.values())(vectors[:20], vectors[20:])
    np.testing.assert_allclose(found, torch.sigmoid(logits).detach().numpy(), atol=1e-12)
    assert np.ptp(found) > 0.5


def test_pairs_do_not_hang_on_how_many_are_asked_for(tmp_path: Path) -> None:
    model, vectors = Siamese(encoder(tmp_path)), unit(90, 24)
    scorer, (a, b) = HeadScores(Cosine(vectors), model.head), np.random.default_rng(1).integers(0, 90, (2, 700))
    found = scorer.pairs(a, b)
    alone = [model.score({"tuned": vectors[i]}, {"tuned": vectors[j]}) for i, j in zip(a, b, strict=True)]
    np.testing.assert_array_equal(found, alone)
    assert scorer.pairs(a[:0], b[:0]).shape == (0,)


def test_blocks_hold_the_scores_of_the_rows_and_columns_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_NUMBERS_AT_ONCE", 24 * 7)
    scorer = HeadScores(Cosine(unit(40, 24)), head_of(24))
    rows, columns = np.array([4, 0, 9, 9]), np.arange(39, 3, -1)
    whole = scorer.pairs(np.repeat(rows, 36), np.tile(columns, 4)).reshape(4, 36)
    block_of = scorer.blocks(rows, columns)
    assert len(scorer) == 40
    for part, start in ((slice(None), 0), (slice(1, 3), 30), (np.array([3, 0]), 7), (slice(0, 0), 0), (slice(4), 36)):
        block = block_of(part, start)
        assert block.dtype == np.float32
        np.testing.assert_allclose(block, whole[part, start:], atol=2e-6)


def test_equal_vectors_score_equally() -> None:
    vectors = unit(3, 8)[[0, 1, 0, 2]]
    assert HeadScores(Cosine(vectors), head_of(8)).originals(np.array([1, 0, 2, 3])).tolist() == [0, 1, 1, 3]


def test_a_score_that_is_certain_does_not_overflow() -> None:
    head = head_of(8)
    a, b = unit(2, 8)
    for bias, score in ((-3000, 0.0), (3000, 1.0)):
        sure = replace(head, output_bias=np.array([bias], np.float32))
        with np.errstate(all="raise"):
            assert sure(a, b) == score
            assert sure.against(a, b[None]) == [score]


_GOOD = tensors(24)
_LAST = "pair_head.2.weight"


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({name: array for name, array in _GOOD.items() if name != _LAST}, f"no head .*: {_LAST} is missing"),
        ({"fc.weight": np.ones(3, np.float32)}, "no head that scores pairs: pair_head.0.weight is missing"),
        (tensors(23), r"pair_head.0.weight of .* of shape \(6, 46\): .* pairs of 24 dimensions .* shape \(6, 48\)"),
        (_GOOD | {_LAST: np.ones((2, 6), np.float32)}, r"shape \(2, 6\): .* shape \(1, 6\)"),
        (_GOOD | {"pair_head.0.bias": np.ones(5, np.float32)}, r"shape \(6, 48\): .* shape \(5, 48\)"),
        (_GOOD | {_LAST: _GOOD[_LAST].astype(np.float64)}, f"{_LAST} of .* is float64"),
        (_GOOD | {_LAST: _GOOD[_LAST] * np.float32(np.inf)}, "needs finite"),
    ],
)
def test_another_file_is_refused_in_words(held: dict[str, NDArray[np.generic]], words: str, tmp_path: Path) -> None:
    save_file(held, tmp_path / "x.safetensors")
    with pytest.raises(LikenessError, match=words):
        PairHead.read(tmp_path / "x.safetensors", 24)


def test_a_file_that_cannot_be_read_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"no weights")
    for name in ("x.safetensors", "gone.safetensors"):
        with pytest.raises(LikenessError, match="cannot be read as safetensors"):
            PairHead.read(tmp_path / name, 24)


def test_those_of_this_machine_are_listed_without_reading_weights(cache: Path) -> None:
    for name, held in (("tuned", True), ("plain", False), ("odd", "no")):
        path = checkpoint(cache / "checkpoints", name, 24)
        path.with_suffix(".json").write_text(json.dumps({"schema": 1, "base": MODEL, "pair_head": held}))
        path.write_bytes(b"damaged")
    found = pair_scorers(available())
    assert list(found) == ["tuned_pairs"]
    model = found["tuned_pairs"]
    assert (model.name, model.spec.name, model.spec.source) == ("tuned_pairs", "tuned_pairs", "pair head")
    assert [one.name for one in model.networks] == ["tuned"]
    with pytest.raises(LikenessError, match="cannot be read"):
        _ = model.head
    with pytest.raises(LikenessError, match="tuned_pairs is the name of a model"):
        fusions.check_name("tuned_pairs")
    fusions.check_name("plain_pairs")


def test_its_fingerprint_is_its_own_and_changes_with_the_file(tmp_path: Path) -> None:
    one = encoder(tmp_path)
    other = Backbone(one.spec, WeightsFile(one.weights.path, "f" * 64))
    prints = {one.fingerprint, other.fingerprint, Siamese(one).fingerprint, Siamese(other).fingerprint}
    assert len(prints) == 4
    assert all(len(found) == 32 and int(found, 16) for found in prints)


def test_a_backbone_of_that_name_comes_first(tmp_path: Path) -> None:
    one = encoder(tmp_path)
    assert pair_scorers({"tuned": one, "tuned_pairs": fake("tuned_pairs")}) == {}


@pytest.fixture
def model(tmp_path: Path) -> Siamese:
    return Siamese(encoder(tmp_path / "weights"))


@pytest.fixture
def dataset(model: Siamese, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    install(monkeypatch)
    found = pictures.load(pictures.paint(tmp_path / "shapes", 20))
    embed(found, [model.encoder], EmbeddingStore())
    return found


def test_it_stands_wherever_a_model_does(model: Siamese, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scorers, "_PAIRS_AT_ONCE", 7)
    store = EmbeddingStore()
    result = evaluate(dataset, [model.encoder, model], store).models["tuned_pairs"]
    vectors = stored_vectors(dataset, model.encoder, store)
    found = verify(dataset, model, store, "test")
    assert result.pairs is not None
    assert result.pairs.verification.scores.bins.tolist() == found.verification.scores.bins.tolist()
    scores = [naive(model.head, vectors[a], vectors[b]) for a in found.rows for b in found.rows if a < b]
    counts = found.verification.scores
    counted = np.repeat(counts.bins, counts.same + counts.different)
    np.testing.assert_allclose(counted, np.sort(to_bins(scores)), atol=2)
    assert deciding_model(dataset, [model], store) is model
    with pytest.raises(LikenessError, match="tuned_pairs, tuned_pairs are all fusions or pair heads"):
        deciding_model(dataset, [model, model], store)


def test_search_ranks_every_image_by_its_score(model: Siamese, dataset: Dataset) -> None:
    store, query = EmbeddingStore(), 5
    vectors = stored_vectors(dataset, model.encoder, store)
    rest = np.array([row for row in range(len(dataset)) if row != query])
    scores = [naive(model.head, vectors[query], vectors[row]) for row in rest]
    hits = searcher_of(dataset, model, store).by_image(dataset.file(query).read_bytes(), 7)
    assert [hit.row for hit in hits] == rest[np.argsort(-np.array(scores), kind="stable")[:7]].tolist()
    assert hits[0].score == pytest.approx(max(scores), abs=1e-6)
    assert len(searcher_of(dataset, model, store).by_image(pictures.png("cross", 777), 3)) == 3


def test_its_scores_have_no_distance(model: Siamese) -> None:
    images = [{"tuned": vector} for vector in unit(3, 24)]
    found = decide(model, images, 0.5)
    assert [pair.distance for pair in found.pairs] == [None] * 3
    assert found.pairs[1].score == model.score(images[2], images[0])


def test_a_file_keeps_it(model: Siamese) -> None:
    content = json.loads(json.dumps(model.as_json()))
    assert models.score_kind(model) == "pair head"
    again = models.from_json("pair head", content, {"tuned": model.encoder})
    assert again == model
    assert again.fingerprint == model.fingerprint
    with pytest.raises(LikenessError, match="made with another tuned: its weights_sha256"):
        models.from_json("pair head", content, {"tuned": Backbone(model.encoder.spec, WeightsFile(Path(), "f" * 64))})


def test_what_its_encoder_saw_it_saw(cache: Path, dataset: Dataset) -> None:
    checkpoint(cache / "checkpoints", "tuned", 24)
    of_imagenet = replace(dataset, ref="imagenette")
    said = seen_in_pretraining(of_imagenet, pair_scorers(available())["tuned_pairs"].spec)
    assert said is not None
    assert said.startswith("tuned_pairs was trained on ImageNet")
