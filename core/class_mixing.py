"""Which classes lie among each other: whose images have neighbours of another class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.neighbours import Neighbours
from core.records import Dataset
from core.vectors import class_codes

NEAREST = 10


@dataclass(frozen=True)
class Mixing:
    """Two classes, and the share of the nearest neighbours of either that are of the other; ``a`` sorts first."""

    a: str
    b: str
    share: float


def mixed_classes(dataset: Dataset, neighbours: Neighbours, most: int = 8) -> list[Mixing]:
    """The pairs of classes that lie most among each other, most mixed first; none that are apart.

    Each image asks its 10 nearest of all splits. The share is over the neighbours of both classes' images.

    Args:
        dataset: the images.
        neighbours: of its rows.
        most: how many pairs at most.
    """
    names, codes = dataset.classes, class_codes(dataset)
    near = codes[neighbours.rows[:, :NEAREST]]
    counts = np.zeros((len(names), len(names)), np.int64)
    np.add.at(counts, (np.repeat(codes, near.shape[1]), near.ravel()), 1)
    asked: NDArray[np.int64] = counts.sum(axis=1)
    shares = np.triu((counts + counts.T) / (asked[:, None] + asked[None]), 1)
    order = np.argsort(-shares, axis=None, kind="stable")[:most]
    pairs = zip(*np.unravel_index(order, shares.shape), strict=True)
    return [Mixing(names[a], names[b], float(shares[a, b])) for a, b in pairs if shares[a, b] > 0]
