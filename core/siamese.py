"""The pair head of a siamese network: it says how probable it is that two vectors are of one class.

It stands in one weights file with its encoder and was trained together with it, on as many pairs of one class as of
two. With its encoder it is a model of its own, beside the cosine of the encoder: it scores pairs, finds images, gets a
threshold and goes into a policy file. It sees what two vectors differ in and what they share, so the order of a pair
is no matter (Koch, Zemel and Salakhutdinov, "Siamese Neural Networks for One-shot Image Recognition", 2015).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from core.backbones import Backbone, BackboneSpec, Vectors
from core.backbones.checkpoint import PAIR_HEAD
from core.errors import LikenessError

Weights = NDArray[np.float32]
_NUMBERS_AT_ONCE = 1 << 17  # 512 KB of float32, so that what is worked on stays near the processor


@dataclass(frozen=True, eq=False)
class PairHead:
    """Two layers on what two vectors of ``d`` dimensions and length 1 differ in and share.

    The score is ``1 / (1 + exp(-logit))`` of ``logit = output . max(0, hidden . x + hidden_bias) + output_bias``, where
    ``x`` is ``sqrt(d) |a - b|`` followed by ``d a b``.

    Attributes:
        hidden: float32 ``(h, 2 d)``.
        hidden_bias: float32 ``(h,)``.
        output: float32 ``(1, h)``.
        output_bias: float32 ``(1,)``.
    """

    hidden: Weights
    hidden_bias: Weights
    output: Weights
    output_bias: Weights

    @classmethod
    def read(cls, path: Path, dim: int) -> PairHead:
        """The head in a weights file, for vectors of ``dim`` dimensions.

        Raises:
            LikenessError: the file cannot be read, or holds no such head.
        """
        names = {name: f"{PAIR_HEAD}{layer}" for name, layer in _LAYERS.items()}
        try:
            with safe_open(path, framework="numpy") as file:
                held = set(file.keys())
                found = {name: file.get_tensor(tensor) for name, tensor in names.items() if tensor in held}
        except (OSError, SafetensorError, ValueError) as error:
            raise LikenessError(f"{path} cannot be read as safetensors: {error}. Train this model again.") from error
        if missing := [names[name] for name in names if name not in found]:
            raise LikenessError(f"{path} holds no head that scores pairs: {missing[0]} is missing. Train it again.")
        units = found["hidden_bias"].size
        shapes = {"hidden": (units, 2 * dim), "hidden_bias": (units,), "output": (1, units), "output_bias": (1,)}
        for name, shape in shapes.items():
            if found[name].dtype != np.float32 or found[name].shape != shape or not np.isfinite(found[name]).all():
                raise LikenessError(
                    f"{names[name]} of {path} is {found[name].dtype} of shape {found[name].shape}: the head that "
                    f"scores pairs of {dim} dimensions needs finite float32 numbers of shape {shape}. Train it again."
                )
        return cls(**found)

    def __call__(self, a: Weights, b: Weights) -> NDArray[np.float64]:
        """Scores of pairs of vectors, row by row, shapes ``(..., d)``: what a pair has wherever one pair is looked at.

        Summed in float64 and one unit at a time, so that they do not depend on how many pairs are asked for at once.
        """
        left, right = a.astype(np.float64), b.astype(np.float64)
        dim = left.shape[-1]
        seen = np.concatenate([math.sqrt(dim) * np.abs(left - right), dim * left * right], axis=-1)
        units = np.empty((*seen.shape[:-1], len(self.hidden)))
        for unit, weights in enumerate(self.hidden):
            units[..., unit] = (seen * weights).sum(axis=-1)
        active = np.maximum(units + self.hidden_bias, 0)
        return _sigmoid((active * self.output[0]).sum(axis=-1) + self.output_bias[0])

    def against(self, vector: Weights, others: Weights) -> Weights:
        """Scores of one vector, ``(d,)``, with each of many, ``(n, d)``: float32 ``(n,)``, fast.

        They may differ from those of single pairs in the last bits.
        """
        differing, shared = self._parts
        shared = vector[:, None] * shared  # so that a product with the others is one with what both share
        scores = np.empty(len(others), np.float32)
        step = max(1, _NUMBERS_AT_ONCE // others.shape[1])
        for start in range(0, len(others), step):
            part = others[start : start + step]
            apart = part - vector
            units = np.abs(apart, out=apart) @ differing
            units += part @ shared
            units += self.hidden_bias
            logits = np.maximum(units, 0, out=units) @ self.output[0] + self.output_bias
            scores[start : start + step] = _sigmoid(logits)
        return scores

    @cached_property
    def _parts(self) -> tuple[Weights, Weights]:
        """The weights of what differs and of what is shared, with the scales of both, float32 ``(d, h)`` each."""
        dim = self.hidden.shape[1] // 2
        differing, shared = self.hidden[:, :dim].T, self.hidden[:, dim:].T
        scale = np.float32(math.sqrt(dim))
        return np.ascontiguousarray(scale * differing), np.ascontiguousarray(np.float32(dim) * shared)


_LAYERS = {"hidden": "0.weight", "hidden_bias": "0.bias", "output": "2.weight", "output_bias": "2.bias"}


def _sigmoid(logits: NDArray[Any]) -> NDArray[Any]:
    return 0.5 * (1 + np.tanh(0.5 * logits))  # the same function, and it does not overflow


@dataclass(frozen=True)
class Siamese:
    """A scorer of pairs: an encoder, and the head in its weights file. Scores are probabilities, in [0, 1].

    Attributes:
        encoder: a checkpoint whose record says that it has a head.
    """

    encoder: Backbone

    @property
    def name(self) -> str:
        """The encoder's, and what it does."""
        return f"{self.encoder.name}_pairs"

    @property
    def networks(self) -> tuple[Backbone, ...]:
        """What has to be run on an image."""
        return (self.encoder,)

    @cached_property
    def fingerprint(self) -> str:
        """32 hexadecimal digits; the encoder's covers the head too, which is in the same file."""
        return hashlib.sha256(f"pair head {self.encoder.fingerprint}".encode()).hexdigest()[:32]

    @cached_property
    def spec(self) -> BackboneSpec:
        """What is said of it beside other models."""
        encoder = self.encoder.spec
        return replace(encoder, name=self.name, source="pair head", layer=f"pair head on {encoder.layer}")

    @cached_property
    def head(self) -> PairHead:
        """Read when it is first needed; raises as :meth:`PairHead.read`."""
        return PairHead.read(self.encoder.weights.path, self.encoder.spec.dim)

    def score(self, a: Vectors, b: Vectors) -> float:
        """The similarity of two images from their vectors, by network name; higher is more alike."""
        return float(self.head(a[self.encoder.name], b[self.encoder.name]))

    def as_json(self) -> dict[str, Any]:
        """What a file says of it: the encoder, in whose weights file the head is."""
        return self.encoder.as_json()


def pair_scorers(known: Mapping[str, Backbone]) -> dict[str, Siamese]:
    """The pair heads of backbones, by name; reads no weights. A backbone that has such a name itself comes first."""
    found = (Siamese(backbone) for backbone in known.values() if backbone.spec.pair_head)
    return {scorer.name: scorer for scorer in found if scorer.name not in known}
