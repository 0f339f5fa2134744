"""Which images belong to train, val and test, and which are left out of a smaller dataset.

Three steps, in this order: keep the most frequent classes, assign the splits, thin out the classes. Each depends on
what the images hold, their labels and the seed, never on their names or order. Thinning comes last, so that it never
moves an image from one split to another.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError
from core.records import SPLITS, DatasetOptions


def check_options(options: DatasetOptions) -> None:
    """Refuse options that mean nothing.

    Raises:
        LikenessError: names the option, what was given and what is expected.
    """
    shares = options.shares
    if len(shares) != 3 or not all(math.isfinite(share) and share >= 0 for share in shares) or shares[0] <= 0:
        raise LikenessError(
            f"split shares {tuple(shares)}; expected three numbers for train, val and test, none negative and train "
            "above zero, such as 70, 15, 15."
        )
    for name, value in (("top-classes", options.top_classes), ("per-class", options.per_class)):
        if value is not None and value < 1:
            raise LikenessError(f"{name} {value}; expected a whole number of at least 1.")


def top_classes(labels: NDArray[np.str_], count: int | None) -> NDArray[np.bool_]:
    """Mask, shape ``(n,)``, of the images in the ``count`` most frequent classes; ties go by name."""
    names, sizes = np.unique(labels, return_counts=True)
    kept = names[np.lexsort((names, -sizes))][:count]
    return np.isin(labels, kept)


def assign_splits(
    ids: NDArray[np.str_], labels: NDArray[np.str_], given: NDArray[np.str_], options: DatasetOptions
) -> NDArray[np.str_]:
    """Splits, shape ``(n,)``: the source's own where it has them, the missing ones drawn from train.

    Within each class the images are sorted by the SHA-256 of seed and content id and cut by the shares, rounded by
    largest remainder; a class of three or more has at least one image in every split with a share. So the split of an
    image does not depend on names, order or metadata. Adding images to a class moves its cutting points, and may so
    move the few images next to them.

    Where the source has train and val, test is drawn from train with the share test / (train + test); val likewise.

    Args:
        ids: content ids, shape ``(n,)``, each once.
        labels: class names, shape ``(n,)``.
        given: the source's splits, shape ``(n,)``; empty where it has none, which counts as train.
        options: shares and seed.

    Raises:
        LikenessError: the source has a val or a test split but no train.
    """
    present = set(given.tolist()) - {""}
    if present and "train" not in present:
        raise LikenessError(
            f"the images are all in {' and '.join(sorted(present))}; expected a train split too. "
            "Add a train folder (or rows), or leave the splits out to have them drawn."
        )
    wanted = zip(SPLITS, options.shares, strict=True)
    shares = [0.0 if name in present and name != "train" else share for name, share in wanted]
    splits = np.where(given == "", "train", given).astype("<U5")
    pool = np.flatnonzero(splits == "train")
    order = pool[_shuffled(ids[pool], labels[pool], options.seed)]
    _, sizes = np.unique(labels[pool], return_counts=True)
    drawn = [np.repeat(SPLITS, apportion(int(size), shares)) for size in sizes]
    splits[order] = np.concatenate(drawn) if drawn else []
    return splits


def thin_out(
    ids: NDArray[np.str_], labels: NDArray[np.str_], splits: NDArray[np.str_], options: DatasetOptions
) -> NDArray[np.bool_]:
    """Mask, shape ``(n,)``, of at most ``options.per_class`` images of each class in the whole dataset.

    They are shared out over the splits in proportion to what the class has in each, at least one each where three or
    more are kept, and chosen by the hash of seed and content. A class with fewer keeps them all.
    """
    keep = np.ones(len(ids), bool)
    if options.per_class is None:
        return keep
    keep[:] = False
    order = _shuffled(ids, labels, options.seed)
    for rows in np.split(order, np.flatnonzero(labels[order][1:] != labels[order][:-1]) + 1):
        members = [rows[splits[rows] == split] for split in SPLITS]
        parts = apportion(min(options.per_class, len(rows)), [len(member) for member in members])
        for member, count in zip(members, parts, strict=True):
            keep[member[:count]] = True
    return keep


def apportion(count: int, shares: Sequence[float]) -> list[int]:
    """Divide ``count`` things by shares, rounding by largest remainder (ties to the first).

    From three things on, as long as there are enough, every share above zero gets at least one.

    >>> apportion(10, (70, 15, 15)), apportion(3, (70, 15, 15)), apportion(2, (70, 15, 15))
    ([7, 2, 1], [1, 1, 1], [2, 0, 0])
    """
    total = sum(shares)
    quotas = [count * share / total for share in shares]
    parts = [math.floor(quota + 1e-9) for quota in quotas]
    by_remainder = sorted(range(len(parts)), key=lambda part: parts[part] - quotas[part])
    for part in by_remainder[: count - sum(parts)]:
        parts[part] += 1
    if count >= max(3, sum(share > 0 for share in shares)):
        for part, share in enumerate(shares):
            if share > 0 and parts[part] == 0:
                parts[parts.index(max(parts))] -= 1
                parts[part] = 1
    return parts


def _shuffled(ids: NDArray[np.str_], groups: NDArray[np.str_], seed: int) -> NDArray[np.intp]:
    """An order by group, and within each group by the hash of seed and content."""
    digests = (hashlib.sha256(f"{seed}:{id_}".encode()).digest() for id_ in ids.tolist())
    keys = np.fromiter((int.from_bytes(digest[:8], "big") for digest in digests), np.uint64, len(ids))
    return np.lexsort((ids, keys, groups))
