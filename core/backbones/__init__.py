"""Backbones: which there are, whether their weights are here, and how to run them.

>>> from core.backbones import BACKBONES
>>> BACKBONES["resnet18"].dim
512
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.backbones import checkpoint, weights
from core.backbones.catalogue import BACKBONES
from core.backbones.classifiers import CLASSIFIERS
from core.backbones.runtime import Runner, load_runner
from core.backbones.spec import BackboneSpec, Preprocessing
from core.backbones.weights import WeightsFile
from core.errors import LikenessError
from core.metrics.grid import similarity
from core.paths import cache_dir

__all__ = [
    "BACKBONES", "CLASSIFIERS", "Backbone", "BackboneSpec", "Preprocessing", "Runner", "Vectors", "WeightsFile",
    "all_specs", "available", "choose", "missing_reason",
]  # fmt: skip

ALL = "all"
# Of one image: by the name of the network that gave it, float32 ``(dim,)``.
Vectors = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Backbone:
    """A backbone whose weights are on this machine."""

    spec: BackboneSpec
    weights: WeightsFile

    @property
    def name(self) -> str:
        """The name of its record."""
        return self.spec.name

    @property
    def networks(self) -> tuple[Backbone, ...]:
        """What has to be run on an image before it can be scored: this one alone."""
        return (self,)

    @cached_property
    def fingerprint(self) -> str:
        """32 hexadecimal digits over everything that decides a vector: architecture, layer, preprocessing, weights."""
        content = json.dumps({**self.spec.identity, "weights": self.weights.sha256}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:32]

    def score(self, a: Vectors, b: Vectors) -> float:
        """The similarity of two images from their vectors, by network name; higher is more alike."""
        return float(similarity(a[self.name], b[self.name]))

    def as_json(self) -> dict[str, Any]:
        """What a file says of a model, so that another one is not taken for it."""
        return {
            "name": self.name,
            "fingerprint": self.fingerprint,
            "weights_sha256": self.weights.sha256,
            **self.spec.identity,
        }

    def load(self) -> Runner:
        """The network, ready to run; see :func:`core.backbones.runtime.load_runner`."""
        return load_runner(self.spec, self.weights, self.fingerprint)


def all_specs() -> dict[str, BackboneSpec]:
    """Every record: the built-in ones, then the checkpoints found on this machine."""
    return {**BACKBONES, **checkpoint.discover([*weights.folders(), cache_dir() / "checkpoints"])}


def available() -> dict[str, Backbone]:
    """The backbones whose weights are on this machine, by name. Reads no weights and uses no network."""
    found = {}
    for name, spec in all_specs().items():
        try:
            file = weights.find(spec)
        except LikenessError:
            continue  # damaged: missing_reason() tells
        if file is not None:
            found[name] = Backbone(spec, file)
    return found


def missing_reason(spec: BackboneSpec) -> str | None:
    """Why a backbone is not available and what to do about it; None when it is."""
    try:
        return None if weights.find(spec) else weights.how_to_get(spec)
    except LikenessError as error:
        return str(error)


def choose(names: Sequence[str], *, offline: bool = False) -> list[Backbone]:
    """The named backbones in the order given, each once; ``all`` stands for every one available.

    A classifier of :data:`CLASSIFIERS` may be named too, but is never among ``all``. Weights that are not on this
    machine are downloaded for models named one by one, never for ``all``.

    Raises:
        LikenessError: a name is unknown, or its weights cannot be had.
    """
    if list(names) == [ALL]:
        return list(available().values())
    specs = all_specs()
    known = {**CLASSIFIERS, **specs}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, specs, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise LikenessError(f"No model is called {name!r}.{hint} Models: {', '.join(specs)}, or {ALL}.")
    if not names:
        raise LikenessError(f"No model was named. Models: {', '.join(specs)}, or {ALL}.")
    return [Backbone(known[name], weights.fetch(known[name], offline=offline)) for name in dict.fromkeys(names)]
