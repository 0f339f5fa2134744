"""Which models differ: every pair on the same queries, with paired intervals and a randomisation test.

If two models are equally good, each query could as well have given its two values to the other model: the sign of its
difference is a coin toss. The test asks how often tossing all signs anew gives a difference of averages at least as
large as the one seen (R. A. Fisher, "The Design of Experiments", 1935, section 21; E. J. G. Pitman, Supplement to the
Journal of the Royal Statistical Society 4, 1937; for retrieval: Smucker, Allan and Carterette, CIKM 2007). It is exact
for any number of queries. The interval beside it is a bootstrap percentile interval, so near the limit of significance
the two may disagree.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError
from core.metrics.averaging import average
from core.metrics.intervals import DRAWS, bootstrap_averages, percentiles

FLIPS = 9999  # puts the Monte Carlo error of a p-value of 0.05 at 0.002
SIGNS_AT_ONCE = 1 << 21  # 16 MB as float64
_ENUMERATED = 12  # up to this many non-zero differences all 2**12 signs are tried
_ROUNDING = 1e-11  # sums of 100,000 values in [0, 1] agree to 1e-13; what differs by less than this is equal


@dataclass(frozen=True)
class Difference:
    """How much higher the average of model ``a`` is than that of model ``b``, on the same queries.

    Attributes:
        a: name of a model.
        b: name of another one.
        value: average of ``a`` less average of ``b``.
        interval: bootstrap percentile interval of the value, not corrected for the number of pairs.
        p_value: two-sided, of the randomisation test, in (0, 1].
        adjusted: the p-value after Holm's correction over all pairs of models.
    """

    a: str
    b: str
    value: float
    interval: tuple[float, float]
    p_value: float
    adjusted: float


def compare(
    values: Mapping[str, NDArray[np.float64]],
    classes: NDArray[np.intp] | None = None,
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    flips: int = FLIPS,
    seed: int = 0,
) -> list[Difference]:
    """Compare all pairs of models, with the same resamples and the same coin tosses for all of them.

    Args:
        values: per-query values in [0, 1] of each model, all of shape ``(n,)``, for the same queries in the same order.
        classes: class code of each query, shape ``(n,)``, if every class is to count the same.
        level: of the intervals; 1 - ``level`` is also the error rate that the p-values must be able to resolve.
        draws: number of resamples.
        flips: the least number of sign vectors; more are tried where so many pairs need them.
        seed: of the resamples and of the signs.

    Returns:
        One difference a pair, in the order of ``itertools.combinations`` of the names. A model's values decide its
        results, not its place: in another order p-values are the same and differences change their sign only.

    Raises:
        LikenessError: there is no model or no query, or the models do not have the same number of queries.
    """
    _check_paired(values, classes)
    pairs = list(combinations(values, 2))
    # Equal models share a column, so that they differ by exactly 0 however a matrix product rounds.
    distinct = {array.tobytes(): array for array in values.values()}
    order = sorted(distinct)
    column = {name: order.index(array.tobytes()) for name, array in values.items()}
    columns = np.stack([distinct[data] for data in order], axis=1)
    resampled = bootstrap_averages(columns, classes, draws, seed)
    # The least p-value is 1 / (flips + 1). Holm multiplies it by the number of pairs: it has to stay well below.
    flips = max(flips, math.ceil(10 * len(pairs) / (1 - level)))
    tests = _Randomisation(columns, classes, flips, seed)
    p_values = [tests.p_value(column[a], column[b]) for a, b in pairs]
    found = []
    for (a, b), p_value, adjusted in zip(pairs, p_values, holm(p_values), strict=True):
        value = average(values[a] - values[b], classes)
        limits = percentiles(resampled[:, column[a]] - resampled[:, column[b]], level)
        found.append(Difference(a, b, value, limits, p_value, adjusted))
    return found


def tied_for_best(averages: Mapping[str, float], differences: Sequence[Difference], alpha: float = 0.05) -> list[str]:
    """The best model and those not significantly different from it, best average first, equals in the order given.

    Args:
        averages: of every model, at least one.
        differences: of every pair, as :func:`compare` gives them. They are corrected for all pairs, so the chance that
            any two equally good models are told apart is ``alpha`` at most.
        alpha: error rate.
    """
    ranked = sorted(averages, key=lambda name: -averages[name])
    worse = {name for d in differences if ranked[0] in (d.a, d.b) and d.adjusted <= alpha for name in (d.a, d.b)}
    return [name for name in ranked if name == ranked[0] or name not in worse]


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for their number, in the order given (Holm, Scandinavian Journal of Statistics 6, 1979).

    >>> holm([0.01, 0.5, 0.25])
    [0.03, 0.5, 0.5]
    """
    adjusted = [0.0] * len(p_values)
    least = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = least
    return adjusted


