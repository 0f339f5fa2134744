"""What the cache takes, and what is freed: nothing that cannot be computed again, and nothing outside."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from core import cache_use as module
from core import files
from core.backbones import Backbone
from core.backbones.classifiers import localiser
from core.cache_use import cache_use, free_space
from core.classify import classifiers
from core.evaluate import Protocol, evaluate
from core.image_sizes import image_sizes
from core.jobs import JobStatus
from core.neighbours import nearest_neighbours
from core.perceptual import hash_images
from core.records import Dataset
from core.store import EmbeddingStore
from tests import pictures
from tests.fakes import fake, install

HERE, GONE = fake("here"), fake("gone")


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Pictures that two models have embedded, of which one is not here any more."""
    monkeypatch.setattr(module, "available", lambda: {"here": HERE})
    monkeypatch.setattr(module, "classifiers", lambda: iter(()))
    data, store = pictures.load(pictures.paint(tmp_path / "shapes", 4)), EmbeddingStore()
    for model in (HERE, GONE):
        vectors = np.random.default_rng(0).standard_normal((len(data), 16)).astype(np.float32)
        store.append(model.fingerprint, data.ids.tolist(), vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    return data


def job(state: str, ended: float) -> Path:
    """A job's folder."""
    name = f"{int(ended)}-ab"
    folder = EmbeddingStore().folder / "jobs" / name
    folder.mkdir(parents=True)
    status = JobStatus(name, ("embed",), state, started=ended - 5, updated=ended)  # type: ignore[arg-type]
    (folder / "status.json").write_text(json.dumps(asdict(status)))
    (folder / "output.txt").write_text("said")
    return folder


def everything(store: EmbeddingStore) -> dict[str, bytes]:
    return {str(p.relative_to(store.folder)): p.read_bytes() for p in store.folder.rglob("*") if p.is_file()}


def test_every_byte_is_counted_once_under_its_model_or_kind(dataset: Dataset) -> None:
    store = EmbeddingStore()
    hash_images(dataset, store)
    image_sizes(dataset, store)
    nearest_neighbours(dataset, HERE, store)
    (store.folder / "label_marks.csv").write_text("mine")
    use = cache_use(store)
    names = {one.name: one for one in use.models}
    assert set(names) == {"here", None, "perceptual hashes", "image sizes"}
    assert names["here"].images == names[None].images == len(dataset)
    assert names[None].fingerprint == GONE.fingerprint
    assert use.unknown == names[None].bytes
    counted = sum(one.bytes for one in (*use.models, *use.kinds))
    assert counted == sum(len(data) for name, data in everything(store).items() if not name.endswith(".lock"))
    kinds = {one.name: one for one in use.kinds}
    assert kinds["nearest images"].freeable
    assert not kinds["other files"].freeable
    assert use.freeable == kinds["nearest images"].freeable + kinds["lists of files"].freeable
    assert use.bytes == counted


def test_only_what_is_computed_again_goes(dataset: Dataset) -> None:
    store = EmbeddingStore()
    first = nearest_neighbours(dataset, HERE, store)
    kept = ["checkpoints/own.safetensors", "fusions/mine.json", "uploads/photo", "label_marks.csv", "recent.json",
            "weights_checksums.json", "training/run/run.json", "datasets/demo/a.png"]  # fmt: skip
    for name in kept:
        path = store.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    store.write_thumbnail("ab" * 16, b"jpeg")
    before = everything(store)
    use = cache_use(store)
    freed = free_space(store)
    after = everything(store)
    gone = set(before) - set(after)
    assert all(name.startswith(("neighbours/", "thumbnails/", "scans/")) for name in gone)
    assert {"neighbours", "thumbnails"} <= {name.split("/")[0] for name in gone}
    assert freed.bytes == use.freeable == sum(len(before[name]) for name in gone)
    assert freed.files == len(gone)
    assert set(kept) <= set(after)
    assert cache_use(store).freeable == 0
    again = nearest_neighbours(dataset, HERE, store)
    assert (again.rows == first.rows).all()


def test_vectors_of_absent_models_go_only_when_asked(dataset: Dataset) -> None:
    store = EmbeddingStore()
    free_space(store)
    assert len(store.keys(GONE.fingerprint)) == len(dataset)
    unknown = cache_use(store).unknown
    assert free_space(store, unknown=True).bytes >= unknown > 0
    assert not store.keys(GONE.fingerprint)
    assert len(store.keys(HERE.fingerprint)) == len(dataset)


def test_what_is_being_written_is_kept_and_said(dataset: Dataset) -> None:
    store = EmbeddingStore()
    with store.lock(GONE.fingerprint):
        freed = free_space(EmbeddingStore(), unknown=True)
    assert freed.skipped == (f"vectors of {GONE.fingerprint[:8]}",)
    assert len(store.keys(GONE.fingerprint)) == len(dataset)
    half = store.folder / "thumbnails" / ".half.tmp"
    half.parent.mkdir(exist_ok=True)
    half.write_text("being written")
    free_space(store)
    assert half.exists()


def test_a_lock_of_the_index_or_the_graph_keeps_the_model_too(dataset: Dataset) -> None:
    store = EmbeddingStore()
    for name in (f"embeddings/{GONE.fingerprint}/index.faiss", f"onnx/{GONE.fingerprint}.onnx"):
        with files.locked(store.folder / name):
            assert free_space(store, unknown=True).skipped == (f"vectors of {GONE.fingerprint[:8]}",)
        assert len(store.keys(GONE.fingerprint)) == len(dataset)
    assert free_space(store, unknown=True).skipped == ()


def test_a_graph_without_vectors_counts_and_strangers_beside_models_stay(dataset: Dataset) -> None:
    store = EmbeddingStore()
    graph, mine = store.folder / "onnx" / f"{'ab' * 16}.onnx", store.folder / "embeddings" / "mine" / "notes.txt"
    for path, size in ((graph, 300), (mine, 5)):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(size))
    use = cache_use(store)
    assert module.ModelUse(None, "ab" * 16, 0, 300) in use.models
    assert module.KindUse("other files", 1, 5, freeable=0) in use.kinds
    free_space(store, unknown=True)
    assert not graph.exists()
    assert mine.exists()
    assert {one.name for one in cache_use(store).models} == {"here"}


