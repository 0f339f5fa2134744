"""Drawings are well-formed whatever is written in them, and scales put values where they belong."""

from __future__ import annotations

import math
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from core.report.svg import Axis, Scale, drawing, element, path, percent, plot, words
from core.words import literal


@given(st.text(), st.text())
def test_text_and_values_stay_text(inside: str, value: str) -> None:
    read = ElementTree.fromstring(element("text", inside, class_="a", data_name=literal(value)))
    assert (read.text or "").replace("\r", "\n") == literal(inside).replace("\r", "\n")
    assert list(read) == []
    assert set(read.attrib) == {"class", "data-name"}


def test_markup_inside_is_kept_and_its_like_in_text_is_not() -> None:
    read = ElementTree.fromstring(element("g", element("path", d="M0,0"), "<path/>"))
    assert [child.tag for child in read] == ["path"]
    assert read[0].tail == "<path/>"


def test_a_drawing_says_what_it_shows() -> None:
    read = ElementTree.fromstring(drawing("<script> & more", Markup("<g/>"), width=10, height=20))
    assert read.attrib["role"] == "img"
    assert read.attrib["viewBox"] == "0 0 10 20"
    assert read[0].tag == "title"
    assert read[0].text == "<script> & more"


def test_a_path_can_be_closed() -> None:
    assert 'd="M1.0,2.0 3.0,4.0Z"' in path([(1, 2), (3, 4)], closed=True)
    assert 'text-anchor="end"' in words("a", 1, 2, "end")


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_round_even_and_within(low: float, width: float) -> None:
    scale = Scale(low, low + width, 0, 100)
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 6
    assert all(low - 1e-6 * width <= tick <= low + width * (1 + 1e-6) for tick in ticks)
    steps = [b - a for a, b in pairwise(ticks)]
    for step in steps:
        assert math.isclose(step, steps[0], rel_tol=1e-3)
    leading = steps[0] / 10 ** math.floor(math.log10(steps[0]) + 1e-3)
    assert min(abs(leading - round_) for round_ in (1, 2, 5)) < 0.01


@pytest.mark.parametrize(("low", "wanted"), [(1e-3, [0.001, 0.01, 0.1, 1.0]), (3e-4, [0.001, 0.01, 0.1, 1.0])])
def test_logarithmic_ticks_are_powers_of_ten(low: float, wanted: list[float]) -> None:
    scale = Scale(low, 1.0, 0, 90, log=True)
    assert scale.ticks() == pytest.approx(wanted)
    assert scale(low) == 0
    assert scale(1.0) == 90
    assert scale(0.0) == 0, "what is too small to draw is drawn at the end"


def test_a_logarithmic_scale_has_equal_steps_for_equal_ratios() -> None:
    scale = Scale(1e-4, 1.0, 0, 100, log=True)
    assert [scale(10.0**-power) for power in (4, 3, 2, 1, 0)] == pytest.approx([0, 25, 50, 75, 100])


def test_a_plot_draws_its_axes_and_what_is_inside() -> None:
    def inside(across: Scale, up: Scale) -> list[Markup]:
        return [element("circle", cx=across(5.0), cy=up(0.5), r=2)]

    x, y = Axis("time & place", 0, 10), Axis("share", 0, 1, percent)
    read = ElementTree.fromstring(plot("a chart", x, y, inside))
    texts = [one.text for one in read.iter("text")]
    assert {"0", "10", "0%", "100%", "time & place", "share"} <= set(texts)
    (circle,) = read.iter("circle")
    places = {one.text: float(one.attrib["x"]) for one in read.iter("text")}
    assert float(circle.attrib["cx"]) == pytest.approx((places["0"] + places["10"]) / 2, abs=0.1)
