"""Tables of labels: a CSV file with a row for each image."""
# Plain strings, not Paths, for speed, as in scan.py.
# ruff: noqa: PTH118

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.datasets.candidates import SPLIT_NAMES, Candidate, Candidates
from core.errors import LikenessError
from core.records import SPLITS, SkippedFile

# A table column is an array as wide as its longest value, so one absurd value would cost that width in every row.
_LONGEST = 200


def read_table(file: Path) -> Candidates:
    """The rows of a CSV ``path,label[,split]``, in UTF-8; further columns become metadata.

    Paths are absolute or relative to the table's folder. Column names are matched in any case and order. Rows are
    numbered as in a spreadsheet: the header is row 1. A row that cannot be used is skipped with its number.

    Raises:
        LikenessError: the file cannot be read, is not UTF-8 or not CSV, or lacks the path or the label column.
    """
    rows = _rows(file)
    header = next(rows, [])
    names = [name.strip() for name in header]
    reader = _Reader(file, names)
    for number, row in enumerate(rows, start=2):
        if row:
            reader.take(number, row)
    return reader.finish()


def is_table(file: Path) -> bool:
    """Whether a file is a CSV with the columns that :func:`read_table` needs."""
    try:
        return file.is_file() and {"path", "label"} <= {name.strip().casefold() for name in next(_rows(file), [])}
    except LikenessError:
        return False


def _rows(file: Path) -> Iterator[list[str]]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise LikenessError(f"cannot read the table {file}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise LikenessError(f"the table {file} is not in UTF-8 ({error.reason}); save it as CSV UTF-8.") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        yield from reader
    except csv.Error as error:
        raise LikenessError(f"the table {file} is not a proper CSV, line {reader.line_num}: {error}.") from error


class _Reader:
    def __init__(self, file: Path, names: Sequence[str]) -> None:
        self.root = file.parent
        self.names = names
        columns = {name.casefold(): index for index, name in reversed(list(enumerate(names)))}
        if "path" not in columns or "label" not in columns:
            raise LikenessError(
                f"the table {file} has the columns {', '.join(names) or '(none)'}; "
                "expected path and label, and optionally split. Rename its columns, separated by commas."
            )
        self.path, self.label, self.split = columns["path"], columns["label"], columns.get("split")
        self.extra = [index for index in range(len(names)) if index not in {self.path, self.label, self.split}]
        self.files: list[Candidate] = []
        self.skipped: list[SkippedFile] = []
        self._first: dict[str, int] = {}

    def take(self, number: int, row: list[str]) -> None:
        cells = [cell.strip() for cell in row] + [""] * (len(self.names) - len(row))
        path = _within(self.root, cells[self.path]) if cells[self.path] else ""
        problem = self._problem(cells, path)
        if problem:
            self.skipped.append(SkippedFile(path.replace("\0", "\\0"), f"row {number}: {problem}"))
            return
        self._first[path] = number
        split = cells[self.split].casefold() if self.split is not None else ""
        metadata = tuple(cells[index][:_LONGEST] for index in self.extra)
        self.files.append(Candidate(path, cells[self.label], SPLIT_NAMES.get(split, ""), metadata, f"row {number}"))

    def _problem(self, cells: list[str], path: str) -> str:
        split = cells[self.split] if self.split is not None else ""
        if any(cells[len(self.names) :]):
            return f"{len(cells)} values for {len(self.names)} columns; put values with a comma in quotes"
        if any("\0" in cell for cell in cells):
            return "holds a null character"
        if not path:
            return "no path"
        if not cells[self.label]:
            return "no label"
        if len(cells[self.label]) > _LONGEST:
            return f"a label of {len(cells[self.label]):,} characters; the limit is {_LONGEST}"
        if split and split.casefold() not in SPLIT_NAMES:
            return f'split "{split[:_LONGEST]}"; expected {", ".join(SPLITS)}'
        if path in self._first:
            return f"path already given in row {self._first[path]}"
        return ""

    def finish(self) -> Candidates:
        if any(file.split for file in self.files):
            for file in self.files:
                if not file.split:
                    self.skipped.append(SkippedFile(file.path, f"{file.where}: no split, where other rows have one"))
            self.files = [file for file in self.files if file.split]
        columns = tuple(self.names[index] or f"column {index + 1}" for index in self.extra)
        return Candidates(self.root, self.files, self.skipped, columns)


def _within(root: Path, path: str) -> str:
    """The path relative to the root, or absolute for a file outside it."""
    full = os.path.normpath(os.path.join(root, path))
    inside = os.path.join(root, "")
    return full[len(inside) :] if full.startswith(inside) else full
