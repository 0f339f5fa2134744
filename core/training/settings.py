"""What is trained and how: one frozen record, with a default for everything."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from core.errors import LikenessError

OBJECTIVES = ("finetune", "siamese", "triplet")
LOSSES = ("triplet", "supcon", "multi_similarity")
MINING = ("random", "semihard", "hard")
AUGMENTATIONS = ("none", "standard", "strong")
# What validation is judged by, and what each is called on screen.
METRICS = {"precision_at_5": "P@5", "retrieval_accuracy": "hit@1", "roc_auc": "ROC AUC"}


@dataclass(frozen=True)
class Settings:
    """Everything that decides a result, besides the images and the weights it starts from.

    Attributes:
        objective: ``finetune`` (cross-entropy over the classes), ``siamese`` (is a pair of one class) or ``triplet``
            (an anchor closer to its own class than to another).
        model: the backbone to start from.
        fast: train a head on stored vectors and leave the network as it is.
        from_scratch: start from random weights.
        protocol: ``siamese`` for the balanced subset of earlier work, or empty for the whole dataset.
        loss: of ``triplet``, one of :data:`LOSSES`.
        mining: which triplets of a batch count, for the loss ``triplet``, one of :data:`MINING`.
        margin: of the triplet loss, in Euclidean distance of unit vectors.
        label_smoothing: share of the target laid evenly over all classes, for ``finetune``.
        dim: length of the embedding head's vectors; 0 for none: the network's own feature.
        epochs: at most.
        frozen_epochs: how many epochs at the start train the head only.
        batch: images a step; pairs for ``siamese``.
        lr: peak learning rate of the head; of the network too where there is no other.
        trunk_lr: peak learning rate of the pretrained network, relative to ``lr``.
        weight_decay: of AdamW.
        warmup: share of all steps in which the rate rises from 0; it then falls to 0 along a cosine.
        clip: largest norm of the gradient.
        augmentation: one of :data:`AUGMENTATIONS`.
        metric: decides which epoch is best, on validation; a key of :data:`METRICS`.
        patience: epochs without a better one after which training stops.
        seed: of everything that is drawn.
        devices: how many GPUs (or processes on a CPU) share each step; 0 for all GPUs there are.
    """

    objective: str
    model: str
    fast: bool = False
    from_scratch: bool = False
    protocol: str = ""
    loss: str = "triplet"
    mining: str = "semihard"
    margin: float = 0.2
    label_smoothing: float = 0.1
    dim: int = 128
    epochs: int = 10
    frozen_epochs: int = 0
    batch: int = 32
    lr: float = 1e-3
    trunk_lr: float = 0.1
    weight_decay: float = 1e-4
    warmup: float = 0.1
    clip: float = 1.0
    augmentation: str = "standard"
    metric: str = "precision_at_5"
    patience: int = 5
    seed: int = 0
    devices: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values that :func:`from_json` reads."""
        return asdict(self)


def choose(objective: str, model: str, *, fast: bool = False, **given: Any) -> Settings:
    """Settings with the defaults of an objective, and what was given in place of them.

    Raises:
        LikenessError: a value makes no sense; the message says which and what would.

    >>> choose("triplet", "mobilenet_v2", fast=True, margin=0.3).margin
    0.3
    """
    defaults: dict[str, Any] = {"objective": objective, "model": model, "fast": fast}
    if fast:
        defaults |= {"epochs": 30, "batch": 128, "patience": 10, "augmentation": "none"}
    elif objective == "finetune":
        # The feature itself is trained; with fresh weights there is nothing to be careful with.
        defaults |= {"dim": 0, "frozen_epochs": 0 if given.get("from_scratch") else 1}
    if objective == "siamese":
        defaults |= {"metric": "roc_auc"} | ({} if fast else {"batch": 16})
    if given.get("from_scratch"):
        defaults |= {"trunk_lr": 1.0}
    known = {field.name for field in fields(Settings)}
    found = Settings(**defaults)
    return check(replace(found, **{name: value for name, value in given.items() if name in known}))


def from_json(content: Any) -> Settings:
    """Read what :meth:`Settings.as_json` wrote.

    Raises:
        LikenessError: it is damaged or of another version.
    """
    try:
        return check(Settings(**content))
    except TypeError as error:
        raise LikenessError(f"The settings of this training are damaged or of another version: {error}.") from error


def check(settings: Settings) -> Settings:
    """The settings themselves, if they make sense; raises LikenessError else."""
    for name, allowed in _ALLOWED.items():
        if getattr(settings, name) not in allowed:
            given = getattr(settings, name)
            raise LikenessError(f"{name} is one of {', '.join(filter(None, allowed))}, not {given!r}.")
    for name, (low, high) in _LIMITS.items():
        value = getattr(settings, name)
        if not (isinstance(value, (int, float)) and math.isfinite(value) and low <= value <= high):
            raise LikenessError(f"{name.replace('_', ' ')} is a number from {low:g} to {high:g}, not {value}.")
    if settings.fast and settings.from_scratch:
        raise LikenessError("A fast head stands on stored vectors: the network cannot start from scratch too.")
    if settings.fast and not settings.dim:
        raise LikenessError("A fast head makes vectors of its own: give dim as 1 or more.")
    if settings.objective == "siamese" and not settings.dim:
        raise LikenessError("A siamese network compares vectors of an embedding head: give dim as 1 or more.")
    return settings


_ALLOWED: Mapping[str, tuple[str, ...]] = {
    "objective": OBJECTIVES, "loss": LOSSES, "mining": MINING, "augmentation": AUGMENTATIONS,
    "metric": tuple(METRICS), "protocol": ("", "siamese"),
}  # fmt: skip
_LIMITS: Mapping[str, tuple[float, float]] = {
    "margin": (0.0, 2.0), "label_smoothing": (0.0, 0.9), "dim": (0, 4096), "epochs": (1, 10_000),
    "frozen_epochs": (0, 10_000), "batch": (2, 4096), "lr": (1e-7, 10.0), "trunk_lr": (0.0, 1.0),
    "weight_decay": (0.0, 1.0), "warmup": (0.0, 0.9), "clip": (1e-3, 1e3), "patience": (1, 10_000),
    "seed": (0, 2**31), "devices": (0, 64),
}  # fmt: skip
