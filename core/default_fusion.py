"""The fusion that is used while nobody has made a better one: the weights of earlier work, where its models are here.

That work added 0.6 of a fine-tuned MobileNetV2, 0.3 of CLIP and 0.1 for two equal labels. Where a model is missing
another takes its place, and the fusion's ``origin`` says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core import label_groups
from core.backbones import Backbone
from core.classify import default_classifier
from core.errors import LikenessError
from core.fusion import LABELS, Component, Fusion, LabelPart
from core.normalise import fit
from core.records import Dataset
from core.store import EmbeddingStore
from core.verify import verify

NAME = "default fusion"
METHOD = "min-max"
_PUBLISHED = (0.6, 0.3, 0.1)
# Who stands in for MobileNetV2, and who for CLIP, best first.
_NETWORKS = ("mobilenet_v2", "efficientnet_lite2", "efficientnet_lite1", "efficientnet_lite0", "efficientnet_b0",
             "mobilenet_v3_large", "resnet50", "resnet18")  # fmt: skip
_TRANSFORMERS = ("clip_vit_b32", "dinov2_small", "vit_b16", "swin_t", "convnext_tiny")


def default_fusion(
    dataset: Dataset, models: Sequence[Backbone], store: EmbeddingStore, classifier: Backbone | None = None
) -> Fusion:
    """The default fusion of some models, fitted on a dataset's validation pairs.

    Args:
        dataset: with validation pairs of both kinds.
        models: that have embedded it, at least one.
        store: holds their vectors.
        classifier: whose labels are compared, if it has seen the dataset's images; None for the default one.

    Raises:
        LikenessError: there is no model, or the split lacks pairs.
    """
    if not models:
        raise LikenessError("No model has embedded these images, so there is nothing to add up. Embed them first.")
    known = {model.name: model for model in models}
    first = _first(known, models)
    rest = {name: model for name, model in known.items() if name != first.name}
    second = next((rest[name] for name in (*_TRANSFORMERS, *_NETWORKS, *rest) if name in rest), None)
    labels = label_part(dataset, store, _PUBLISHED[2], classifier)
    given = {first.name: _PUBLISHED[0]} | ({second.name: _PUBLISHED[1]} if second else {})
    given |= {LABELS: _PUBLISHED[2]} if labels else {}
    shares = {name: weight / sum(given.values()) for name, weight in given.items()}
    parts = tuple(
        Component(one, fit(verify(dataset, one, store, "val").verification, METHOD), shares[one.name])
        for one in (first, second) if one
    )  # fmt: skip
    labels = LabelPart(labels.classifier, labels.groups, shares[LABELS]) if labels else None
    return Fusion(NAME, parts, labels, _origin(shares, first, second))


def label_part(
    dataset: Dataset, store: EmbeddingStore, weight: float, classifier: Backbone | None = None
) -> LabelPart | None:
    """Label match with a mapping learned from the training images; None where the classifier has not seen them."""
    classifier = classifier or default_classifier()
    if classifier is None or not set(dataset.ids.tolist()) <= store.keys(classifier.fingerprint):
        return None
    try:
        return LabelPart(classifier, label_groups.learn(dataset, classifier, store), weight)
    except LikenessError:  # no training images
        return None


def _first(known: Mapping[str, Backbone], models: Sequence[Backbone]) -> Backbone:
    """A fine-tuned MobileNetV2, or who stands in for it."""
    tuned = (one for one in models if one.spec.source == "checkpoint" and one.spec.architecture == "mobilenet_v2")
    return next(tuned, next((known[name] for name in _NETWORKS if name in known), models[0]))


def _origin(shares: Mapping[str, float], first: Backbone, second: Backbone | None) -> str:
    weights = " + ".join(f"{share:.2f} {name}" for name, share in shares.items())
    missing = [
        *([] if first.spec.source == "checkpoint" else ["fine-tuned MobileNetV2"]),
        *([] if second and second.name == "clip_vit_b32" else ["CLIP"]),
        *([] if LABELS in shares else ["labels"]),
    ]
    published = "0.60 fine-tuned MobileNetV2 + 0.30 CLIP + 0.10 label match"
    return weights if not missing else f"{weights}, in place of {published} (not here: {', '.join(missing)})"
