"""Between similarities and Euclidean distances of unit vectors: the one place where they are converted.

Of vectors of length 1, d^2 = |a - b|^2 = 2 - 2 s, where s is their cosine: equal ones are 0 apart and opposite ones 2,
and what is more alike is nearer. A score that is no cosine, a fusion's or a pair head's, has no distance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def to_distances(cosines: ArrayLike) -> NDArray[np.float64]:
    """Euclidean distances, from 0 to 2, of unit vectors with these cosines, in their shape.

    >>> to_distances([1.0, 0.5, -1.0]).tolist()
    [0.0, 1.0, 2.0]
    """
    return np.sqrt(2 - 2 * np.clip(np.asarray(cosines, np.float64), -1, 1))


def to_cosines(distances: ArrayLike) -> NDArray[np.float64]:
    """Cosines of unit vectors that are so far apart, from 0 to 2, in their shape.

    >>> to_cosines([0.0, 1.0, 2.0]).tolist()
    [1.0, 0.5, -1.0]
    """
    return np.asarray(1 - np.asarray(distances, np.float64) ** 2 / 2)