def test_the_network_that_finds_subjects_is_not_unknown(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "classifiers", classifiers)
    classifier = next(classifiers())
    spec = localiser(classifier.spec)
    assert spec is not None
    graph = EmbeddingStore().folder / "onnx" / f"{Backbone(spec, classifier.weights).fingerprint}.onnx"
    graph.parent.mkdir(parents=True)
    graph.write_bytes(b"graph")
    free_space(EmbeddingStore(), unknown=True)
    assert graph.exists()


def test_a_file_that_cannot_be_removed_is_told(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    store = EmbeddingStore()
    for key in ("ab" * 16, "cd" * 16):
        store.write_thumbnail(key, b"jpeg")
    remove = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path.name.startswith("ab"):
            raise PermissionError
        remove(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    assert free_space(store).skipped == ("thumbnails",)
    assert store.thumbnail("ab" * 16).exists()
    assert not store.thumbnail("cd" * 16).exists()


def test_results_are_the_same_after_freeing(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    store, protocol = EmbeddingStore(), Protocol("train", "train")
    first = evaluate(dataset, [HERE], store, protocol).as_json()
    results = list((store.folder / "evaluations").glob("*"))
    assert results
    free_space(store, unknown=True)
    assert not any(path.exists() for path in results)
    assert evaluate(dataset, [HERE], store, protocol).as_json() == first


def test_links_are_neither_followed_nor_removed(dataset: Dataset, tmp_path: Path) -> None:
    store, outside = EmbeddingStore(), tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.jpg").write_text("precious")
    (store.folder / "thumbnails").mkdir(exist_ok=True)
    (store.folder / "thumbnails" / "aa").symlink_to(outside)
    (store.folder / "thumbnails" / "b.jpg").symlink_to(outside / "precious.jpg")
    (store.folder / "reports").symlink_to(outside)
    (store.folder / "embeddings" / ("cd" * 16)).symlink_to(outside)
    free_space(store, unknown=True)
    assert (outside / "precious.jpg").read_text() == "precious"
    assert (store.folder / "thumbnails" / "b.jpg").is_symlink()
    assert (store.folder / "reports").is_symlink()


def test_jobs_behind_a_link_stay(dataset: Dataset, tmp_path: Path) -> None:
    free_space(EmbeddingStore())  # the list of files
    old = job("done", time.time() - 90_000)
    outside, inside = tmp_path / "outside", old.parent
    inside.rename(outside)
    inside.symlink_to(outside)
    assert free_space(EmbeddingStore()) == module.Freed(0, 0, ())
    assert (outside / old.name / "output.txt").read_text() == "said"
    inside.unlink()
    inside.mkdir()
    (inside / old.name).symlink_to(outside / old.name)
    assert free_space(EmbeddingStore()) == module.Freed(0, 0, ())
    assert (outside / old.name / "output.txt").read_text() == "said"


def test_jobs_go_a_day_after_they_ended(dataset: Dataset) -> None:
    old, new = job("done", time.time() - 90_000), job("failed", time.time() - 60)
    size = sum(file.stat().st_size for file in old.iterdir())
    (use,) = (one for one in cache_use(EmbeddingStore()).kinds if one.name == "jobs")
    assert (use.files, use.freeable) == (4, size)
    free_space(EmbeddingStore())
    assert not old.exists()
    assert (new / "output.txt").read_text() == "said"


def test_an_empty_cache_has_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "available", lambda: {})
    monkeypatch.setattr(module, "classifiers", lambda: iter(()))
    use = cache_use(EmbeddingStore())
    assert (use.models, use.kinds, use.freeable, use.unknown) == ((), (), 0, 0)
    assert free_space(EmbeddingStore(), unknown=True) == module.Freed(0, 0, ())
