"""One map laid upon another, so that what moved between them can be seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Alignment:
    """A turn or mirroring, one factor and a move: what lays a map upon another. Nothing is bent.

    Attributes:
        turn: orthogonal, ``(d, d)``.
        factor: of all distances.
        middle: of the map that is laid, ``(d,)``.
        onto: where its middle goes, ``(d,)``.
    """

    turn: NDArray[np.float64]
    factor: float
    middle: NDArray[np.float64]
    onto: NDArray[np.float64]

    def __call__(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Where points of the map go, float32 ``(n, d)``."""
        return np.asarray((points - self.middle) @ self.turn * self.factor + self.onto, np.float32)


def align(points: NDArray[np.float32], onto: NDArray[np.float32]) -> Alignment:
    """What lays a map as close to another as it can be.

    Orthogonal Procrustes analysis (Schönemann, Psychometrika 31, 1966).

    Args:
        points: float32 ``(n, d)``.
        onto: where the same images are on the other map, float32 ``(n, d)``.

    Raises:
        ValueError: the shapes differ.
    """
    from scipy.linalg import orthogonal_procrustes

    if points.shape != onto.shape:
        raise ValueError(f"maps of the same images have the same shape, not {points.shape} and {onto.shape}")
    middle, target = points.mean(axis=0, dtype=np.float64), onto.mean(axis=0, dtype=np.float64)
    spread = float(((points - middle) ** 2).sum())
    turn, scale = orthogonal_procrustes(points - middle, onto - target)
    return Alignment(turn, scale / spread if spread else 1.0, middle, target)
