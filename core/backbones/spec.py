"""What a backbone is: one frozen record, no code."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, Protocol

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

Source = Literal["torchvision", "transformers", "bundled", "checkpoint", "fusion", "pair head"]
Output = Literal["features", "classes", "places"]


@dataclass(frozen=True)
class Preprocessing:
    """From an RGB picture to the network's input.

    The picture's shorter side becomes ``resize`` pixels (both sides when ``squash``), the middle ``crop`` x ``crop``
    pixels are kept, and each channel becomes ``(x / 255 - mean) / std``.
    """

    resize: int
    crop: int
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    squash: bool = False
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD

    @property
    def geometry(self) -> Preprocessing:
        """The part done to pixels on the CPU; backbones that share it share the pixels."""
        return Preprocessing(self.resize, self.crop, self.interpolation, self.squash)


class Published(Protocol):
    """What a record says of where its weights are; the attributes are those of :class:`BackboneSpec`."""

    @property
    def name(self) -> str: ...
    @property
    def source(self) -> Source: ...
    @property
    def files(self) -> tuple[str, ...]: ...
    @property
    def origin(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def weights_name(self) -> str: ...


@dataclass(frozen=True)
class BackboneSpec:
    """A feature extractor: an architecture, where its weights come from and how its input is prepared.

    Attributes:
        name: what the user calls it.
        family: for grouping and colours, such as ``ResNet``.
        source: which loader builds it.
        architecture: the loader's own name for it.
        dim: length of the feature vector.
        parameters: number of weights of the whole published network, head included.
        size_mb: size of the published weights file, in megabytes (10^6 bytes).
        layer: which activation is the feature, in words.
        preprocessing: exactly that of the published weights.
        pretraining: data and kind of training.
        licence: of the weights.
        files: names under which the weights may lie in a folder, the official one first.
        origin: where the weights are published: an address, a hub id or a package name.
        sha256: what the weights file's SHA-256 must start with; empty where the publisher names none.
        output: what the vector holds: the ``features`` before the head, or what the head makes of them, see
            :mod:`core.backbones.heads`.
        base: the backbone whose weights file this one uses; empty for one with its own.
        pair_head: whether the weights file also holds a head that scores pairs, see :mod:`core.siamese`.
    """

    name: str
    family: str
    source: Source
    architecture: str
    dim: int
    parameters: int
    size_mb: float
    layer: str
    preprocessing: Preprocessing
    pretraining: str
    licence: str
    files: tuple[str, ...]
    origin: str
    sha256: str = ""
    output: Output = "features"
    base: str = ""
    pair_head: bool = False

    @property
    def weights_name(self) -> str:
        """The name its weights go by in a folder of local checkpoints."""
        return self.base or self.name

    @property
    def identity(self) -> dict[str, object]:
        """What, together with the weights' checksum, decides a vector: architecture, layer and preprocessing."""
        architecture = f"{self.source}/{self.architecture}"
        return {"architecture": architecture, "layer": self.layer, "preprocessing": asdict(self.preprocessing)}
