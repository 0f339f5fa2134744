"""Figures of maps, against the arrays they were made from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.class_mixing import Mixing
from core.palette import OTHER
from dashboard.map_charts import Lit, add_classes, add_lit, categories, classes_map, values_map

RANDOM = np.random.default_rng(0)
POINTS = {width: RANDOM.standard_normal((30, width)).astype(np.float32) for width in (2, 3)}
KEYS = np.arange(30) * 1e12
LABELS = np.array(["<b>one</b>", "two", "three"])[np.arange(30) % 3]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=200))
def test_every_point_is_in_one_category_and_the_frequent_have_colours_of_their_own(numbers: list[int]) -> None:
    values = np.array([f"{number:02}" for number in numbers])
    found = categories(values)
    assert sorted(np.concatenate([one.places for one in found]).tolist()) == list(range(len(values)))
    own = [one for one in found if one.colour != OTHER]
    assert len({one.colour for one in own}) == len(own) == min(15, len(set(numbers)))
    assert all(set(values[one.places]) == {one.name} for one in own)
    shared = [one for one in found if one.colour == OTHER]
    assert len(shared) == (len(set(numbers)) > 15)
    if shared:
        rarest = max(np.bincount(numbers)[int(name)] for name in set(values[shared[0].places]))
        assert all(len(one.places) >= rarest for one in own)


def test_colours_with_a_meaning_keep_it_and_their_order() -> None:
    found = categories(
        np.array(["wrong", "right", "wrong"]), {"right": "#111111", "unknown": "#222222", "wrong": "#333333"}
    )
    assert [(one.name, one.colour, one.places.tolist()) for one in found] == [
        ("right", "#111111", [1]),
        ("wrong", "#333333", [0, 2]),
    ]


@pytest.mark.parametrize("width", [2, 3])
def test_each_point_is_where_it_belongs_under_its_key(width: int) -> None:
    figure = classes_map(POINTS[width], KEYS, categories(LABELS))
    seen = {}
    for trace in figure.data:
        axes = [trace[axis] for axis in "xyz"[:width]]
        seen |= dict(zip(trace.customdata.tolist(), zip(*(axis.tolist() for axis in axes), strict=True), strict=True))
        assert "<" not in trace.name.replace("&lt;", "")
    assert seen == {key: tuple(point) for key, point in zip(KEYS.tolist(), POINTS[width].tolist(), strict=True)}
    assert {trace.type for trace in figure.data} == {"scattergl" if width == 2 else "scatter3d"}


def test_what_is_selected_stands_out_in_every_trace() -> None:
    chosen = np.zeros(30, bool)
    chosen[[0, 3, 4]] = True
    figure = classes_map(POINTS[2], KEYS, categories(LABELS), chosen)
    found = {key for trace in figure.data for key in trace.customdata[np.array(trace.selectedpoints, int)].tolist()}
    assert found == set(KEYS[chosen].tolist())
    flat = values_map(POINTS[2], KEYS, POINTS[2][:, 0], "similarity", chosen).data[0]
    assert set(flat.customdata[flat.selectedpoints].tolist()) == found
    solid = classes_map(POINTS[3], KEYS, categories(LABELS), chosen)
    strong = {key for trace in solid.data if trace.marker.opacity > 0.5 for key in trace.customdata.tolist()}
    assert strong == found
    assert sum(len(trace.x) for trace in solid.data) == 30
    coloured = values_map(POINTS[3], KEYS, POINTS[3][:, 0], "similarity", chosen)
    assert sum(len(trace.x) for trace in coloured.data) == 30
    assert len(coloured.data[-1].marker.color) == 3


def test_values_lie_highest_on_top() -> None:
    values = RANDOM.random(30).astype(np.float32)
    trace = values_map(POINTS[2], KEYS, values, "similarity").data[0]
    assert trace.marker.color.tolist() == sorted(values.tolist())
    assert trace.customdata.tolist() == KEYS[np.argsort(values)].tolist()


@pytest.mark.parametrize("width", [2, 3])
def test_class_names_stand_in_the_middle_and_lines_between_the_mixed(width: int) -> None:
    figure = classes_map(POINTS[width], KEYS, categories(LABELS))
    add_classes(figure, POINTS[width], LABELS, [Mixing("three", "two", 0.2), Mixing("<b>one</b>", "two", 0.1)])
    notes = figure.layout.annotations if width == 2 else figure.layout.scene.annotations
    assert [note.text for note in notes] == ["<b>&lt;b&gt;one&lt;/b&gt;</b>", "<b>three</b>", "<b>two</b>"]
    assert notes[2].x == pytest.approx(float(np.median(POINTS[width][LABELS == "two", 0])))
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert [line.hovertext for line in lines] == [
        "three and two: 20.0% of the neighbours of either",
        "&lt;b&gt;one&lt;/b&gt; and two: 10.0% of the neighbours of either",
    ]
    assert lines[0].line.width == 2 * lines[1].line.width


@pytest.mark.parametrize("width", [2, 3])
def test_the_image_that_is_looked_at_is_joined_to_its_neighbours(width: int) -> None:
    points, figure = POINTS[width], classes_map(POINTS[width], KEYS, categories(LABELS))
    before = len(figure.data)
    add_lit(figure, points, Lit(points[4], [7, 9]))
    line = next(trace for trace in figure.data[before:] if trace.mode == "lines")
    assert line.x[[0, 1, 3, 4]].tolist() == points[[4, 7, 4, 9], 0].tolist()
    assert np.isnan(line.x[2])
    assert all(trace.name != "your photo" for trace in figure.data)
    add_lit(figure, points, Lit(np.full(width, 0.5, np.float32), [], new=True))
    assert figure.data[-1].name == "your photo"
    assert figure.data[-1].x.tolist() == [0.5]
