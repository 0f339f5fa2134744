"""Images whose label looks wrong: those that are most like images of another class.

Each image is judged by its nearest neighbours, whatever their split: every neighbour speaks for its own class, the more
alike the louder. That is Wilson's edited nearest neighbour rule (IEEE Transactions on Systems, Man, and Cybernetics
2(3), 1972), here a list for a person to look at instead of a rule that removes. Kuan and Mueller ("Model-agnostic label
quality scoring to detect real-world label errors", 2022) found such scores on the vectors of a pretrained network to do
as well as a trained classifier's probabilities, which confident learning (Northcutt et al., JAIR 70, 2021) needs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.neighbours import Neighbours
from core.records import Dataset
from core.vectors import class_codes

NEAREST = 10
# An image of a small class has few neighbours of it to expect, and is judged by as many as there can be: fewer than
# this say nothing.
FEWEST = 5
# By how much of all support another class has to lead: two of ten neighbours. A narrower lead is a tie.
LEAD = 0.2
_BLOCK = 4096


@dataclass(frozen=True)
class Suspect:
    """An image whose neighbours disagree with its label.

    Attributes:
        row: of the dataset.
        label: its class.
        suggested: the class with the most support.
        support_own: share of its neighbours, by similarity, that are of its own class, in [0, 1].
        support_suggested: the same for ``suggested``; higher by at least :data:`LEAD`.
        neighbours: rows of the neighbours that were asked, most similar first.
    """

    row: int
    label: str
    suggested: str
    support_own: float
    support_suggested: float
    neighbours: tuple[int, ...]

    @property
    def lead(self) -> float:
        """By how much the suggested class leads, in (0, 1]."""
        return self.support_suggested - self.support_own


def label_suspects(dataset: Dataset, neighbours: Neighbours) -> list[Suspect]:
    """Images that another class claims, those that it claims most clearly first.

    An image is judged by its 10 nearest neighbours, or by as many as its class has further images where these are
    fewer; a class of up to 5 images is not judged at all, for its images could not but have neighbours of others.
    Of equal leads the image comes first whose neighbours are more alike to it.

    Args:
        dataset: the images.
        neighbours: of the same images.
    """
    codes = class_codes(dataset)
    asked = np.minimum(np.bincount(codes)[codes] - 1, min(NEAREST, neighbours.rows.shape[1]))
    found: list[tuple[float, Suspect]] = []
    for start in range(0, len(dataset), _BLOCK):
        found += _judged(dataset, neighbours, codes, asked, np.arange(start, min(start + _BLOCK, len(dataset))))
    return [one for _, one in sorted(found, key=lambda pair: (-round(pair[1].lead, 6), -pair[0], pair[1].row))]


def _judged(
    dataset: Dataset, neighbours: Neighbours, codes: NDArray[np.intp], asked: NDArray[np.intp], rows: NDArray[np.intp]
) -> list[tuple[float, Suspect]]:
    """The suspects among some rows, each with how loudly its neighbours speak."""
    near = neighbours.rows[rows, :NEAREST]
    weights = np.maximum(neighbours.scores[rows, :NEAREST], 0).astype(np.float64)
    weights *= np.arange(near.shape[1]) < asked[rows, None]
    total = weights.sum(axis=1)
    said = codes[near]
    # What the class of each neighbour has in all: (n, k), so that the number of classes does not matter.
    support = np.einsum("nij,nj->ni", said[:, :, None] == said[:, None, :], weights)
    own = said == codes[rows, None]
    for_own = (weights * own).sum(axis=1)
    best = np.where(own, -1.0, support).argmax(axis=1)
    for_best = np.where(own, 0.0, support).max(axis=1)
    suspect = (asked[rows] >= FEWEST) & (total > 0) & (for_best - for_own >= LEAD * total)
    return [
        (
            float(total[i]),
            Suspect(
                int(rows[i]), str(dataset.labels[rows[i]]), dataset.classes[said[i, best[i]]],
                float(for_own[i] / total[i]), float(for_best[i] / total[i]),
                tuple(near[i, : asked[rows[i]]].tolist()),
            ),
        )
        for i in np.flatnonzero(suspect)
    ]  # fmt: skip
