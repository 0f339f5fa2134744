"""Which regions of two images agree, in the eyes of one model.

>>> from core.evidence import LocalFeatures, evidence, overlay  # doctest: +SKIP
>>> look = LocalFeatures.open(backbone)  # doctest: +SKIP
>>> found = evidence(look(one), look(other))  # doctest: +SKIP
>>> overlay(one, found.heats[0], backbone.spec.preprocessing).show()  # doctest: +SKIP
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.backbones import Backbone, Preprocessing
from core.errors import LikenessError
from core.preprocess import seen_box, to_pixels

if TYPE_CHECKING:
    from core.backbones.local_features import LocalRunner

Map = NDArray[np.float32]

SHARES = (
    "What each region adds to the score. The regions of an image add up to exactly the score. No colour: it adds "
    "nothing, or takes away. Full colour: twice what a region adds on average when an image is compared with itself."
)
BEST_MATCHES = (
    "How much each region resembles the region most like it in the other image (cosine). This model scores images by a "
    "token that gathers from all regions, so the regions illustrate the score and do not add up to it. No colour: "
    "as like as two regions of these images are on average. Full colour: identical."
)

_TINY = 1e-12  # torch's own floor under a length that it divides by
# Colours and their opacity. Amber over grey differs in lightness as well as in hue, which every eye can tell: on any
# grey from black to white, a fifth of the way from no heat to full is 6 to 9 steps of L*.
_WARM, _SHADE, _VEIL = ((255, 176, 0), 0.6), ((40, 40, 40), 0.6), ((128, 128, 128), 0.85)
_SMOOTH = Image.Resampling.BILINEAR


@dataclass(frozen=True)
class FeatureMap:
    """What a model finds in one image.

    Attributes:
        local: features of each region, float32 ``(rows, columns, dim)``, from the top left of what the model saw.
        vector: of the whole image, float32 ``(dim,)``, not of unit length.
        averages: whether the vector is the mean of the local features.
    """

    local: NDArray[np.float32]
    vector: NDArray[np.float32]
    averages: bool


@dataclass(frozen=True)
class LocalFeatures:
    """A loaded network that tells what it finds in each region of a picture. Safe to call from several threads."""

    backbone: Backbone
    _run: LocalRunner

    @classmethod
    def open(cls, backbone: Backbone) -> LocalFeatures:
        """Load a network; it runs in torch, on the CPU.

        Raises:
            LikenessError: the weights do not fit the architecture.
        """
        from core.backbones.local_features import LocalRunner

        return cls(backbone, LocalRunner(backbone.spec, backbone.weights))

    def __call__(self, picture: Image.Image) -> FeatureMap:
        """The features of an upright RGB picture, decoded for the models by :func:`core.images.decode`."""
        local, vector = self._run(to_pixels(picture, self.backbone.spec.preprocessing))
        return FeatureMap(local, vector, self._run.averages)


@dataclass(frozen=True)
class EvidencePair:
    """Where two images agree.

    Attributes:
        a: evidence in each region of the first image, float32 ``(rows, columns)``; higher is more alike.
        b: the same of the second.
        score: the model's score of the pair, the cosine of their vectors.
        method: what the numbers and their colours mean, in plain words.
        limits: the evidence drawn without colour, and in full colour; comparable between pairs.
    """

    a: Map
    b: Map
    score: float
    method: str
    limits: tuple[float, float]

    @property
    def heats(self) -> tuple[Map, Map]:
        """Both maps for drawing, from 0 at the lower limit and below to 1 at the upper and above."""
        low, high = self.limits
        span = max(high - low, _TINY)
        first, second = (np.clip((values - low) / span, 0, 1, dtype=np.float32) for values in (self.a, self.b))
        return first, second


def evidence(a: FeatureMap, b: FeatureMap) -> EvidencePair:
    """Which regions of two images agree.

    Where a vector is the mean of local features, the cosine of two vectors is a sum over the regions of either image:
    region ``i`` of the first adds ``<a_i, b> / (regions |a| |b|)`` (Stylianou, Souvenir and Pless, *Visualizing Deep
    Similarity Networks*, arXiv 1901.00536). Elsewhere a region's evidence is the highest cosine of its features with
    those of any region of the other image.

    Raises:
        LikenessError: the features are of different models.
    """
    if a.averages != b.averages or a.local.shape != b.local.shape:
        raise LikenessError(
            f"Features of {a.local.shape} and {b.local.shape} come from different models: take one model for both."
        )
    one, other = _unit(a.vector), _unit(b.vector)
    score = float(one @ other)
    if a.averages:
        regions = a.local.shape[0] * a.local.shape[1]
        return EvidencePair(_shares(a, other), _shares(b, one), score, SHARES, (0.0, 2 / regions))
    cosines = np.tensordot(_unit(a.local), _unit(b.local), (2, 2)).astype(np.float32)
    usual = min(float(cosines.mean()), 1.0)
    return EvidencePair(cosines.max((2, 3)), cosines.max((0, 1)), score, BEST_MATCHES, (usual, 1.0))


def _shares(features: FeatureMap, other: NDArray[np.float64]) -> Map:
    rows, columns, _ = features.local.shape
    length = max(float(np.linalg.norm(features.vector)), _TINY)
    shares: Map = (features.local @ other / (rows * columns * length)).astype(np.float32)
    return shares


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    unit = vectors.astype(np.float64)
    unit /= np.maximum(np.linalg.norm(unit, axis=-1, keepdims=True), _TINY)
    return unit


def overlay(picture: Image.Image, heat: Map, preprocessing: Preprocessing) -> Image.Image:
    """A picture in grey with warm colour where there is evidence, shade where there is none.

    A veil and a frame show what the model did not see.

    Args:
        picture: upright, RGB, of any size: the evidence is laid where it belongs.
        heat: from 0 to 1, ``(rows, columns)``, over the part that the model saw.
        preprocessing: that of the model.

    Returns:
        A new RGB picture of the same size.
    """
    left, top, right, bottom = (round(edge) for edge in seen_box(picture.size, preprocessing))
    box = left, top, max(right, left + 1), max(bottom, top + 1)
    grey = picture.convert("L").convert("RGB")
    seen = grey.crop(box)
    mask = Image.fromarray((np.clip(heat, 0, 1) * 255).round().astype(np.uint8))
    drawn = _under(_VEIL, grey)
    drawn.paste(Image.composite(_under(_WARM, seen), _under(_SHADE, seen), mask.resize(seen.size, _SMOOTH)), box)
    if seen.size != grey.size and min(seen.size) > 2:  # a frame needs room
        frame = left, top, box[2] - 1, box[3] - 1
        ImageDraw.Draw(drawn).rectangle(frame, outline="white", width=max(1, min(picture.size) // 200))
    return drawn


def _under(tint: tuple[tuple[int, int, int], float], picture: Image.Image) -> Image.Image:
    colour, opacity = tint
    return Image.blend(picture, Image.new("RGB", picture.size, colour), opacity)
