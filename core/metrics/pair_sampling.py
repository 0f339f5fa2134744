"""Drawing pairs and triplets of items, uniformly and without putting any back, from classes of any size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError

Pairs = NDArray[np.intp]


def same_class_pairs(codes: NDArray[np.integer], count: int, random: np.random.Generator) -> Pairs:
    """``count`` different pairs of items of one class, each as likely as any other.

    Args:
        codes: class of each item, shape ``(n,)``.
        count: how many pairs.
        random: where chance comes from.

    Returns:
        Item numbers, shape ``(count, 2)``.

    Raises:
        LikenessError: there are fewer such pairs.
    """
    order, starts, sizes = _by_class(codes)
    ends = np.cumsum(sizes * (sizes - 1) // 2)
    drawn = _draw(int(ends[-1]) if len(ends) else 0, count, "pairs of one class", random)
    group = np.searchsorted(ends, drawn, side="right")
    within = drawn - (ends - sizes * (sizes - 1) // 2)[group]
    # Pair number p of a class is (low, high) with p = high (high - 1) / 2 + low.
    high = ((1 + np.sqrt(8.0 * within + 1)) // 2).astype(np.int64)
    high -= high * (high - 1) // 2 > within  # the root may round up
    low = within - high * (high - 1) // 2
    return np.stack([order[starts[group] + low], order[starts[group] + high]], axis=1)


def different_class_pairs(codes: NDArray[np.integer], count: int, random: np.random.Generator) -> Pairs:
    """As :func:`same_class_pairs`, for pairs of items of two classes."""
    order, starts, sizes = _by_class(codes)
    after = np.repeat(len(codes) - (starts + sizes), sizes)  # partners in later classes, by place in the order
    return order[_across(after, _draw(int(after.sum()), count, "pairs of two classes", random))]


def three_class_triplets(codes: NDArray[np.integer], count: int, random: np.random.Generator) -> Pairs:
    """As :func:`same_class_pairs`, for triplets of items of three classes, shape ``(count, 3)``."""
    order, starts, sizes = _by_class(codes)
    after = np.repeat(len(codes) - (starts + sizes), sizes)
    pairs = np.cumsum(after)
    later = np.repeat(pairs[-1] - pairs[starts + sizes - 1], sizes)  # pairs of two later classes, by place
    ends = np.cumsum(later)
    drawn = _draw(int(ends[-1]), count, "triplets of three classes", random)
    first = np.searchsorted(ends, drawn, side="right")
    # Pairs of later classes are the last of all pairs.
    others = _across(after, pairs[-1] - later[first] + drawn - (ends - later)[first])
    return order[np.column_stack([first, others])]


def pair_counts(codes: NDArray[np.integer]) -> tuple[int, int]:
    """How many same-class and how many different-class pairs there are.

    >>> pair_counts(np.array([0, 0, 1]))
    (1, 2)
    """
    sizes = np.unique(codes, return_counts=True)[1].astype(np.int64)
    same = int((sizes * (sizes - 1) // 2).sum())
    return same, len(codes) * (len(codes) - 1) // 2 - same


def three_class_count(codes: NDArray[np.integer]) -> int:
    """How many triplets of items of three classes there are.

    >>> three_class_count(np.array([0, 0, 1, 2]))
    2
    """
    sizes: list[int] = np.unique(codes, return_counts=True)[1].tolist()
    one, two, three = (sum(size**power for size in sizes) for power in (1, 2, 3))
    return (one**3 - 3 * one * two + 2 * three) // 6  # Newton's identity


def _by_class(codes: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.int64]]:
    order = np.argsort(codes, kind="stable")
    _, starts, sizes = np.unique(codes[order], return_index=True, return_counts=True)
    return order, starts.astype(np.int64), sizes.astype(np.int64)


def _across(after: NDArray[np.int64], numbers: NDArray[np.int64]) -> Pairs:
    """Places of the pairs of two classes with these numbers; an earlier place's pairs come first."""
    ends = np.cumsum(after)
    left = np.searchsorted(ends, numbers, side="right")
    right = len(after) - after[left] + numbers - (ends - after)[left]
    return np.stack([left, right], axis=1)


def _draw(available: int, count: int, kind: str, random: np.random.Generator) -> NDArray[np.int64]:
    if count > available:
        raise LikenessError(f"{count:,} {kind} were asked for, but these images make {available:,}. Ask for less.")
    return random.choice(available, count, replace=False) if count else np.empty(0, np.int64)
