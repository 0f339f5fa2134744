"""ImageNet's classes in a dataset's own terms: which of its classes each of them stands for.

A dataset of animals calls `dog` what a classifier calls by 120 breeds. How the two go together is learned from the
training images: of all the probability that a classifier gave to an ImageNet class, the share that fell on images of
each class of the dataset. Validation and test images are never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.backbones import Backbone
from core.backbones.classifiers import CLASSES, class_names
from core.classify import stored_probabilities
from core.errors import LikenessError
from core.records import Dataset
from core.store import EmbeddingStore
from core.vectors import class_codes, split_rows

# Every ImageNet class is taken to have been seen on this many images beforehand, spread evenly over the groups.
_SMOOTHING = 1.0
_DECIMALS = 4


@dataclass(frozen=True)
class GroupRow:
    """One line of the mapping: an ImageNet class, the group it speaks for most, and how much it does so.

    ``share`` is the group's share of the class, in [0, 1]; ``mass`` is on how many training images, counted in
    probability, the class was seen.
    """

    imagenet_class: str
    group: str
    share: float
    mass: float


@dataclass(frozen=True)
class LabelMatch:
    """Whether two images have the same label: the same ImageNet class, and the same group."""

    exact: bool
    group: bool


@dataclass(frozen=True)
class LabelGroups:
    """The mapping from ImageNet's classes to those of a dataset, the groups.

    Attributes:
        classes: the dataset's classes, ``C`` of them.
        share: float32 ``(1000, C)``: how far each ImageNet class speaks for each group; rows add up to 1.
        support: float32 ``(1000,)``: on how many training images, counted in probability and with all groups brought
            to one size, each ImageNet class was seen.
    """

    classes: tuple[str, ...]
    share: NDArray[np.float32]
    support: NDArray[np.float32]

    def posterior(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """How probable each group is: float32 ``(n, C)`` from ImageNet class probabilities ``(n, 1000)``."""
        return probabilities @ self.share

    def codes(self, probabilities: NDArray[np.float32]) -> NDArray[np.intp]:
        """The place in ``classes`` of the most probable group of each image, ``(n,)``; ties go to the first."""
        codes: NDArray[np.intp] = self.posterior(probabilities).argmax(1)
        return codes

    def labels(self, probabilities: NDArray[np.float32]) -> list[str]:
        """The most probable group of each image by name."""
        return [self.classes[code] for code in self.codes(probabilities)]

    def match(self, a: NDArray[np.float32], b: NDArray[np.float32]) -> LabelMatch:
        """Whether two images agree, from the ImageNet class probabilities of each, ``(1000,)``."""
        pair = np.stack([a, b])
        first, second = self.codes(pair)
        return LabelMatch(bool(a.argmax() == b.argmax()), bool(first == second))

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values that :meth:`from_json` reads; classes that were never seen are left out."""
        seen = np.flatnonzero(self.support > 0).tolist()
        return {
            "classes": list(self.classes),
            "share": {str(i): [round(float(share), _DECIMALS) for share in self.share[i]] for i in seen},
            "support": {str(i): round(float(self.support[i]), _DECIMALS) for i in seen},
        }

    @classmethod
    def from_json(cls, content: object) -> LabelGroups:
        """Read what :meth:`as_json` gave.

        Raises:
            LikenessError: it is something else, or damaged.
        """
        try:
            fields: Any = content
            classes = tuple(str(name) for name in fields["classes"])
            share = np.full((CLASSES, len(classes)), 1 / len(classes), np.float32)
            support = np.zeros(CLASSES, np.float32)
            for place, row in fields["share"].items():
                share[int(place)], support[int(place)] = row, fields["support"][place]
        except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError, AttributeError) as error:
            raise LikenessError("These are no label groups, or damaged ones. Learn them again.") from error
        return cls(classes, share, support)

    def table(self, minimum: float = 1.0) -> list[GroupRow]:
        """The mapping for people: ImageNet classes seen on at least ``minimum`` images, most seen first."""
        order = np.argsort(-self.support, kind="stable")
        best = self.share.argmax(1)
        return [
            GroupRow(class_names()[i], self.classes[best[i]], float(self.share[i, best[i]]), float(self.support[i]))
            for i in order.tolist()
            if self.support[i] >= minimum
        ]


def learn(dataset: Dataset, classifier: Backbone, store: EmbeddingStore) -> LabelGroups:
    """Learn the mapping from a dataset's training images and what a classifier said of them.

    Every class of the dataset counts alike, however many images it has. A group without training images gets no share
    but what smoothing gives to all.

    Raises:
        LikenessError: there are no training images, or predictions are missing; the message says what to run.
    """
    rows = split_rows(dataset, "train")
    said = stored_probabilities(dataset.take(rows), classifier, store)
    codes = class_codes(dataset)[rows]
    present = np.unique(codes)
    seen = np.zeros((len(dataset.classes), said.shape[1]))
    for code in present:
        seen[code] = said[codes == code].mean(0, dtype=np.float64)
    seen *= len(rows) / len(present)
    support = seen.sum(0)
    share = (seen + _SMOOTHING / len(dataset.classes)) / (support + _SMOOTHING)
    return LabelGroups(dataset.classes, share.T.astype(np.float32), support.astype(np.float32))


def class_vectors(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """The most probable ImageNet class as a vector, float32 ``(n, 1000)``: the cosine of two is 1 where it is the same.

    It is 0 otherwise, so that :class:`core.metrics.scorer.Cosine` scores label matches.
    """
    return _one_hot(probabilities.argmax(1), probabilities.shape[1])


def group_vectors(groups: LabelGroups, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """As :func:`class_vectors` for the most probable group, float32 ``(n, C)``."""
    return _one_hot(groups.codes(probabilities), len(groups.classes))


def _one_hot(codes: NDArray[np.intp], count: int) -> NDArray[np.float32]:
    vectors = np.zeros((len(codes), count), np.float32)
    vectors[np.arange(len(codes)), codes] = 1
    return vectors
