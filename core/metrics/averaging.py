"""The two ways in which per-query values become one number, alike for point estimates and for resamples."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError

Average = Literal["query", "class"]


def averages(
    values: NDArray[np.float64], weights: NDArray[np.float64], classes: NDArray[np.intp] | None = None
) -> NDArray[np.float64]:
    """Weighted averages of each column of values, once per row of weights.

    Args:
        values: shape ``(n, m)``, one column per model.
        weights: shape ``(w, n)``, not negative, not all zero in any row.
        classes: class code of each query, shape ``(n,)``. If given, values are averaged within each class first and
            every class then counts the same; a class without weight in a row does not count there.

    Returns:
        Shape ``(w, m)``.
    """
    if classes is None:
        return np.asarray(weights @ values / weights.sum(axis=1, keepdims=True))
    order = np.argsort(classes, kind="stable")
    starts = np.flatnonzero(np.diff(classes[order], prepend=classes.min() - 1))
    weights = weights[:, order]
    support = np.add.reduceat(weights, starts, axis=1)
    columns = []
    for column in values[order].T:
        sums = np.add.reduceat(weights * column, starts, axis=1)
        means = np.divide(sums, support, out=np.zeros_like(sums), where=support > 0)
        columns.append(means.sum(axis=1) / np.count_nonzero(support, axis=1))
    return np.stack(columns, axis=1)


def average(values: NDArray[np.float64], classes: NDArray[np.intp] | None = None) -> float:
    """Mean of per-query values, shape ``(n,)``; with ``classes``, the unweighted mean of the class means.

    Raises:
        LikenessError: there are no values.

    >>> average(np.array([1.0, 1.0, 0.0])), average(np.array([1.0, 1.0, 0.0]), np.array([0, 0, 1]))
    (0.6666666666666666, 0.5)
    """
    if not len(values):
        raise LikenessError("No query counts: none has its class in the gallery. Choose another gallery or split.")
    return float(averages(values[:, None], np.ones((1, len(values))), classes)[0, 0])
