"""A training run from a dataset to a backbone: prepare, train, publish, embed, and judge once on test."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import Timeout

from core import files
from core.backbones import Backbone, BackboneSpec, all_specs, choose
from core.datasets import load_dataset
from core.embed import embed
from core.errors import LikenessError
from core.jobs import is_helper
from core.progress import Progress, silent
from core.records import Dataset
from core.store import EmbeddingStore
from core.training import runs
from core.training.protocol import Material, prepare
from core.training.provenance import origin_of, recorded
from core.training.runs import Epoch, Run
from core.training.settings import Settings
from core.training.start import check_start
from core.training.verdict import judge_on_test
from core.vectors import class_codes, embedded, stored_vectors

if TYPE_CHECKING:
    from core.training.loop import Hooks
    from core.training.network import Learner

_WRITE_EVERY_S = 1.0
_POINTS = 500


def train(
    dataset: Dataset, settings: Settings, name: str, store: EmbeddingStore, progress: Progress = silent, *,
    resume: bool = False, offline: bool = False,
) -> Run:  # fmt: skip
    """Train a backbone, embed the dataset with it, and compare it with its parent on test images.

    Args:
        dataset: with images in all three splits.
        settings: what is trained, and how.
        name: of the new backbone.
        store: holds vectors, and takes those of the new backbone.
        progress: told of each stage.
        resume: go on after the last finished epoch of the run of this name.
        offline: never download the weights it starts from.

    Raises:
        LikenessError: the settings do not fit the images or the backbone, the name is taken, the disk is full, or there
            is nothing to resume.
        KeyboardInterrupt: it was asked to stop. The best finished epoch is a backbone already, not yet embedded.
    """
    progress = silent if is_helper() else progress
    start = _start(settings.model)
    check_start(start, settings.fast)
    if not resume and not is_helper():
        runs.check_free(name)
    with _alone(name):
        parent = None if settings.from_scratch else choose([settings.model], offline=offline)[0]
        if parent is not None:
            embed(dataset, [parent], store, progress)
        confirms = parent or next(iter(embedded(dataset, store)), None)
        material = prepare(dataset, settings.protocol, settings.seed, store, confirms, progress)
        origin = recorded(name, origin_of(dataset, material, settings, start, parent), resume)
        _train(name, dataset, material, settings, start, parent, store, progress, origin)
    return _loaded(name)


def resumable(name: str) -> Run:
    """The unfinished run of this name.

    Raises:
        LikenessError: there is none.
    """
    run = runs.load(name)
    if run is None:
        known = ", ".join(one.name for one in runs.runs() if one.state == "unfinished") or "none"
        raise LikenessError(f"There is no training run {name!r} to resume. Unfinished runs: {known}.")
    if run.state == "running":
        raise LikenessError(f"{name} is being trained now, by another process.")
    if run.state == "finished":
        raise LikenessError(f"{name} is finished: {run.epoch} epochs. Train another with --name.")
    return run


def dataset_of(run: Run, store: EmbeddingStore, progress: Progress, *, offline: bool = False) -> Dataset:
    """The dataset that a run trains on, read again.

    Raises:
        LikenessError: it cannot be read.
    """
    return load_dataset(
        run.dataset.ref, run.dataset.options, offline=offline, progress=progress, known_failures=store.failures()
    )


def _train(
    name: str, dataset: Dataset, material: Material, settings: Settings, start: BackboneSpec, parent: Backbone | None,
    store: EmbeddingStore, progress: Progress, origin: dict[str, Any],
) -> None:  # fmt: skip
    from core.training import loop
    from core.training.checkpoints import Checkpoints
    from core.training.network import trunk_of
    from core.training.publish import publish

    here = runs.folder(name)
    checkpoints = Checkpoints(here)
    fabric = loop.fabric_for(settings)
    fabric.launch()
    task, learner = _task(material, settings, start, parent, store)
    ended = loop.run(fabric, learner, task, settings, checkpoints, _hooks(_loaded(name), progress))
    loop.part(fabric)
    run = _loaded(name)
    if ended or run.best:
        learner.cpu().load_state_dict(checkpoints.best())
        trunk = learner.trunk or trunk_of(start, parent)
        seen = material.dataset.ids[np.concatenate([task.train, task.val])].tolist()
        publish(run, start, learner, trunk, origin, seen)
    if not ended:
        kept = f"; the best of them, epoch {run.best}, is the model {name}" if run.best else ""
        raise KeyboardInterrupt(
            f"Stopped. {run.epoch} finished epochs are kept{kept}. Go on with --resume --name {name}."
        )
    test = judge_on_test(name, dataset, material, parent, store, progress)
    files.write_json(here / "run.json", {**origin, "finished": time.time(), "test": test})
    checkpoints.clear()


def _task(
    material: Material, settings: Settings, start: BackboneSpec, parent: Backbone | None, store: EmbeddingStore
) -> tuple[Any, Learner]:
    import torch
    from torch import nn

    from core.training.inputs import Inputs, Pictures, Vectors
    from core.training.loop import Task
    from core.training.network import Learner, trunk_of
    from core.training.objectives import make

    data = material.dataset
    torch.manual_seed(settings.seed)
    inputs: Inputs
    if settings.fast:
        assert parent is not None  # a fast head does not start from scratch
        inputs, trunk = Vectors(stored_vectors(data, parent, store)), None
    else:
        inputs = Pictures(data, start.preprocessing, settings.augmentation, settings.seed)
        trunk = trunk_of(start, parent)
    train_rows, val_rows = data.rows("train"), data.rows("val")
    # Classes are numbered among the training images; one that only validation has cannot be found by anybody.
    classes = np.unique(class_codes(data)[train_rows])
    codes = np.searchsorted(classes, class_codes(data)).astype(np.intp)
    val_rows = val_rows[np.isin(class_codes(data)[val_rows], classes)]
    head = nn.Linear(start.dim, settings.dim) if settings.dim else None
    objective = make(settings, len(classes), settings.dim or start.dim)
    learner = Learner(trunk, head, objective, fixed=not settings.from_scratch)
    return Task(inputs, train_rows, val_rows, codes, data.ids), learner


def _hooks(run: Run, progress: Progress) -> Hooks:
    """Tell of every step, and keep the losses for whoever looks at the run."""
    from core.training.loop import Hooks

    here = runs.folder(run.name)
    losses = [list(point) for point in run.losses if point[0] <= run.epoch]
    written = 0.0

    def step(done: int, total: int, epoch: float, loss: float) -> None:
        nonlocal written
        losses.append([round(epoch, 4), round(loss, 5)])
        progress("Training", done, total)
        if time.monotonic() - written >= _WRITE_EVERY_S:
            written = time.monotonic()
            _write_live(here, losses)

    def epoch(_: Epoch) -> None:
        _write_live(here, losses)

    return Hooks(step, epoch)


def _write_live(here: Path, losses: list[list[float]]) -> None:
    every = -(-len(losses) // _POINTS) if losses else 1
    files.write_json(here / "live.json", {"losses": losses[::every]}, durable=False)


def _start(name: str) -> BackboneSpec:
    specs = all_specs()
    if name not in specs:
        choose([name])  # says which are known
    return specs[name]


def _loaded(name: str) -> Run:
    run = runs.load(name)
    assert run is not None
    return run


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    """Hold the lock of a run; whoever comes second is told so at once. Helpers stand behind the one that has it."""
    if is_helper():
        yield
        return
    lock = files.lock_for(runs.folder(name) / "alive")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise LikenessError(f"{name} is being trained now, by another process. Wait for it.") from error
    try:
        yield
    finally:
        lock.release()
