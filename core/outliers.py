"""Images that are far from everything: photographs of something else, damaged ones, drawings among photographs.

How far an image is, is its mean similarity to its nearest neighbours, whatever their class (Angiulli and Pizzuti, "Fast
outlier detection in high dimensional spaces", PKDD 2002, sum the distances). How far is too far depends on the class:
churches are more varied than golf balls. So each image is compared with its own class, by median and median absolute
deviation, which the outliers themselves do not move (Leys et al., Journal of Experimental Social Psychology 49, 2013).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.neighbours import Neighbours
from core.records import Dataset

NEAREST = 10
# So many deviations below the median. 1.4826 makes the median absolute deviation the standard one of a normal law.
CUT = 3.0
_TO_STANDARD = 1.4826
# A class of fewer images has no spread to speak of: they are compared with the whole dataset.
FEWEST = 20
# Where most images of a class are all but the same, tiny differences are not far.
_LEAST_SPREAD = 0.01


@dataclass(frozen=True)
class Outlier:
    """An image that is less like its neighbours than images of its class are like theirs.

    Attributes:
        row: of the dataset.
        label: its class.
        similarity: mean cosine similarity to its nearest neighbours.
        usual: the median of that in its class, or in the dataset where the class is small.
        deviations: how many standard deviations, robustly estimated, it lies below that; more than :data:`CUT`.
        neighbours: rows of its nearest neighbours, most similar first.
    """

    row: int
    label: str
    similarity: float
    usual: float
    deviations: float
    neighbours: tuple[int, ...]


def outliers(dataset: Dataset, neighbours: Neighbours) -> list[Outlier]:
    """Images that are far from everything, the farthest, in deviations, first.

    Args:
        dataset: the images.
        neighbours: of the same images; the 10 nearest of each count, or all where there are fewer.
    """
    similarity = neighbours.scores[:, :NEAREST].mean(axis=1, dtype=np.float64)
    usual, deviations = np.empty(len(dataset)), np.empty(len(dataset))
    for members, peers in _compared(dataset):
        middle = float(np.median(similarity[peers]))
        spread = max(_TO_STANDARD * float(np.median(np.abs(similarity[peers] - middle))), _LEAST_SPREAD)
        usual[members], deviations[members] = middle, (middle - similarity[members]) / spread
    rows = np.flatnonzero(deviations > CUT)
    return [
        Outlier(
            int(row), str(dataset.labels[row]), float(similarity[row]), float(usual[row]), float(deviations[row]),
            tuple(neighbours.rows[row, :NEAREST].tolist()),
        )
        for row in rows[np.argsort(-deviations[rows], kind="stable")]
    ]  # fmt: skip


def _compared(dataset: Dataset) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """The rows of each class, with those they are compared with."""
    everything = dataset.rows()
    for label in dataset.classes:
        members = dataset.rows(label=label)
        yield members, members if len(members) >= FEWEST else everything
