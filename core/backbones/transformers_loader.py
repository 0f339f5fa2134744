"""Backbones from the transformers library: ViT (also with its head), DINOv2 and CLIP's image tower."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from core.backbones.heads import Classes
from core.backbones.spec import BackboneSpec
from core.backbones.state import read_state
from core.backbones.vision import import_torchvision
from core.errors import LikenessError


class _Features(nn.Module):
    """The feature, or the logits, of a transformers vision model as a plain tensor."""

    def __init__(self, model: nn.Module, field: str) -> None:
        super().__init__()
        self.model = model
        self.field = field

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = getattr(self.model(pixel_values=images), self.field)
        return found[:, 0] if found.ndim == 3 else found  # of a sequence, the class token


def build(spec: BackboneSpec, weights: Path, state: Mapping[str, torch.Tensor] | None = None) -> nn.Module:
    """The network, float ``(n, 3, h, w)`` in, ``(n, dim)`` out; arguments and errors as for torchvision's.

    A ``config.json`` beside the file is honoured, else the published configuration is used.
    """
    model_class, published, field, options = _parts(library(), spec)

    def config() -> Any:
        if (weights.parent / "config.json").is_file():
            return model_class.config_class.from_pretrained(weights.parent, local_files_only=True)
        return published

    tensors = read_state(weights) if state is None else state
    network = _Features(fit(model_class, config, tensors, weights, spec.architecture, **options), field)
    return Classes(network) if spec.output == "classes" else network


def library() -> Any:
    """The transformers library, quiet."""
    import_torchvision()  # transformers looks for it
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers


def fit(
    model_class: Any, config: Callable[[], Any], state: Mapping[str, torch.Tensor], weights: Path, architecture: str,
    **options: Any,
) -> nn.Module:  # fmt: skip
    """A transformers model holding these tensors, which were read from ``weights``.

    Raises:
        LikenessError: the configuration is damaged, or the tensors do not fit it.
    """
    try:
        # Given the tensors, not the folder, where transformers might prefer another file than the one fingerprinted.
        model, report = model_class.from_pretrained(
            None, config=config(), state_dict=state, dtype=torch.float32, output_loading_info=True,
            attn_implementation="eager", **options,
        )  # fmt: skip
    except Exception as error:  # a damaged configuration and tensors of another shape raise many kinds
        reason = " ".join(str(error).split())[:200]
        raise LikenessError(f"{weights} does not fit {architecture}: {reason}") from error
    if report["missing_keys"]:
        missing = sorted(report["missing_keys"])
        raise LikenessError(f"{weights} as {architecture}: {len(missing)} tensors are missing, such as {missing[0]}.")
    fitted: nn.Module = model
    return fitted


def _parts(transformers: Any, spec: BackboneSpec) -> tuple[Any, Any, str, dict[str, Any]]:
    """The class, its published configuration, the field of its output that is wanted, and options to build it with."""
    if spec.output == "classes":
        return transformers.ViTForImageClassification, transformers.ViTConfig(num_labels=spec.dim), "logits", {}
    if spec.family == "ViT":
        return transformers.ViTModel, transformers.ViTConfig(), "last_hidden_state", {"add_pooling_layer": False}
    if spec.family == "DINOv2":
        small = transformers.Dinov2Config(hidden_size=384, num_attention_heads=6, image_size=518, patch_size=14)
        return transformers.Dinov2Model, small, "last_hidden_state", {}
    tower = transformers.CLIPVisionConfig(patch_size=32, projection_dim=512)
    return transformers.CLIPVisionModelWithProjection, tower, "image_embeds", {}
