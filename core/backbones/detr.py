"""Object detection with DETR (Carion et al., ECCV 2020, arXiv 2005.12872), run by the transformers library."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core import files
from core.backbones.spec import IMAGENET_MEAN, IMAGENET_STD, Source
from core.backbones.weights import WeightsFile
from core.boxes import Box

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class DetectorSpec:
    """A detector: where its weights come from and how large it is shown a picture.

    The shorter side becomes ``short`` pixels, or fewer where the longer one would pass ``long``. The other fields are
    those of :class:`core.backbones.spec.BackboneSpec`.
    """

    name: str
    source: Source
    origin: str
    files: tuple[str, ...]
    short: int
    long: int
    parameters: int
    size_mb: float
    pretraining: str
    licence: str
    sha256: str = ""

    @property
    def weights_name(self) -> str:
        """The name its weights go by in a folder of local checkpoints."""
        return self.name


DETR = DetectorSpec(
    name="detr_resnet50",
    source="transformers",
    origin="facebook/detr-resnet-50",
    files=("model.safetensors",),
    short=800,
    long=1333,
    parameters=41_524_768,
    size_mb=166.6,
    pretraining="COCO 2017, supervised",
    licence="Apache-2.0",
)


class Detr:
    """DETR, ready to run on the CPU. Safe to call from several threads.

    A ``config.json`` beside the weights is honoured, else the published configuration is used.

    Raises:
        LikenessError: the file does not hold weights of this architecture.
    """

    def __init__(self, weights: WeightsFile) -> None:
        from core.backbones.state import read_state
        from core.backbones.transformers_loader import fit, library

        transformers = library()
        self._model: Any = fit(
            transformers.DetrForObjectDetection,
            lambda: _config(transformers, weights.path.parent),
            without_timm(read_state(weights.path)),
            weights.path,
            DETR.origin,
        ).eval()

    def __call__(self, picture: Image.Image) -> tuple[Box, ...]:
        """Everything it sees in an upright RGB picture, most of it with hardly any confidence, the surest first."""
        import torch

        with torch.inference_mode():
            output = self._model(pixel_values=torch.from_numpy(pixels(picture)))
            chances, classes = output.logits[0].softmax(-1)[:, :-1].max(-1)  # the last class is "nothing"
        centres, sizes = output.pred_boxes[0].split(2, 1)
        corners = torch.cat([centres - sizes / 2, centres + sizes / 2], 1).clamp(0, 1)
        names = self._model.config.id2label
        boxes = (
            Box(left, top, right, bottom, names.get(label, "N/A"), chance)
            for (left, top, right, bottom), label, chance in zip(
                corners.tolist(), classes.tolist(), chances.tolist(), strict=True
            )
        )
        return tuple(sorted(boxes, key=lambda box: -box.confidence))


def pixels(picture: Image.Image) -> NDArray[np.float32]:
    """An RGB picture as the network takes it, float32 ``(1, 3, height, width)``."""
    short, long = sorted(picture.size)
    wanted, of = (DETR.short, short) if DETR.short * long <= DETR.long * short else (DETR.long, long)
    width, height = (max(1, side * wanted // of) for side in picture.size)
    resized = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR), np.float32) / 255
    values = (resized - np.array(IMAGENET_MEAN, np.float32)) / np.array(IMAGENET_STD, np.float32)
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


@cache
def _coco_names() -> dict[int, str]:
    names = Path(__file__).with_name("coco_classes.txt").read_text("utf-8").splitlines()
    return dict(enumerate(names))


def _config(transformers: Any, folder: Path) -> Any:
    known = files.read_json(folder / "config.json")
    settings = {"id2label": _coco_names(), **(known if isinstance(known, dict) else {})}
    if (settings.get("backbone_config") or {}).get("model_type") != "resnet":
        settings["backbone_config"] = transformers.ResNetConfig(out_features=["stage4"]).to_dict()
        settings["use_timm_backbone"] = False
    return transformers.DetrConfig.from_dict(settings)


# How transformers calls the parts that timm's ResNet, which the published weights name, calls otherwise.
_TIMM = (
    (r"^conv1\.", "embedder.embedder.convolution."),
    (r"^bn1\.", "embedder.embedder.normalization."),
    (r"\.downsample\.0\.", ".shortcut.convolution."),
    (r"\.downsample\.1\.", ".shortcut.normalization."),
    (r"\.conv(\d)\.", lambda found: f".layer.{int(found[1]) - 1}.convolution."),
    (r"\.bn(\d)\.", lambda found: f".layer.{int(found[1]) - 1}.normalization."),
    (r"^layer(\d)\.(\d)", lambda found: f"encoder.stages.{int(found[1]) - 1}.layers.{found[2]}"),
)
_TRUNK = "model.backbone.conv_encoder.model."


def without_timm(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Published tensors under the names of transformers' own ResNet, so that the package timm is not needed."""
    return {_renamed(name): tensor for name, tensor in state.items()}


def _renamed(name: str) -> str:
    if not name.startswith(_TRUNK):
        return name
    part = name.removeprefix(_TRUNK)
    for old, new in _TIMM:
        part = re.sub(old, new, part)
    return _TRUNK + part
