"""Backbones from the transformers library: ViT, DINOv2 and CLIP's image tower."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from core.backbones.spec import BackboneSpec
from core.backbones.state import read_state
from core.backbones.vision import import_torchvision
from core.errors import LikenessError


class _Features(nn.Module):
    """The feature of a transformers vision model as a plain tensor."""

    def __init__(self, model: nn.Module, family: str) -> None:
        super().__init__()
        self.model = model
        self.projected = family == "CLIP"

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        output = self.model(pixel_values=images)
        feature: torch.Tensor = output.image_embeds if self.projected else output.last_hidden_state[:, 0]
        return feature


def build(spec: BackboneSpec, weights: Path) -> nn.Module:
    """The feature network, float ``(n, 3, h, w)`` in, ``(n, dim)`` out.

    ``weights`` is a file; a ``config.json`` beside it is honoured, else the published configuration is used.

    Raises:
        LikenessError: the file does not hold weights of this architecture.
    """
    import_torchvision()  # transformers looks for it
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    model_class, config = _classes(transformers, spec)
    options: dict[str, Any] = {"add_pooling_layer": False} if spec.family == "ViT" else {}
    state = read_state(weights)
    try:
        if (weights.parent / "config.json").is_file():
            config = model_class.config_class.from_pretrained(weights.parent, local_files_only=True)
        # Given the tensors, not the folder, where transformers might prefer another file than the one fingerprinted.
        model, report = model_class.from_pretrained(
            None, config=config, state_dict=state, dtype=torch.float32, output_loading_info=True,
            attn_implementation="eager", **options,
        )  # fmt: skip
    except Exception as error:  # a damaged configuration and tensors of another shape raise many kinds
        reason = " ".join(str(error).split())[:200]
        raise LikenessError(f"{weights} does not fit {spec.architecture}: {reason}") from error
    if report["missing_keys"]:
        missing = sorted(report["missing_keys"])
        raise LikenessError(
            f"{weights} as {spec.architecture}: {len(missing)} tensors are missing, such as {missing[0]}."
        )
    return _Features(model, spec.family)


def _classes(transformers: Any, spec: BackboneSpec) -> tuple[Any, Any]:
    if spec.family == "ViT":
        return transformers.ViTModel, transformers.ViTConfig()
    if spec.family == "DINOv2":
        small = transformers.Dinov2Config(hidden_size=384, num_attention_heads=6, image_size=518, patch_size=14)
        return transformers.Dinov2Model, small
    return transformers.CLIPVisionModelWithProjection, transformers.CLIPVisionConfig(patch_size=32, projection_dim=512)
