"""Frozen results that pass between the parts of Likeness."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class SkippedFile:
    """A file that was found but not used, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Copy:
    """A file that holds byte for byte what the image at ``of`` holds; it is no row, and is in ``skipped`` too.

    ``split`` is the split it would be in: that of ``of``, unless the source puts the two into different ones.
    """

    path: str
    label: str
    split: str
    of: str


@dataclass(frozen=True)
class DatasetOptions:
    """How a source of labelled images becomes a dataset; see :mod:`core.datasets.splits`.

    ``shares`` are the relative sizes of train, val and test, used where the source has no such split.
    """

    shares: tuple[float, float, float] = (70, 15, 15)
    seed: int = 0
    top_classes: int | None = None
    per_class: int | None = None


@dataclass(frozen=True)
class Dataset:
    """Labelled images: a list of rows over content-addressed files.

    Row ``i`` is ``ids[i], paths[i], labels[i], splits[i]``. Rows are sorted by path, and every id is unique:
    exact copies of a file are in ``skipped``, and those of rows in ``copies`` too.

    Attributes:
        ref: what the user named it by: a catalogue name or an absolute path.
        root: folder that the relative ``paths`` start from.
        ids: content ids, shape ``(n,)``, 32 hexadecimal digits each (:func:`core.images.content_id`).
        paths: shape ``(n,)``, POSIX paths relative to ``root`` (absolute for files outside it).
        labels: class names, shape ``(n,)``.
        splits: ``train``, ``val`` or ``test``, shape ``(n,)``.
        metadata: further columns, each of shape ``(n,)``.
    """

    ref: str
    title: str
    root: Path
    ids: NDArray[np.str_]
    paths: NDArray[np.str_]
    labels: NDArray[np.str_]
    splits: NDArray[np.str_]
    skipped: tuple[SkippedFile, ...] = ()
    metadata: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    attribution: str = ""
    options: DatasetOptions = DatasetOptions()
    copies: tuple[Copy, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def file(self, row: int) -> Path:
        """The image file of a row."""
        return self.root / str(self.paths[row])

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Class names, sorted."""
        return tuple(str(name) for name in np.unique(self.labels))

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Row number of each content id."""
        return {str(key): row for row, key in enumerate(self.ids)}

    @cached_property
    def fingerprint(self) -> str:
        """32 hexadecimal digits that change whenever an image, a label or a split does; names do not count."""
        digest = hashlib.sha256()
        order = np.argsort(self.ids)
        for column in (self.ids, self.labels, self.splits):
            digest.update("\0".join(column[order].tolist()).encode() + b"\1")
        return digest.hexdigest()[:32]

    def rows(self, split: str | None = None, label: str | None = None) -> NDArray[np.intp]:
        """Row numbers of a split and/or a class, ascending."""
        keep = np.ones(len(self), bool)
        if split is not None:
            keep &= self.splits == split
        if label is not None:
            keep &= self.labels == label
        return np.flatnonzero(keep)

    def without(self, ids: Collection[str]) -> Dataset:
        """The same dataset without these images; every other keeps its split. Unknown ids are passed over.

        >>> few = np.array(["a", "b"])
        >>> len(Dataset("r", "t", Path(), few, few, few, few).without({"b"}))
        1
        """
        return self.take(np.flatnonzero(~np.isin(self.ids, list(ids))))

    def take(self, rows: NDArray[np.intp]) -> Dataset:
        """The same dataset with these rows only, ascending row numbers, ``(n,)``; every one keeps its split."""
        paths = self.paths[rows]
        here = set(paths.tolist())
        return replace(
            self,
            ids=self.ids[rows],
            paths=paths,
            labels=self.labels[rows],
            splits=self.splits[rows],
            metadata={name: column[rows] for name, column in self.metadata.items()},
            copies=tuple(copy for copy in self.copies if copy.of in here),
        )
