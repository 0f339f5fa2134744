"""One map laid upon another, so that what moved between them can be seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def aligned(points: NDArray[np.float32], onto: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn, mirror, scale and move a map so that it lies as close to another as it can; nothing is bent.

    Orthogonal Procrustes analysis (Schönemann, Psychometrika 31, 1966).

    Args:
        points: float32 ``(n, d)``.
        onto: where the same images are on the other map, float32 ``(n, d)``.

    Returns:
        float32 ``(n, d)``; the distances are those of ``points`` but for one factor.

    Raises:
        ValueError: the shapes differ.
    """
    from scipy.linalg import orthogonal_procrustes

    if points.shape != onto.shape:
        raise ValueError(f"maps of the same images have the same shape, not {points.shape} and {onto.shape}")
    centre, target = points.mean(axis=0), onto.mean(axis=0)
    spread = float(((points - centre) ** 2).sum())
    if not spread:
        return np.broadcast_to(target, points.shape).astype(np.float32)
    rotation, scale = orthogonal_procrustes(points - centre, onto - target)
    return np.asarray((points - centre) @ rotation * (scale / spread) + target, np.float32)
