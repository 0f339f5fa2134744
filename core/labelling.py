"""Who says what is in a picture, and whether two are of one label: by ImageNet's classes, and in a dataset's terms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core import label_groups
from core.backbones import Backbone
from core.classify import default_classifier
from core.errors import LikenessError
from core.fusion import Fusion
from core.label_groups import LabelGroups
from core.models import Model
from core.records import Dataset
from core.store import EmbeddingStore

NO_CLASSIFIER = "No weights of an ImageNet classifier are on this machine. Run: python -m core doctor"


@dataclass(frozen=True)
class Labelling:
    """Who gives labels, and how they become groups.

    Attributes:
        classifier: None where there is none.
        groups: the mapping to a dataset's classes; None where it is not known.
        missing: why either is missing and what to do; empty where both are here.
    """

    classifier: Backbone | None
    groups: LabelGroups | None
    missing: str


@dataclass(frozen=True)
class LabelAnswer:
    """Whether two images have the same label: the same ImageNet class, and the same group; None without groups.

    ``groups`` are those of the two images.
    """

    exact: bool
    group: bool | None
    groups: tuple[str, str] | None


def labelling(model: Model, dataset: Dataset | None, store: EmbeddingStore) -> Labelling:
    """Who gives labels beside a model: whoever does so inside it, or the best classifier of this machine.

    Args:
        model: what decides.
        dataset: whose classes the groups are, learned from its training images; None where there is none.
        store: holds what the classifier said of them.
    """
    if isinstance(model, Fusion) and model.labels:
        return Labelling(model.labels.classifier, model.labels.groups, "")
    classifier = default_classifier()
    if classifier is None:
        return Labelling(None, None, f"There are no labels. {NO_CLASSIFIER}")
    if dataset is None:
        return Labelling(classifier, None, f"Labels match exactly or not at all: {model.name} knows no groups of them.")
    try:
        return Labelling(classifier, label_groups.learn(dataset, classifier, store), "")
    except LikenessError as error:
        return Labelling(classifier, None, f"Labels match exactly or not at all, for want of groups. {error}")


def match_labels(
    a: NDArray[np.float32] | None, b: NDArray[np.float32] | None, groups: LabelGroups | None
) -> LabelAnswer | None:
    """Whether two images have the same label, from the ImageNet class probabilities of each, ``(1000,)``.

    None where those are not known.
    """
    if a is None or b is None:
        return None
    exact = bool(a.argmax() == b.argmax())
    if groups is None:
        return LabelAnswer(exact, None, None)
    first, second = groups.labels(np.stack([a, b]))
    return LabelAnswer(exact, first == second, (first, second))


def label_words(found: LabelAnswer) -> str:
    """What is said of the labels, in words."""
    exact = "The labels are the same" if found.exact else "The labels differ"
    if found.groups is None:
        return f"{exact}."
    link = "and" if found.exact == found.group else "but"
    where = f"both belong to {found.groups[0]}" if found.group else f"belong to {' and '.join(found.groups)}"
    return f"{exact}, {link} {where}."
