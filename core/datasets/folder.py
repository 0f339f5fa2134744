"""Folders of class folders."""

from __future__ import annotations

from pathlib import Path

from core.datasets.candidates import SPLIT_NAMES, Candidate, Candidates
from core.datasets.walk import walk
from core.errors import LikenessError
from core.records import SkippedFile

LAYOUTS = "<class>/<image> or train|val|test/<class>/<image>"


def read_folder(root: Path) -> Candidates:
    """The files of ``<class>/…`` or ``train|val|test/<class>/…``; folders further down belong to the class above.

    The split layout is recognised by its folder names, in any case, ``valid``, ``validation``, ``training`` and
    ``testing`` included: every top folder that holds files is so named, or train and one other are. Whether a file
    is an image is not asked here.

    Raises:
        LikenessError: the folder cannot be read, or its path is not valid UTF-8.
    """
    try:
        files, skipped = walk(root)
    except OSError as error:
        raise LikenessError(f"cannot read the folder {root}: {error.strerror}; check that you may open it.") from error
    depth = 2 if _has_splits(files) else 1
    found: list[Candidate] = []
    for path in files:
        *folders, _ = path.split("/")
        split = SPLIT_NAMES.get(folders[0].casefold(), "") if depth == 2 and folders else ""
        if len(folders) < depth:
            skipped.append(SkippedFile(path, "outside any class folder"))
        elif depth == 2 and not split:
            skipped.append(SkippedFile(path, "outside the train, val and test folders"))
        else:
            found.append(Candidate(path, folders[depth - 1], split))
    return Candidates(root, found, skipped)


def _has_splits(files: list[str]) -> bool:
    folders = [path.split("/")[:-1] for path in files]
    tops = {parts[0].casefold() for parts in folders if parts}
    if tops and tops <= SPLIT_NAMES.keys():
        return True
    # With other folders beside them these names are splits only if they have class folders of their own:
    # "train" beside "bus" and "tram" is a vehicle.
    deep = {parts[0].casefold() for parts in folders if len(parts) > 1}
    splits = {SPLIT_NAMES[top] for top in deep if top in SPLIT_NAMES}
    return "train" in splits and len(splits) > 1
