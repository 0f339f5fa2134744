"""What can be added up for a dataset: its models on one scale, and label match; and a fusion's parts taken singly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core import label_groups
from core.backbones import Backbone
from core.default_fusion import label_part
from core.errors import LikenessError
from core.fusion import LABELS, Component, Fusion, LabelPart, reweighted
from core.labelling import NO_CLASSIFIER
from core.normalise import fit
from core.progress import Progress, silent
from core.records import Dataset
from core.store import EmbeddingStore
from core.verify import verify

NAME = "equal weights"


def fusion_of(
    dataset: Dataset, backbones: Sequence[Backbone], store: EmbeddingStore, method: str,
    classifier: Backbone | None = None, progress: Progress = silent,
) -> Fusion:  # fmt: skip
    """All that can be added up, with equal weights, to be weighed by hand or by :mod:`core.fusing`.

    Args:
        dataset: with validation pairs of both kinds.
        backbones: that have embedded it.
        store: holds their vectors.
        method: of :data:`core.normalise.METHODS`, fitted on validation pairs.
        classifier: whose labels are compared; None for no labels. :func:`why_no_labels` says why they are left out.
        progress: called while pairs are compared.

    Raises:
        LikenessError: there are no two parts, vectors are missing, or the split lacks pairs.
    """
    labels = label_part(dataset, store, 1.0, classifier) if classifier else None
    share = 1 / max(1, len(backbones) + (labels is not None))
    if not backbones or share == 1:
        raise LikenessError(
            "A fusion adds up at least two parts: embed the images with another model, or let labels take part."
        )
    parts = tuple(
        Component(one, fit(verify(dataset, one, store, "val", progress).verification, method), share)
        for one in backbones
    )
    return Fusion(NAME, parts, LabelPart(labels.classifier, labels.groups, share) if labels else None, NAME)


def why_no_labels(dataset: Dataset, classifier: Backbone | None, store: EmbeddingStore) -> str | None:
    """Why label match can have no part, and what to do about it; None where it can."""
    if classifier is None:
        return NO_CLASSIFIER
    try:
        label_groups.learn(dataset, classifier, store)
    except LikenessError as error:
        return str(error)
    return None


def alone(fusion: Fusion, part: str) -> Fusion:
    """One part of a fusion with all the weight: a model's normalised score, or 1 for equal labels and 0 for others."""
    if part != LABELS:
        return reweighted(fusion, {part: 1.0}, part)
    assert fusion.labels is not None
    first = replace(fusion.components[0], weight=0.0)  # a fusion has a model in any case; this one has no say
    return Fusion(part, (first,), replace(fusion.labels, weight=1.0))


def without(fusion: Fusion, part: str) -> Fusion:
    """A fusion less one of its parts, of at least two with a weight; the others keep their proportions."""
    kept = {name: weight for name, weight in fusion.weights.items() if name != part and weight}
    return alone(fusion, LABELS) if set(kept) == {LABELS} else reweighted(fusion, kept, f"without {part}")
