"""Fine-tuned weights as backbones: a weights file with a small JSON record beside it.

``NAME.safetensors`` (or ``.pth``) and ``NAME.json`` in a weights folder, or in the cache's ``checkpoints/``, make a
backbone called ``NAME``. The record says which built-in backbone it started from::

    {"schema": 1, "base": "mobilenet_v2", "pretraining": "ImageNet-1k, then Animals-10, supervised"}

Training writes more into it: ``dim`` where the file holds an embedding head (:mod:`core.backbones.projection`),
``pair_head`` where it holds a head that scores pairs (:mod:`core.siamese`), and where all of it comes from.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import files
from core.backbones.catalogue import BACKBONES
from core.backbones.spec import BackboneSpec

if TYPE_CHECKING:
    from torch import nn

SCHEMA = 1
PAIR_HEAD = "pair_head."
# How the layer of a checkpoint with an embedding head ends.
HEADED = ", linear embedding head"
_log = logging.getLogger(__name__)


def discover(folders: list[Path]) -> dict[str, BackboneSpec]:
    """The checkpoints recorded in these folders, by name; the first folder wins. Odd records are warned about."""
    found: dict[str, BackboneSpec] = {}
    for folder in folders:
        for record in sorted(folder.glob("*.json")):
            spec = _spec(record)
            if spec is not None and spec.name not in BACKBONES:
                found.setdefault(spec.name, spec)
    return found


def build(spec: BackboneSpec, weights: Path) -> nn.Module:
    """The feature network of a checkpoint: its base's architecture with its own weights, and its embedding head."""
    from core.backbones.projection import PREFIX, Projected, read_head
    from core.backbones.state import read_state

    base = base_of(spec)
    if base.source == "transformers":
        from core.backbones.transformers_loader import build as build_base
    elif base.source == "bundled":
        from core.backbones.bundled_loader import build as build_base
    else:
        from core.backbones.torchvision_loader import build as build_base
    state = read_state(weights)
    head = read_head(state, str(weights))
    network = build_base(base, weights, {n: t for n, t in state.items() if not n.startswith((PREFIX, PAIR_HEAD))})
    return network if head is None else Projected(network, head)


def base_of(spec: BackboneSpec) -> BackboneSpec:
    """The built-in record behind a checkpoint; any other record is its own."""
    return BACKBONES[spec.architecture] if spec.source == "checkpoint" else spec


def _spec(record: Path) -> BackboneSpec | None:
    content: Any = files.read_json(record)
    if not isinstance(content, dict) or "base" not in content:
        return None  # some other JSON file
    if content.get("schema") != SCHEMA or str(content["base"]) not in BACKBONES:
        _log.warning("%s: expected schema %d and a base among %s.", record, SCHEMA, ", ".join(BACKBONES))
        return None
    weights = next((p for s in (".safetensors", ".pth") if (p := record.with_suffix(s)).is_file()), None)
    if weights is None:
        _log.warning("%s: no %s.safetensors or .pth beside it.", record, record.stem)
        return None
    base = BACKBONES[str(content["base"])]
    headed = isinstance(content.get("dim"), int)
    return replace(
        base,
        name=record.stem,
        source="checkpoint",
        architecture=base.name,
        dim=content["dim"] if headed else base.dim,
        layer=base.layer + HEADED if headed else base.layer,
        size_mb=round(weights.stat().st_size / 1e6, 1),
        pretraining=str(content.get("pretraining", f"{base.pretraining}, then fine-tuned")),
        licence=str(content.get("licence", base.licence)),
        files=(weights.name,),
        origin=str(weights),
        sha256="",
        pair_head=content.get("pair_head") is True,
    )
