"""Labels that a person says are wrong: one CSV in the cache folder, to read and to mend in a spreadsheet.

A mark is of an image's content and a label, whatever dataset it was made in: it counts only while the image still bears
that label. Lines that are no marks are kept as they are, below the others; a file that is no CSV is never replaced.
"""

from __future__ import annotations

import csv
import io
import logging
import re
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import files
from core.errors import LikenessError
from core.paths import cache_dir
from core.records import Dataset
from core.spreadsheet import guarded, unguarded

NAME = "label_marks.csv"
_ID = re.compile(r"[0-9a-f]{32}")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mark:
    """One mark: the image (content id, path and dataset when it was marked), the wrong label, and when (ISO, UTC)."""

    content_id: str
    path: str
    label: str
    dataset: str
    marked_at: str


_HEADER = [field.name for field in fields(Mark)]
_Lines = list[list[str]]


def mark(dataset: Dataset, row: int) -> None:
    """Say that the label of a row is wrong; saying so again changes nothing.

    Raises:
        LikenessError: the file of marks is damaged or cannot be written.
    """
    key, label = str(dataset.ids[row]), str(dataset.labels[row])
    now = datetime.now(UTC).isoformat(timespec="seconds")
    new = Mark(key, str(dataset.paths[row]), label, dataset.ref, now)
    _change(lambda marks: marks if _is_of(marks, key, label) else [*marks, new])


def unmark(dataset: Dataset, row: int) -> None:
    """Take back that the label of a row is wrong.

    Raises:
        LikenessError: the file of marks is damaged or cannot be written.
    """
    key, label = str(dataset.ids[row]), str(dataset.labels[row])
    _change(lambda marks: [one for one in marks if (one.content_id, one.label) != (key, label)])


def marked_rows(dataset: Dataset) -> NDArray[np.intp]:
    """Rows whose label, as it is now, is marked as wrong, ascending.

    Raises:
        LikenessError: the file of marks is damaged.
    """
    marks, _ = _read(_file())
    # From the few marks to their rows: pages ask at every rerun, and a dataset has many rows.
    known = ((dataset.row_of.get(one.content_id), one.label) for one in marks)
    return np.array(sorted({row for row, label in known if row is not None and dataset.labels[row] == label}), np.intp)


def as_csv() -> bytes:
    """All marks as a CSV that a spreadsheet reads: UTF-8 with a byte order mark, no cell a formula.

    Raises:
        LikenessError: the file of marks is damaged.
    """
    marks, _ = _read(_file())
    return _encoded(marks, [])


def _file() -> Path:
    return cache_dir() / NAME


def _is_of(marks: list[Mark], key: str, label: str) -> bool:
    return any((one.content_id, one.label) == (key, label) for one in marks)


def _change(edit: Callable[[list[Mark]], list[Mark]]) -> None:
    path = _file()
    with files.locked(path):
        marks, foreign = _read(path)
        edited = edit(marks)
        if edited != marks:
            files.write_bytes(path, _encoded(edited, foreign))


def _read(path: Path) -> tuple[list[Mark], _Lines]:
    """The marks of a file, and its lines that are none."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except FileNotFoundError:
        return [], []
    except OSError as error:
        raise LikenessError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise LikenessError(
            f"{path} is not a CSV in UTF-8 ({error}), and the label marks in it are not touched. Mend it, or move it "
            "away to start anew."
        ) from error
    parsed = [(line, _parse(line)) for line in lines if line != _HEADER]
    foreign = [line for line, one in parsed if one is None]
    if foreign:
        _log.warning(
            "%s: %d lines are no label marks and are kept unused, such as %.200s", path, len(foreign), foreign[0]
        )
    return [one for _, one in parsed if one is not None], foreign


def _parse(line: list[str]) -> Mark | None:
    if len(line) != len(_HEADER):
        return None
    found = Mark(*map(unguarded, line))
    try:
        datetime.fromisoformat(found.marked_at)
    except ValueError:
        return None
    return found if _ID.fullmatch(found.content_id) else None


def _encoded(marks: list[Mark], foreign: _Lines) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_HEADER)
    writer.writerows([guarded(value) for value in astuple(one)] for one in marks)
    writer.writerows(foreign)
    return text.getvalue().encode("utf-8-sig")
