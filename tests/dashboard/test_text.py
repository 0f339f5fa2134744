from __future__ import annotations

import html

from hypothesis import given
from hypothesis import strategies as st

from dashboard.text import count, figure_text, interval, literal, plain, share, shortened


def unescaped(text: str) -> str:
    """What a Markdown reader makes of backslash escapes."""
    out, characters = [], iter(text)
    for character in characters:
        out.append(next(characters) if character == "\\" else character)
    return "".join(out)


@given(st.text())
def test_escaping_changes_what_is_read_not_what_is_seen(name: str) -> None:
    assert unescaped(plain(name)) == literal(name)


@given(st.text(alphabet="<>[]()*_`#$:!|~\\&abc"))
def test_nothing_that_markdown_acts_on_is_left_bare(name: str) -> None:
    shown = plain(name)
    for position, character in enumerate(shown):
        if character in "<>[]()*_`#$:!|~&":
            before = shown[:position]
            assert (len(before) - len(before.rstrip("\\"))) % 2 == 1


@given(st.text())
def test_figures_show_names_and_read_no_tags_in_them(name: str) -> None:
    shown = figure_text(name)
    assert "<" not in shown
    assert html.unescape(shown) == literal(name)


def test_long_names_end_in_an_ellipsis() -> None:
    assert [shortened("abcdef", most) for most in (7, 6, 5)] == ["abcdef", "abcdef", "abcd…"]


def test_control_and_direction_marks_are_taken_out() -> None:
    assert (
        literal("a\nb\x1b[31m\u202egnp.exe\udcff") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}[31mgnp.exe?"
    )


def test_numbers_in_words() -> None:
    assert share(0.9671) == "96.7%"
    assert interval(0.955, 0.978) == "[95.5\N{EN DASH}97.8]"
    assert count(1, "class", "classes") == "1 class"
    assert count(3900, "image") == "3,900 images"
