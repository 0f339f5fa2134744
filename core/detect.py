"""Finding the subject of a picture, so that two photos are compared by what they show and not by where.

DETR finds it where its weights are on this machine. Elsewhere the box is drawn around the places that speak for what a
classifier sees (class activation maps: Zhou et al., CVPR 2016, arXiv 1512.04150): coarser, but nothing to fetch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import isqrt
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.backbones import Backbone, Runner, weights
from core.backbones.classifiers import CLASSES, class_names, localiser
from core.backbones.detr import DETR, Detr
from core.boxes import Box, subject
from core.classify import classifiers
from core.errors import LikenessError
from core.preprocess import to_pixels

MIN_CONFIDENCE = 0.7
MARGIN = 0.05
# DETR looks at pictures of about this many pixels on their shorter side: decode them no smaller.
WORKING_SIDE = DETR.short
# The map is cut at this share of its highest point; chosen by eye and on products laid on plain grounds, where 0.2
# took in too much around small ones and 0.5 cut off parts.
_CUT = 0.3
# On pictures of nothing the best class stays below this probability.
_LEAST = 0.05
_FINE = 96


@dataclass(frozen=True)
class Detection:
    """What was found in a picture.

    Attributes:
        boxes: the objects that were found, the surest first.
        crop: the subject with a margin; None for the whole picture.
        method: what found it.
        note: one sentence for people: what the crop is, or why it is the whole picture.
    """

    boxes: tuple[Box, ...]
    crop: Box | None
    method: Literal["detr", "activation map", "none"]
    note: str


class Detector(Protocol):
    """Finds the subject of an upright RGB picture. ``fingerprint`` covers everything that decides the answer."""

    @property
    def fingerprint(self) -> str:
        """32 hexadecimal digits."""
        ...

    def __call__(self, picture: Image.Image) -> Detection:
        """What is in the picture; never fails for want of anything in it."""
        ...


def load_detector(*, offline: bool = True, min_confidence: float = MIN_CONFIDENCE, margin: float = MARGIN) -> Detector:
    """The best detector of this machine: DETR, else activation maps, whose notes say why it is not DETR.

    Args:
        offline: never download DETR's weights.
        min_confidence: objects that DETR is less sure of are passed over.
        margin: how far the crop reaches beyond the subject on each side, as a share of its size.

    Raises:
        LikenessError: there is nothing to detect with; the message says what to get.
    """
    try:
        file = weights.fetch(DETR, offline=offline)
        return DetrDetector(Detr(file), file.sha256, min_confidence, margin)
    except LikenessError as error:
        return _activation_maps(str(error), margin)


@dataclass(frozen=True)
class DetrDetector:
    """DETR's subject: the largest animal, or the largest object where there is no animal."""

    network: Callable[[Image.Image], tuple[Box, ...]]
    sha256: str
    min_confidence: float
    margin: float

    @property
    def fingerprint(self) -> str:
        """See :class:`Detector`."""
        return _digest([asdict(DETR), self.sha256, self.min_confidence, self.margin])

    def __call__(self, picture: Image.Image) -> Detection:
        """See :class:`Detector`."""
        boxes = tuple(box for box in self.network(picture) if box.confidence >= self.min_confidence)
        found = subject(boxes)
        if found is None:
            note = f"No object was found with a confidence of {self.min_confidence:.0%} or more: the whole picture."
            return Detection((), None, "none", note)
        note = f"The subject is the {found.label}, found with a confidence of {found.confidence:.0%}."
        return Detection(boxes, found.widened(self.margin), "detr", note)


@dataclass(frozen=True)
class MapDetector:
    """The part of a picture that speaks for what a classifier sees; ``because`` is why there is no better detector."""

    localiser: Backbone
    runner: Runner
    margin: float
    because: str

    @property
    def fingerprint(self) -> str:
        """See :class:`Detector`."""
        return _digest([self.localiser.fingerprint, _CUT, _LEAST, _FINE, self.margin])

    def __call__(self, picture: Image.Image) -> Detection:
        """See :class:`Detector`."""
        pixels = to_pixels(picture, self.localiser.spec.preprocessing)
        shares = np.square(self.runner(pixels[None])[0]).reshape(CLASSES, -1)
        best, chance = int(shares.sum(1).argmax()), float(shares.sum(1).max())
        if chance < _LEAST:
            return Detection((), None, "none", f"Nothing was recognised: the whole picture. {self.because}")
        side = isqrt(shares.shape[1])
        box = Box(*brightest_region(shares.sum(0).reshape(side, side)), class_names()[best], chance)
        note = f"The box is where {box.label} ({chance:.0%}) is seen, by an activation map. {self.because}"
        return Detection((box,), box.widened(self.margin), "activation map", note)


def brightest_region(brightness: NDArray[np.float32]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom, in fractions, of the largest connected region of a map's high places, ``(h, w)``."""
    from scipy import ndimage

    fine = np.asarray(Image.fromarray(brightness).resize((_FINE, _FINE), Image.Resampling.BILINEAR))
    regions, _ = ndimage.label(fine >= _CUT * fine.max())
    largest = np.bincount(regions[regions > 0]).argmax()
    rows, columns = ndimage.find_objects(regions)[largest - 1]
    return columns.start / _FINE, rows.start / _FINE, columns.stop / _FINE, rows.stop / _FINE


def _activation_maps(because: str, margin: float) -> Detector:
    for classifier in classifiers():
        spec = localiser(classifier.spec)
        if spec is not None:
            backbone = Backbone(spec, classifier.weights)
            return MapDetector(backbone, backbone.load(), margin, because)
    raise LikenessError(f"There is nothing to detect objects with. {because} Or: pip install -r requirements.txt.")


def _digest(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
