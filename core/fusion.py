"""A fusion: a weighted sum of the normalised scores of several models, and of whether two images have the same label.

It stands wherever a model does: it has a name and a fingerprint, scores pairs, finds images, gets a threshold and goes
into a policy file.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.backbones import CLASSIFIERS, Backbone, BackboneSpec, Vectors, all_specs, missing_reason
from core.classify import probabilities
from core.errors import LikenessError
from core.label_groups import LabelGroups
from core.metrics.grid import similarity, to_bins
from core.normalise import Normaliser
from core.normalise import from_json as normaliser_from_json

LABELS = "label match"


@dataclass(frozen=True)
class Component:
    """A model's part: its normalised score times ``weight``."""

    backbone: Backbone
    normaliser: Normaliser
    weight: float

    @cached_property
    def table(self) -> NDArray[np.float32]:
        """What it adds to the score, for every bin of the grid: float32 ``(BINS,)``."""
        return np.asarray(self.normaliser.table * np.float32(self.weight))


@dataclass(frozen=True)
class LabelPart:
    """The labels' part: ``weight`` where the classifier puts both images into one group, else nothing."""

    classifier: Backbone
    groups: LabelGroups
    weight: float


@dataclass(frozen=True)
class Fusion:
    """A named scorer; its scores lie in [0, 1].

    Attributes:
        name: what the user calls it.
        components: the models' parts.
        labels: the labels' part, or None.
        origin: where the weights come from, in words.

    Raises:
        LikenessError: a weight is negative or not finite, they do not add up to 1, or a model has two parts.
    """

    name: str
    components: tuple[Component, ...]
    labels: LabelPart | None = None
    origin: str = ""

    def __post_init__(self) -> None:
        given = list(self.weights.values())
        if not all(math.isfinite(weight) and weight >= 0 for weight in given) or abs(sum(given) - 1) > 1e-6:
            raise LikenessError(
                f"The weights of a fusion are numbers of at least 0 that add up to 1, not {', '.join(map(str, given))}."
            )
        if len({part.backbone.name for part in self.components}) < len(self.components) or not self.components:
            raise LikenessError("A fusion has one part for each of its models, and at least one.")

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each part, by the model's name or :data:`LABELS`."""
        found = {part.backbone.name: part.weight for part in self.components}
        return found | ({LABELS: self.labels.weight} if self.labels else {})

    @property
    def networks(self) -> tuple[Backbone, ...]:
        """What has to be run on an image: the models, then the classifier."""
        models = tuple(part.backbone for part in self.components)
        return (*models, self.labels.classifier) if self.labels else models

    @cached_property
    def fingerprint(self) -> str:
        """32 hexadecimal digits over everything that decides a score; the name does not count."""
        content = {key: value for key, value in self.as_json().items() if key not in ("name", "origin")}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]

    @cached_property
    def spec(self) -> BackboneSpec:
        """What is said of it beside other models: sizes are those of all its networks together."""
        specs = [network.spec for network in self.networks]
        return BackboneSpec(
            name=self.name,
            family="Fusion",
            source="fusion",
            architecture="weighted sum",
            dim=sum(spec.dim for spec in specs),
            parameters=sum(spec.parameters for spec in specs),
            size_mb=round(sum(spec.size_mb for spec in specs), 1),
            layer=", ".join(f"{weight:.2f} {name}" for name, weight in self.weights.items()),
            preprocessing=specs[0].preprocessing,
            pretraining="; ".join(dict.fromkeys(spec.pretraining for spec in specs)),
            licence="; ".join(dict.fromkeys(spec.licence for spec in specs)),
            files=(),
            origin=self.origin,
        )

    def score(self, a: Vectors, b: Vectors) -> float:
        """The similarity of two images from their vectors, by network name; higher is more alike."""
        return sum(self.contributions(a, b).values())

    def contributions(self, a: Vectors, b: Vectors) -> dict[str, float]:
        """What each part adds to the score of two images, from their vectors by network name; the sum is the score."""
        # In single precision, as in tables of scores, so that a pair scores the same wherever it is looked at.
        found = {
            part.backbone.name: float(part.table[to_bins(similarity(a[part.backbone.name], b[part.backbone.name]))])
            for part in self.components
        }
        if self.labels:
            name = self.labels.classifier.name
            match = self.labels.groups.match(probabilities(a[name]), probabilities(b[name]))
            found[LABELS] = float(np.float32(self.labels.weight)) * match.group
        return found

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values that :func:`from_json` reads."""
        parts = [
            {"model": p.backbone.as_json(), "weight": p.weight, "normaliser": p.normaliser.as_json()}
            for p in self.components
        ]
        labels = None if self.labels is None else {
            "classifier": self.labels.classifier.as_json(), "groups": self.labels.groups.as_json(),
            "weight": self.labels.weight,
        }  # fmt: skip
        return {"name": self.name, "components": parts, "labels": labels, "origin": self.origin}


def from_json(content: object, known: Mapping[str, Backbone]) -> Fusion:
    """Read what ``as_json`` gave.

    Args:
        content: plain JSON values.
        known: the backbones and classifiers of this machine by name.

    Raises:
        LikenessError: it is damaged, or a model is not here or is another than the one it was made with.
    """
    try:
        fields = dict(content)  # type: ignore[call-overload]
        parts = tuple(
            Component(matching(part["model"], known), normaliser_from_json(part["normaliser"]), float(part["weight"]))
            for part in fields["components"]
        )
        labels = fields["labels"]
        if labels is not None:
            classifier, groups = matching(labels["classifier"], known), LabelGroups.from_json(labels["groups"])
            labels = LabelPart(classifier, groups, float(labels["weight"]))
        return Fusion(str(fields["name"]), parts, labels, str(fields.get("origin", "")))
    except (KeyError, TypeError, ValueError) as error:
        raise LikenessError("This is no fusion of models, or a damaged one. Make it again.") from error


def matching(wanted: Mapping[str, Any], known: Mapping[str, Backbone]) -> Backbone:
    """The model of this machine that :meth:`core.backbones.Backbone.as_json` spoke of.

    Raises:
        LikenessError: it cannot run here, or the one here is another; the message says which parts differ.
    """
    name = str(wanted["name"])
    backbone = known.get(name)
    if backbone is None:
        spec = {**all_specs(), **CLASSIFIERS}.get(name)
        reason = (missing_reason(spec) or "") if spec else "No model of this name is known here."
        raise LikenessError(f"It was made with {name}, which cannot run here. {reason}")
    if backbone.fingerprint != wanted["fingerprint"]:
        here = json.loads(json.dumps(backbone.as_json()))
        differing = [key for key, value in here.items() if key != "fingerprint" and value != wanted.get(key)]
        raise LikenessError(
            f"It was made with another {name}: its {' and '.join(differing) or 'fingerprint'} differ from those here, "
            "so its numbers mean nothing for this one. Get the same weights, or make it anew."
        )
    return backbone


def reweighted(fusion: Fusion, weights: Mapping[str, float], name: str, origin: str = "") -> Fusion:
    """The same parts with other weights, which are scaled to add up to 1; parts without weight are left out.

    Raises:
        LikenessError: no model has a weight.
    """
    total = sum(weights.values())
    if not total or not any(weights.get(part.backbone.name, 0) for part in fusion.components):
        raise LikenessError("Give at least one model of the fusion a weight above 0.")
    shares = {key: weight / total for key, weight in weights.items()}
    kept = tuple(
        Component(part.backbone, part.normaliser, shares[part.backbone.name])
        for part in fusion.components
        if shares.get(part.backbone.name)
    )
    labels = fusion.labels
    share = shares.get(LABELS, 0.0)
    return Fusion(name, kept, LabelPart(labels.classifier, labels.groups, share) if labels and share else None, origin)
