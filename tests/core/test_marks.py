"""Label marks: a round trip for every name, never a formula, and nothing lost from the file."""

from __future__ import annotations

import csv
import io
import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import marks
from core.errors import LikenessError
from core.marks import as_csv, mark, marked_rows, unmark
from core.records import Dataset

HOSTILE = [
    "=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "\rx", "\nx", "\uff1d1", "'x", "''", "a,b", 'say "no"', "two\r\nlines",
    "🙂", "\u202eevil", "", "content_id",
]  # fmt: skip


def named(labels: list[str], ref: str = "ref", first: int = 0) -> Dataset:
    """A dataset with these labels, which are its paths too."""
    ids = np.array([f"{first + number:032x}" for number in range(len(labels))])
    names = np.array(labels)
    return Dataset(ref, "t", Path("/x"), ids, names, names, np.array(["train"] * len(labels)))


@pytest.fixture
def sheet(cache: Path) -> Path:
    return cache / marks.NAME


def _lines(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_marks_are_made_and_taken_back(sheet: Path) -> None:
    dataset = named(["a", "b", "c"])
    assert marked_rows(dataset).tolist() == []
    for row in (2, 0, 2):
        mark(dataset, row)
    assert marked_rows(dataset).tolist() == [0, 2]
    assert marked_rows(dataset).dtype == np.intp
    unmark(dataset, 0)
    unmark(dataset, 1)
    assert marked_rows(dataset).tolist() == [2]
    header, line = _lines(sheet.read_bytes())
    assert header == ["content_id", "path", "label", "dataset", "marked_at"]
    assert line[:4] == [f"{2:032x}", "c", "c", "ref"]
    age = datetime.now(UTC) - datetime.fromisoformat(line[4])
    assert 0 <= age.total_seconds() < 60
    assert as_csv() == sheet.read_bytes()


def test_marking_again_keeps_the_first_time(sheet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark(named(["a"]), 0)
    before = sheet.read_bytes()
    monkeypatch.setattr("core.files.write_bytes", lambda *_: pytest.fail("written again"))
    mark(named(["a"], ref="other"), 0)
    assert sheet.read_bytes() == before


def test_a_mark_counts_while_the_image_has_that_label() -> None:
    dataset = named(["cat", "cat"])
    mark(dataset, 0)
    assert marked_rows(replace(dataset, labels=np.array(["dog", "cat"]))).tolist() == []
    assert marked_rows(replace(dataset, paths=np.array(["x", "y"]), ref="elsewhere")).tolist() == [0]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_come_back_and_are_no_formula(name: str, sheet: Path) -> None:
    dataset = named([name, "other"], ref=name)
    mark(dataset, 0)
    assert marked_rows(dataset).tolist() == [0]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d")) for cell in _lines(as_csv())[1])
    (one,), foreign = marks._read(sheet)
    assert (one.path, one.label, one.dataset, foreign) == (name, name, name, [])


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.text(max_size=12), st.sampled_from(HOSTILE)), min_size=1, max_size=5), st.data())
def test_any_names_come_back(sheet: Path, names: list[str], data: st.DataObject) -> None:
    sheet.unlink(missing_ok=True)
    dataset = named([name.rstrip("\0") for name in names])  # numpy cuts null characters off the end
    rows = data.draw(st.sets(st.integers(0, len(names) - 1), min_size=1))
    for row in rows:
        mark(dataset, row)
    assert marked_rows(dataset).tolist() == sorted(rows)
    kept, foreign = marks._read(sheet)
    assert sorted(one.label for one in kept) == sorted(str(dataset.labels[row]) for row in rows)
    assert foreign == []
    for row in rows:
        unmark(dataset, row)
    assert _lines(sheet.read_bytes())[1:] == []


def test_lines_that_are_no_marks_are_kept(sheet: Path, caplog: pytest.LogCaptureFixture) -> None:
    mark(named(["a"]), 0)
    odd = ["my own, note", f'{5:032x},p,l,d,"not a time"', "short,2026-01-01", "x,p,l,d,2026-01-01T00:00:00+00:00"]
    sheet.write_bytes(sheet.read_bytes() + "\n".join(odd).encode() + b"\n\n")
    with caplog.at_level(logging.WARNING):
        assert marked_rows(named(["a"])).tolist() == [0]
    assert "4 lines are no label marks" in caplog.text
    mark(named(["b"], first=1), 0)
    assert _lines(sheet.read_bytes())[3:] == [next(csv.reader([line])) for line in odd]
    assert len(_lines(as_csv())) == 3
    unmark(named(["b"], first=1), 0)
    assert _lines(sheet.read_bytes())[2:] == [next(csv.reader([line])) for line in odd]


@pytest.mark.parametrize("damage", [b"\xff\xfe\x00", b'"open, and never closed\n', b'a,"b"c\n'])
def test_a_file_that_is_no_csv_is_refused_and_untouched(sheet: Path, damage: bytes) -> None:
    mark(named(["a"]), 0)
    content = sheet.read_bytes() + damage
    sheet.write_bytes(content)
    for action in (lambda: mark(named(["b"]), 0), lambda: unmark(named(["a"]), 0), as_csv):
        with pytest.raises(LikenessError, match="Mend it"):
            action()
    with pytest.raises(LikenessError, match="Mend it"):
        marked_rows(named(["a"]))
    assert sheet.read_bytes() == content


def test_a_sheet_saved_by_a_spreadsheet_is_read(sheet: Path) -> None:
    mark(named(["=a"]), 0)
    text = sheet.read_text("utf-8-sig").replace("\r\n", "\n")
    sheet.write_text(text, "utf-8", newline="")
    assert marked_rows(named(["=a"])).tolist() == [0]


def test_marks_made_at_once_are_all_kept() -> None:
    dataset = named([str(number) for number in range(8)])
    threads = [threading.Thread(target=mark, args=(dataset, row)) for row in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert marked_rows(dataset).tolist() == list(range(8))
