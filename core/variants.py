"""What a fusion is compared with: it without each of its parts, each part alone, and other models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.crops import cropped
from core.detect import Detector
from core.embed import embed
from core.fusion import LABELS, Fusion
from core.fusion_parts import alone, without
from core.metrics.verification import Verification
from core.models import Model
from core.progress import Progress, silent
from core.records import Dataset
from core.store import EmbeddingStore
from core.verify import verify

CROPPED = "cropped to the subject"
Kind = Literal["whole", "without", "alone", "other"]


@dataclass(frozen=True)
class Variant:
    """Something to be judged beside the whole fusion, on the same images in the same order.

    Attributes:
        name: of the model, or of what was left out.
        kind: ``whole`` for the fusion itself, which comes first; ``alone`` for one part on its own.
        weights: what it adds up.
        val, test: its pairs.
    """

    name: str
    kind: Kind
    weights: Mapping[str, float]
    val: Verification
    test: Verification

    @property
    def label(self) -> str:
        """What it is called in a table."""
        return f"{self.name} alone" if self.kind == "alone" else self.name


def variants_of(
    dataset: Dataset, fusion: Fusion, parts: Fusion, store: EmbeddingStore, others: Sequence[Fusion] = (),
    progress: Progress = silent,
) -> list[Variant]:  # fmt: skip
    """The fusion, it without each of its parts, each part alone, and other models to stand beside them.

    Of two parts, one without the other is the other alone and is not listed twice.

    Args:
        dataset: with validation and test pairs.
        fusion: to be taken apart.
        parts: all that could have been added up; each is judged alone.
        store: holds the vectors.
        others: further fusions, such as the default one.
        progress: called while pairs are compared.

    Raises:
        LikenessError: vectors are missing, or a split lacks pairs.
    """
    named: list[tuple[str, Kind, Model, Mapping[str, float]]] = [(fusion.name, "whole", fusion, fusion.weights)]
    if len(fusion.weights) > 2:
        reduced = [without(fusion, part) for part in fusion.weights]
        named += [(one.name, "without", one, one.weights) for one in reduced]
    named += [(part.backbone.name, "alone", part.backbone, {part.backbone.name: 1.0}) for part in parts.components]
    named += [(LABELS, "alone", alone(parts, LABELS), {LABELS: 1.0})] if parts.labels else []
    named += [(one.name, "other", one, one.weights) for one in others]
    found = []
    for done, (name, kind, model, weights) in enumerate(named):
        progress("Comparing variants", done, len(named))
        val, test = (verify(dataset, model, store, split).verification for split in ("val", "test"))
        found.append(Variant(name, kind, weights, val, test))
    progress("Comparing variants", len(named), len(named))
    return found


def on_crops(
    dataset: Dataset, fusion: Fusion, detector: Detector, store: EmbeddingStore, progress: Progress = silent
) -> Variant:
    """The same fusion where every image is cropped to its subject first.

    Crops are embedded where they have not been: validation and test images only.

    Args:
        dataset: with validation and test pairs.
        fusion: to be asked about crops.
        detector: finds the subjects.
        store: keeps crops and vectors.
        progress: called while images are cropped, embedded and compared.

    Raises:
        LikenessError: a split lacks pairs, or the disk is full.
    """
    judged = dataset.take(np.flatnonzero(dataset.splits != "train"))
    crops = cropped(judged, detector, store, progress)
    embed(crops, fusion.networks, store, progress)
    val, test = (verify(crops, fusion, store, split, progress).verification for split in ("val", "test"))
    return Variant(CROPPED, "other", fusion.weights, val, test)
