"""Which images take part: all, or a balanced subset, less those that would leak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.backbones import Backbone
from core.duplicates import find_duplicates
from core.errors import LikenessError
from core.metrics.pair_sampling import pair_counts
from core.progress import Progress
from core.records import Dataset
from core.store import EmbeddingStore
from core.training.runs import Counts
from core.vectors import class_codes

# Images of each class by split, as in the earlier work on Siamese networks: 1,280 to train and 320 to test for ten
# classes. It judged its training by the test images; here 320 others do.
SIAMESE = {"train": 128, "val": 32, "test": 32}


@dataclass(frozen=True)
class Material:
    """The images of a training run.

    Attributes:
        dataset: those that take part, in their splits.
        counts: how many, and how many were left out.
    """

    dataset: Dataset
    counts: Counts


def prepare(
    dataset: Dataset, protocol: str, seed: int, store: EmbeddingStore, confirms: Backbone | None, progress: Progress
) -> Material:
    """Choose the images, and leave out training images that have a near duplicate in validation or test.

    Args:
        dataset: with images in all three splits.
        protocol: ``siamese`` for :func:`balanced`, or empty.
        seed: of the subset.
        store: has the vectors, and keeps the hashes.
        confirms: a model that has embedded the dataset, which confirms near duplicates; or None.
        progress: told of each stage.

    Raises:
        LikenessError: a split is too small to learn or to judge by.
    """
    found = find_duplicates(dataset, store, confirms, progress)
    leaking = np.union1d(found.leaked("train", "val"), found.leaked("train", "test"))
    chosen = dataset.without(dataset.ids[leaking].tolist())
    if protocol == "siamese":
        chosen = balanced(chosen, seed)
    check(chosen)
    sizes = {split: len(chosen.rows(split)) for split in ("train", "val", "test")}
    classes = len(np.unique(chosen.labels[chosen.rows("train")]))
    return Material(chosen, Counts(**sizes, classes=classes, left_out=len(leaking)))


def balanced(dataset: Dataset, seed: int = 0) -> Dataset:
    """The same number of images of each class, :data:`SIAMESE`, drawn from each split, whatever the others hold.

    Raises:
        LikenessError: a class has too few images in a split.
    """
    rows = []
    for place, (split, each) in enumerate(SIAMESE.items()):
        random = np.random.default_rng([seed, 5, place])
        for name in dataset.classes:
            own = dataset.rows(split, name)
            if len(own) < each:
                raise LikenessError(
                    f"The siamese protocol takes {each} images of each class for {split}, but {name!r} of "
                    f"{dataset.title} has {len(own)}. Train without --protocol, or give more images."
                )
            rows.append(random.choice(own, each, replace=False))
    return dataset.take(np.sort(np.concatenate(rows)))


def check(dataset: Dataset) -> None:
    """Raise a LikenessError where training or validation images make no pairs of one class, or none of two."""
    codes = class_codes(dataset)
    for split in ("train", "val"):
        same, different = pair_counts(codes[dataset.rows(split)])
        if not (same and different):
            raise LikenessError(
                f"{dataset.title} has {len(dataset.rows(split))} images in {split!r}, which make {same} pairs of one "
                f"class and {different} of two; training needs both. Give at least two classes with two images each."
            )
