"""``train``: a better backbone from labelled images."""

from __future__ import annotations

import argparse
from typing import Any

from core.cli import options as shared
from core.cli.table import clean, table
from core.errors import LikenessError
from core.progress import Progress
from core.store import EmbeddingStore
from core.training import runs
from core.training.run import dataset_of, resumable, train
from core.training.runs import Run
from core.training.settings import AUGMENTATIONS, LOSSES, METRICS, MINING, OBJECTIVES, choose

NAME = "train"
HELP = "Train a backbone on a dataset's images; the best epoch on validation becomes a model like any other."
_START = {"finetune": "mobilenet_v2", "siamese": "efficientnet_b0", "triplet": "efficientnet_b0"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Objective, dataset, start and settings; what is not given has the objective's default."""
    parser.add_argument("objective", choices=OBJECTIVES, help="classes, pairs or triplets")
    parser.add_argument(
        "--model", metavar="NAME", help="start from this one (default: mobilenet_v2 or efficientnet_b0)"
    )
    parser.add_argument("--name", metavar="NAME", help="of the new model (default: START_OBJECTIVE)")
    parser.add_argument("--fast", action="store_true", help="only a head on stored vectors: seconds instead of hours")
    parser.add_argument("--from-scratch", action="store_true", help="start from random weights")
    parser.add_argument("--resume", action="store_true", help="go on with the unfinished run --name, as it was set up")
    parser.add_argument("--protocol", choices=["siamese"], help="balanced subset: 128 training, 32 test images a class")
    shared.add_dataset(parser)
    group = parser.add_argument_group("settings")
    for name, about in _CHOICES.items():
        group.add_argument(_option(name), choices=list(about[0]), help=about[1])
    for name, (kind, text) in _NUMBERS.items():
        group.add_argument(_option(name), type=kind, metavar="N", help=text)
    group.add_argument("--training-seed", type=int, metavar="N", help="of all that is drawn in training (default: 0)")


_CHOICES = {
    "loss": (LOSSES, "of triplet (default: triplet)"),
    "mining": (MINING, "which triplets count (default: semihard)"),
    "augmentation": (AUGMENTATIONS, "how pictures are varied (default: standard)"),
    "metric": (METRICS, "decides on validation which epoch is best (default: precision_at_5; siamese: roc_auc)"),
}
_NUMBERS: dict[str, tuple[Any, str]] = {
    "epochs": (int, "at most (default: 10; fast: 30)"),
    "frozen_epochs": (int, "epochs at the start that train the head only (default: 0; finetune: 1)"),
    "batch": (int, "images, or pairs, a step (default: 32; siamese: 16; fast: 128)"),
    "lr": (float, "peak learning rate (default: 0.001)"),
    "trunk_lr": (float, "that of the pretrained network, relative to it (default: 0.1)"),
    "dim": (int, "length of the embedding head's vectors, 0 for no head (default: 128; finetune: 0)"),
    "margin": (float, "of the triplet loss (default: 0.2)"),
    "label_smoothing": (float, "of finetune (default: 0.1)"),
    "weight_decay": (float, "of AdamW (default: 0.0001)"),
    "warmup": (float, "share of the steps (default: 0.1)"),
    "clip": (float, "largest norm of the gradient (default: 1)"),
    "patience": (int, "epochs without a better one before it stops (default: 5; fast: 10)"),
    "devices": (int, "GPUs, or processes on a CPU (default: every GPU)"),
}


def run(options: argparse.Namespace, progress: Progress) -> tuple[Any, str]:
    """The finished run as JSON and as text."""
    store = EmbeddingStore()
    if options.resume:
        found = _resume(options, store, progress)
    else:
        given = {name: getattr(options, name) for name in (*_CHOICES, *_NUMBERS, "protocol", "from_scratch")}
        given["seed"] = options.training_seed
        model = options.model or _START[options.objective]
        chosen = {name: value for name, value in given.items() if value is not None}
        settings = choose(options.objective, model, fast=options.fast, **chosen)
        name = options.name or f"{model}_{options.objective}"
        runs.folder(name)  # a bad name is told before anything is read
        dataset = shared.load(options, store, progress)
        found = train(dataset, settings, name, store, progress, offline=options.offline)
    return found.as_json(), _text(found)


def _resume(options: argparse.Namespace, store: EmbeddingStore, progress: Progress) -> Run:
    if not options.name:
        raise LikenessError("--resume goes on with a run: name it with --name.")
    old = resumable(options.name)
    if old.settings.objective != options.objective:
        raise LikenessError(f"{old.name} is a run of {old.settings.objective}: python -m core train "
                            f"{old.settings.objective} --resume --name {old.name}")  # fmt: skip
    dataset = dataset_of(old, store, progress, offline=options.offline)
    return train(dataset, old.settings, old.name, store, progress, resume=True, offline=options.offline)


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _text(run: Run) -> str:
    counts = run.counts
    head = f"{clean(run.title)}: {counts.train:,} images of {counts.classes} classes, {counts.val:,} to validate"
    if counts.left_out:
        head += f"; {counts.left_out:,} left out: near duplicates of validation or test images"
    rows = [
        [f"{one.number}{' *' if one.number == run.best else ''}", "-" if one.loss is None else f"{one.loss:.4f}",
         *(f"{one.values[name]:.4f}" for name in METRICS), f"{one.seconds:.1f}"]
        for one in run.history
    ]  # fmt: skip
    lines = [
        head,
        "",
        table(["epoch", "loss", *METRICS.values(), "s"], rows),
        "",
        f"* best by {METRICS[run.settings.metric]}",
    ]
    return "\n".join([*lines, *_tested(run)])


def _tested(run: Run) -> list[str]:
    """What it is worth on test images."""
    if not run.test:
        return ["", f"{run.name} is ready. There are no test images to judge it by."]
    rows = [
        [name, *(f"{one[metric]:.4f} [{one['ci'][metric][0]:.4f}-{one['ci'][metric][1]:.4f}]" if metric in one else "-"
                 for metric in METRICS)]
        for name, one in run.test["models"].items()
    ]  # fmt: skip
    gains = [
        f"{METRICS[metric]} {one['value']:+.4f} [{one['ci'][0]:+.4f}, {one['ci'][1]:+.4f}], p = {one['p_value']:.4f}"
        for metric, one in run.test["differences"].items()
    ]
    over = [f"Over {run.settings.model}: {'; '.join(gains)}"] if gains else []
    head = f"Test, {run.counts.test:,} images among the {run.counts.train:,} that were trained on:"
    return ["", head, table(["model", *METRICS.values()], rows), *over]
