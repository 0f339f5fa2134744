"""From what the user named to a dataset."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.datasets import animals10, splits
from core.datasets.archives import unpack
from core.datasets.candidates import Candidates, is_utf8, printable
from core.datasets.catalogue import DATASETS
from core.datasets.class_names import english_names
from core.datasets.fetching import preparing
from core.datasets.folder import LAYOUTS, read_folder
from core.datasets.scan import Scan, scan
from core.datasets.table import is_table, read_table
from core.errors import LikenessError
from core.paths import cache_dir
from core.progress import Progress, silent
from core.records import Copy, Dataset, DatasetOptions, SkippedFile

_DEFAULTS = DatasetOptions()


class _Source(NamedTuple):
    """A folder or table that is on this machine."""

    ref: str
    title: str
    attribution: str
    path: Path


def load_dataset(
    ref: str,
    options: DatasetOptions = _DEFAULTS,
    *,
    offline: bool = False,
    progress: Progress = silent,
    known_failures: Mapping[str, str] | None = None,
) -> Dataset:
    """Load a dataset of the catalogue, a folder, a CSV or a zip of class folders.

    A folder has ``<class>/<image>`` or ``train|val|test/<class>/<image>``, or a ``labels.csv``; a CSV has the columns
    ``path,label[,split]``. Folders named as in Imagenette or Animals-10 are shown in English, wherever they lie.

    Args:
        ref: a catalogue name or a path.
        options: splits, seed and how much of the dataset to take.
        offline: never touch the network. Without it only a named dataset that is not here is downloaded.
        progress: told of the stages ``Downloading``, ``Unpacking``, ``Drawing`` and ``Scanning``.
        known_failures: content ids of files found undecodable earlier, and why. They move to ``skipped`` once the
            splits are assigned, so that knowing of them moves no other image.

    Raises:
        LikenessError: no such dataset, nothing usable in it, options that mean nothing, or it cannot be fetched.
    """
    splits.check_options(options)
    source = _find(ref, offline, progress)
    candidates = _read(source.path)
    found = scan(candidates, source.path, progress)
    skipped = [*candidates.skipped, *found.skipped]
    if not found.files:
        raise _empty(source, skipped)
    return _dataset(source, candidates, found, skipped, options, known_failures or {})


def _find(ref: str, offline: bool, progress: Progress) -> _Source:
    if ref in DATASETS:
        spec = DATASETS[ref]
        return _Source(ref, spec.title, spec.attribution, spec.prepare(offline, progress))
    path = _existing(ref)
    place = path
    if path.is_file() and path.suffix.lower() == ".zip":
        place = _unzipped(path, progress)
    elif path.is_file() and path.suffix.lower() != ".csv":
        raise LikenessError(f"{path} is a file, but neither a .csv nor a .zip; expected {_expected()}.")
    if place.is_dir():
        place = _content(place)
    return _Source(str(path), path.stem if path.is_file() else path.name or str(path), "", place)


def _existing(ref: str) -> Path:
    if not is_utf8(ref):
        raise LikenessError(f"the path {printable(ref)} is not valid UTF-8; rename it.")
    try:
        path = Path(ref).expanduser()
        if ref and path.exists():
            return Path(os.path.abspath(path))  # noqa: PTH100 - tidied, but links keep the names the user gave
    except (OSError, RuntimeError, ValueError) as error:
        raise LikenessError(f"cannot open {ref!r}: {error}; expected {_expected()}.") from error
    close = difflib.get_close_matches(ref, DATASETS, n=1)
    hint = f' Did you mean "{close[0]}"?' if close else ""
    raise LikenessError(f"no dataset or path named {ref!r}; expected {_expected()}.{hint}")


def _expected() -> str:
    return f"one of {', '.join(DATASETS)}, or the path of a folder ({LAYOUTS}), a CSV (path,label[,split]) or a zip"


def _unzipped(archive: Path, progress: Progress) -> Path:
    status = archive.stat()
    key = hashlib.sha256(f"{archive}\0{status.st_size}\0{status.st_mtime_ns}".encode()).hexdigest()[:16]
    target = cache_dir() / "datasets" / "unpacked" / key
    if not target.is_dir():
        with preparing(target.parent):
            if not target.is_dir():
                unpack(archive, target, progress)
    # Zipping a folder often wraps it in one of its own name.
    inner = [entry for entry in target.iterdir() if not entry.name.startswith((".", "__MACOSX"))]
    wraps = len(inner) == 1 and inner[0].is_dir() and any(entry.is_dir() for entry in inner[0].iterdir())
    return inner[0] if wraps else target


def _content(folder: Path) -> Path:
    """What to read of a folder: its table, Animals-10's ``raw-img``, or itself."""
    table = folder / "labels.csv"
    return table if is_table(table) else animals10.class_root(folder) or folder


def _read(path: Path) -> Candidates:
    if not path.is_dir():
        return read_table(path)
    found = read_folder(path)
    names = english_names(file.label for file in found.files)
    files = [file._replace(label=names[file.label]) for file in found.files] if names else found.files
    return Candidates(found.root, files, found.skipped)


def _empty(source: _Source, skipped: list[SkippedFile]) -> LikenessError:
    example = f"{len(skipped)} files were skipped, such as {skipped[0].path} ({skipped[0].reason})" if skipped else ""
    return LikenessError(
        f"no usable images in {source.path}: {example or 'it holds no files'}. Expected images as {LAYOUTS}, or a CSV "
        f"with path,label[,split]; or name one of {', '.join(DATASETS)}."
    )


def _dataset(
    source: _Source,
    candidates: Candidates,
    found: Scan,
    skipped: list[SkippedFile],
    options: DatasetOptions,
    known_failures: Mapping[str, str],
) -> Dataset:
    ids = np.array(found.ids)
    paths = np.array([file.path for file in found.files])
    labels = np.array([file.label for file in found.files])
    given = np.array([file.split for file in found.files])
    rows = np.flatnonzero(splits.top_classes(labels, options.top_classes))
    assigned = splits.assign_splits(ids[rows], labels[rows], given[rows], options)
    kept = splits.thin_out(ids[rows], labels[rows], assigned, options)
    failed = np.array([id_ in known_failures for id_ in ids[rows].tolist()])
    skipped += [SkippedFile(str(paths[row]), known_failures[str(ids[row])]) for row in rows[kept & failed]]
    rows, assigned = rows[kept & ~failed], assigned[kept & ~failed]
    if not len(rows):
        raise _empty(source, skipped)
    values = np.array([file.metadata for file in found.files]).reshape(len(found.files), len(candidates.columns))
    return Dataset(
        ref=source.ref,
        title=source.title,
        root=candidates.root,
        ids=ids[rows],
        paths=paths[rows],
        labels=labels[rows],
        splits=assigned,
        skipped=tuple(sorted(skipped, key=lambda file: (file.path, file.reason))),
        metadata={name: values[rows, column] for column, name in enumerate(candidates.columns)},
        attribution=source.attribution,
        options=options,
        copies=_copies(found, dict(zip(paths[rows].tolist(), assigned.tolist(), strict=True))),
    )


def _copies(found: Scan, placed: Mapping[str, str]) -> tuple[Copy, ...]:
    """The exact copies of rows; ``placed`` has each row's path and split."""
    return tuple(
        Copy(copy.path, copy.label, placed[of.path] if copy.split == of.split else copy.split, of.path)
        for copy, of in found.copies
        if of.path in placed
    )
