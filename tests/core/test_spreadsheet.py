"""Values in CSV files: none is a formula, and each can be read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.spreadsheet import guarded, unguarded

# Full-width forms too, which some spreadsheets take for the plain ones.
SIGNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"


@given(st.one_of(st.text(), st.builds(str.__add__, st.sampled_from([*SIGNS, "'"]), st.text())))
def test_every_value_comes_back_and_none_starts_a_formula(value: str) -> None:
    written = guarded(value)
    assert unguarded(written) == value
    assert written[:1] not in set(SIGNS)


@pytest.mark.parametrize("value", ["", "cat", "golf ball", "a=b", "3-4", " =1", "éclair"])
def test_ordinary_values_stay_as_they_are(value: str) -> None:
    assert guarded(value) == value


@pytest.mark.parametrize("sign", [*SIGNS, "'"])
def test_an_apostrophe_stands_before_what_could_be_one(sign: str) -> None:
    assert guarded(f"{sign}SUM(A1)") == f"'{sign}SUM(A1)"
