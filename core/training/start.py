"""What training can start from."""

from __future__ import annotations

from core.backbones import BackboneSpec
from core.backbones.checkpoint import HEADED, base_of
from core.errors import LikenessError


def check_start(spec: BackboneSpec, fast: bool) -> None:
    """Raise a LikenessError where training cannot start from a backbone."""
    base = base_of(spec)
    if spec.layer.endswith(HEADED):
        raise LikenessError(
            f"{spec.name} has an embedding head from an earlier training. Start from {base.name}, or another without."
        )
    if base.source == "transformers" and not fast:
        raise LikenessError(
            f"{spec.name} is of the transformers library: only a head can be trained on it. Add --fast, or choose a "
            "backbone of torchvision or EfficientNet-Lite."
        )