class _Randomisation:
    """Sign-flip tests between columns of values, shape ``(n, m)``, with the same signs for every pair.

    Sums with flipped signs are linear: flipping each column once gives those of all pairs as differences.
    """

    def __init__(self, columns: NDArray[np.float64], classes: NDArray[np.intp] | None, flips: int, seed: int) -> None:
        gaps = columns - columns[:, :1]
        differing = gaps.any(axis=1)  # where all models agree, a sign changes nothing
        self._parts = (gaps * _weights(len(columns), classes)[:, None])[differing]
        self._flips, self._seed = flips, seed
        self._flipped: NDArray[np.float64] | None = None

    def p_value(self, first: int, second: int) -> float:
        """Two-sided p-value for two columns."""
        parts = self._parts[:, first] - self._parts[:, second]
        if np.count_nonzero(parts) <= _ENUMERATED:
            return float(np.mean(_as_large(_all_flips(parts[parts != 0]), parts.sum())))
        if self._flipped is None:
            self._flipped = np.concatenate(list(_random_flips(self._parts, self._flips, self._seed)))
        beyond = np.count_nonzero(_as_large(self._flipped[:, first] - self._flipped[:, second], parts.sum()))
        return (1 + beyond) / (1 + self._flips)  # the signs as they are count too, so that no p-value is 0


def _weights(n: int, classes: NDArray[np.intp] | None) -> NDArray[np.float64]:
    """What each query contributes to the average, shape ``(n,)``, sum 1."""
    if classes is None:
        return np.full(n, 1 / n)
    _, inverse, sizes = np.unique(classes, return_inverse=True, return_counts=True)
    return np.asarray(1 / (sizes[inverse] * len(sizes)))


def _as_large(sums: NDArray[np.float64], observed: float) -> NDArray[np.bool_]:
    return np.asarray(np.abs(sums) >= abs(observed) - _ROUNDING)


def _all_flips(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of ``k`` parts under every choice of signs, shape ``(2**k,)``."""
    bits = np.arange(1 << len(parts))[:, None] >> np.arange(len(parts)) & 1
    return np.asarray((1 - 2 * bits) @ parts)


def _random_flips(parts: NDArray[np.float64], flips: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Column sums of parts ``(n, m)`` under random signs, one sign a row; in chunks that make up ``(flips, m)``."""
    rng = np.random.default_rng(seed)
    n = len(parts)
    step = max(1, SIGNS_AT_ONCE // n)
    for start in range(0, flips, step):
        rows = min(step, flips - start)
        packed = np.frombuffer(rng.bytes(rows * -(-n // 8)), np.uint8).reshape(rows, -1)
        kept = np.unpackbits(packed, axis=1, count=n).astype(np.float64)
        yield 2 * (kept @ parts) - parts.sum(axis=0)


def _check_paired(values: Mapping[str, NDArray[np.float64]], classes: NDArray[np.intp] | None) -> None:
    """Raise :class:`LikenessError` unless there is a model and all have one value for each of the same queries."""
    shapes = {name: array.shape for name, array in values.items()}
    if not shapes:
        raise LikenessError("There is no model to compare: choose at least one.")
    wanted = next(iter(shapes.values())) if classes is None else classes.shape
    for name, shape in shapes.items():
        if shape != wanted or len(shape) != 1:
            raise LikenessError(
                f"Models must be compared on the same queries, but {name} has values of shape {shape} "
                f"where {wanted} was expected: evaluate all models on the same images."
            )
