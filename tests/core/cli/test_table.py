"""Plain tables and the progress bar."""

from __future__ import annotations

import pytest

from core.cli.progress_bar import ProgressBar
from core.cli.table import clean, table


def test_columns_line_up_names_left_and_numbers_right() -> None:
    assert table(("model", "P@5"), [("a", "0.9"), ("longer", "10.25")]).splitlines() == [
        "model     P@5",
        "-------------",
        "a         0.9",
        "longer  10.25",
    ]


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\r", "\x7f", "\x9b", "\udcff", "\0"])
def test_nothing_a_terminal_would_obey_is_left(text: str) -> None:
    shown = clean(text)
    assert shown.encode()
    assert all(character.isprintable() for character in shown)


def test_plain_text_is_left_alone() -> None:
    assert clean("Ünï 🦊 <b> 'x'") == "Ünï 🦊 <b> 'x'"


def test_the_bar_is_silent_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar() as bar:
        bar("Embedding", 0, 10)
        bar("Embedding", 10, 10)
        bar("Evaluating", 0, 0)
    assert capsys.readouterr() == ("", "")
