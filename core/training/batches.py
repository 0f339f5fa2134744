"""Which images make the batches of an epoch. Chance depends on the seed and the epoch alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.metrics.pair_sampling import different_class_pairs, pair_counts, same_class_pairs

Items = NDArray[np.intp]
# Images of one class that stand together in a batch for metric learning.
TOGETHER = 4


def shuffled(codes: NDArray[np.intp], batch: int, random: np.random.Generator) -> Iterator[Items]:
    """Every item once, in random order.

    Args:
        codes: class of each item, ``(n,)``.
        batch: how many items each; the last may have fewer, but never just one, which no batch norm can bear.
        random: where chance comes from.
    """
    return _cut(random.permutation(len(codes)), batch)


def by_class(codes: NDArray[np.intp], batch: int, random: np.random.Generator) -> Iterator[Items]:
    """Every item once, four of a class together, so that each has company of its own class; as :func:`shuffled`."""
    groups: list[Items] = []
    for code in np.unique(codes):
        own = random.permutation(np.flatnonzero(codes == code))
        groups += [own[start : start + TOGETHER] for start in range(0, len(own), TOGETHER)]
    return _cut(np.concatenate([groups[place] for place in random.permutation(len(groups))]), batch)


def pairs(codes: NDArray[np.intp], batch: int, random: np.random.Generator) -> Iterator[Items]:
    """As many pairs as items, drawn anew, half of them of one class.

    Returns:
        Batches of items, ``(2 * pairs,)``: all first ones, then all second ones.
    """
    same, different = pair_counts(codes)
    half = max(1, min(len(codes) // 2, same, different))
    drawn = np.concatenate([same_class_pairs(codes, half, random), different_class_pairs(codes, half, random)])
    drawn = random.permuted(drawn[random.permutation(len(drawn))], axis=1)
    return (drawn[part].T.ravel() for part in _cut(np.arange(len(drawn)), batch))


def _cut(order: Items, batch: int) -> Iterator[Items]:
    starts = range(0, len(order), batch)
    for start in starts:
        part = order[start : start + batch]
        if len(part) > 1 or len(order) == 1:
            yield part


KINDS = {"finetune": shuffled, "siamese": pairs, "triplet": by_class}


def steps(objective: str, codes: NDArray[np.intp], batch: int) -> int:
    """How many batches an epoch has."""
    items = len(codes)
    if objective == "siamese":
        items = 2 * max(1, min(items // 2, *pair_counts(codes)))
    return max(1, items // batch + (items % batch > 1))
