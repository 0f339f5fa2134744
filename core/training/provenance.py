"""Where a run's result comes from: parent, images, settings and libraries, written down before it starts."""

from __future__ import annotations

import importlib.metadata
import time
from dataclasses import asdict
from typing import Any

from core import files
from core.backbones import Backbone, BackboneSpec
from core.errors import LikenessError
from core.jobs import is_helper
from core.recent import DatasetChoice
from core.records import Dataset
from core.training import runs
from core.training.protocol import Material
from core.training.runs import SCHEMA
from core.training.settings import Settings

_LIBRARIES = ("torch", "torchvision", "lightning-fabric", "pytorch-metric-learning", "numpy", "pillow")


def origin_of(
    dataset: Dataset, material: Material, settings: Settings, start: BackboneSpec, parent: Backbone | None
) -> dict[str, Any]:
    """The record of a run, and the provenance of what it makes; arguments as of :func:`core.training.run.train`."""
    data = material.dataset
    return {
        "schema": SCHEMA,
        "settings": settings.as_json(),
        "parent": {
            "name": start.name,
            "fingerprint": parent.fingerprint if parent else "",
            "weights_sha256": parent.weights.sha256 if parent else "",
        },
        "dataset": {
            **asdict(DatasetChoice(dataset.ref, dataset.options)), "title": dataset.title,
            "fingerprint": data.fingerprint,
        },
        "images": asdict(material.counts),
        "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        "started": time.time(),
    }  # fmt: skip


def recorded(name: str, origin: dict[str, Any], resume: bool) -> dict[str, Any]:
    """The record, written for a new run; that of an old one, if it still is about the same images and weights.

    Raises:
        LikenessError: it is not, or the disk is full.
    """
    path = runs.folder(name) / "run.json"
    if is_helper():
        return origin
    if not resume:
        for old in (*path.parent.glob("epoch-*"), path.with_name("state.json"), path.with_name("live.json")):
            old.unlink(missing_ok=True)
        files.write_json(path, origin)
        return origin
    before: dict[str, Any] = files.read_json(path) or {}
    for what, key in (("images", "dataset"), ("weights", "parent")):
        now, then = (one.get(key, {}).get("fingerprint") for one in (origin, before))
        if now != then:
            raise LikenessError(
                f"{name} cannot be resumed: the {what} are no longer those it started with ({str(then)[:12]}, now "
                f"{str(now)[:12]}). Train anew with another --name."
            )
    return before
