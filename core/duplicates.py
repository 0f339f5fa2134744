"""Exact and near duplicates of a dataset, and which of them stand in two splits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.backbones import Backbone
from core.near import near_groups
from core.perceptual import hash_images
from core.progress import Progress, silent
from core.records import Dataset, SkippedFile
from core.store import EmbeddingStore
from core.vectors import stored_vectors


@dataclass(frozen=True)
class Member:
    """An image of a group; ``row`` is None for an exact copy, which is no row of the dataset."""

    path: str
    label: str
    split: str
    row: int | None


@dataclass(frozen=True)
class Group:
    """Two or more images that are one picture: byte for byte (``exact``), or to the eye (``near``)."""

    kind: Literal["exact", "near"]
    members: tuple[Member, ...]

    @property
    def rows(self) -> tuple[int, ...]:
        """The members that are rows, ascending."""
        return tuple(member.row for member in self.members if member.row is not None)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits its members are in, sorted."""
        return tuple(sorted({member.split for member in self.members}))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels its members bear, sorted."""
        return tuple(sorted({member.label for member in self.members}))

    def as_json(self) -> list[dict[str, str]]:
        """The group in the form of the command line's ``--json``."""
        return [{"path": m.path, "label": m.label, "split": m.split, "kind": self.kind} for m in self.members]


@dataclass(frozen=True)
class Duplicates:
    """What was found in a dataset.

    Attributes:
        dataset: whose rows the groups name.
        model: the model whose vectors confirmed near duplicates, or None: then only rare hashes were compared.
        groups: exact groups, then near groups, each in the order of their first image. An image can be in one of each.
        unreadable: images that could not be compared, with reasons.
    """

    dataset: Dataset
    model: str | None
    groups: tuple[Group, ...]
    unreadable: tuple[SkippedFile, ...]

    @property
    def exact(self) -> tuple[Group, ...]:
        """Groups of files with the same bytes. All but one of each are left out of the dataset already."""
        return tuple(group for group in self.groups if group.kind == "exact")

    @property
    def near(self) -> tuple[Group, ...]:
        """Groups of rows that look alike."""
        return tuple(group for group in self.groups if group.kind == "near")

    @property
    def cross_split(self) -> tuple[Group, ...]:
        """Groups that stand in more than one split."""
        return tuple(group for group in self.groups if len(group.splits) > 1)

    @property
    def label_conflicts(self) -> tuple[Group, ...]:
        """Groups whose members bear different labels."""
        return tuple(group for group in self.groups if len(group.labels) > 1)

    def leaked(self, split: str, gallery: str) -> NDArray[np.intp]:
        """Rows of ``split`` with a near duplicate in ``gallery``, ascending; ``all`` stands for every row.

        The two may be the same: no image is its own duplicate.
        """
        asking, answering = (_mask(self.dataset, name) for name in (split, gallery))
        found = [row for one in self.near for row in one.rows if asking[row] and answering[self._others(row)].any()]
        return np.array(sorted(found), np.intp)

    def as_json(self) -> dict[str, Any]:
        """The result in the form of the command line's ``--json``."""
        return {
            "groups": [group.as_json() for group in self.groups],
            "cross_split": [group.as_json() for group in self.cross_split],
            "label_conflicts": [group.as_json() for group in self.label_conflicts],
            "model": self.model,
            "unreadable": [{"path": file.path, "reason": file.reason} for file in self.unreadable],
        }

    def _others(self, row: int) -> list[int]:
        return [other for other in self._group_of[row].rows if other != row]

    @cached_property
    def _group_of(self) -> dict[int, Group]:
        return {row: group for group in self.near for row in group.rows}


def find_duplicates(
    dataset: Dataset, store: EmbeddingStore, backbone: Backbone | None, progress: Progress = silent
) -> Duplicates:
    """Find the exact and near duplicates of a dataset.

    Blank images are never near duplicates; :mod:`core.near` says which others are.

    Args:
        dataset: the images.
        store: has the vectors, and keeps the hashes.
        backbone: a model that has embedded the dataset, which confirms what the hashes suggest; or None.
        progress: told of the stages ``Hashing`` and ``Comparing``.

    Raises:
        LikenessError: the model lacks vectors of this dataset, or the disk is full.
    """
    vectors = None if backbone is None else stored_vectors(dataset, backbone, store)
    hashes = hash_images(dataset, store, progress)
    rows = np.flatnonzero(hashes.known)
    joined = near_groups(hashes.values[rows], None if vectors is None else vectors[rows], progress)
    near = [Group("near", tuple(_member(dataset, row) for row in rows[group].tolist())) for group in joined]
    groups = (*_exact(dataset), *near)
    return Duplicates(dataset, None if backbone is None else backbone.name, groups, hashes.unreadable)


def _mask(dataset: Dataset, split: str) -> NDArray[np.bool_]:
    return np.ones(len(dataset), bool) if split == "all" else dataset.splits == split


def _member(dataset: Dataset, row: int) -> Member:
    return Member(str(dataset.paths[row]), str(dataset.labels[row]), str(dataset.splits[row]), row)


def _exact(dataset: Dataset) -> Iterator[Group]:
    copies: defaultdict[str, list[Member]] = defaultdict(list)
    for copy in dataset.copies:
        copies[copy.of].append(Member(copy.path, copy.label, copy.split, None))
    for row, path in enumerate(dataset.paths.tolist()):
        if path in copies:
            yield Group("exact", (_member(dataset, row), *copies[path]))
