"""Words for numbers and names."""

from __future__ import annotations

import pytest

from core.palette import SEQUENTIAL, blend
from core.words import listed


@pytest.mark.parametrize(
    ("names", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_a_list_is_read_as_a_sentence(names: list[str], said: str) -> None:
    assert listed(names) == said


def test_the_scale_of_colours_passes_through_all_of_its_stops() -> None:
    assert [blend(share) for share in (0.0, 0.5, 1.0)] == list(SEQUENTIAL)
    assert blend(0.25) == "#d3e3ec"
