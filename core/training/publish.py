"""The best epoch as a backbone: one weights file and its record, with where all of it comes from."""

from __future__ import annotations

from typing import Any

import torch
from safetensors.torch import save

from core import files
from core.backbones.checkpoint import SCHEMA, base_of
from core.backbones.module import Embedder
from core.backbones.spec import BackboneSpec
from core.datasets.overlap import IMAGES
from core.paths import cache_dir
from core.training.network import Learner, tensors_of
from core.training.objectives import PairHead
from core.training.runs import Run, epoch_json

_DONE = {"finetune": "fine-tuned", "siamese": "trained on pairs", "triplet": "trained on triplets"}


def publish(
    run: Run, start: BackboneSpec, learner: Learner, trunk: Embedder, origin: dict[str, Any], images: list[str]
) -> None:
    """Write ``checkpoints/NAME.safetensors``, the list of its images and, last, ``NAME.json`` in the cache.

    Args:
        run: as it stands now.
        start: the backbone that training started from.
        learner: with the weights of the best epoch.
        trunk: the network that its head stands on.
        origin: the run's record: parent, dataset, settings, libraries.
        images: content ids of the images it was trained on, and chosen by.

    Raises:
        LikenessError: the disk is full.
    """
    before = "none" if run.settings.from_scratch else start.pretraining
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "base": base_of(start).name,
        "pretraining": f"{before}, then {_DONE[run.settings.objective]} on {run.title}",
        "licence": start.licence,
        "trained": {**origin, "history": [epoch_json(one) for one in run.history], "best": run.best},
    }
    if learner.head is not None:
        record["dim"] = learner.head.out_features
    if isinstance(learner.objective, PairHead):
        record["pair_head"] = True
    path = cache_dir() / "checkpoints" / f"{run.name}.safetensors"
    tensors: dict[str, torch.Tensor] = tensors_of(trunk, learner.head, learner.objective)
    files.write_bytes(path, save(tensors))
    files.write_bytes(path.with_suffix(IMAGES), "\n".join(images).encode())
    files.write_json(path.with_suffix(".json"), record)
