from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.drill_down import Confusion
from core.per_class import CLASS_METRICS, Better, ClassTable
from dashboard.class_charts import confusions, excludes_zero, heatmap, split_names
from tests.workplace import HOSTILE

P_AT_5 = CLASS_METRICS["precision_at_5"]


def table(classes: int, models: int, better: Better = "higher") -> ClassTable:
    """Values that all differ; the last class has none."""
    values = np.linspace(0.2, 0.9, classes * models).reshape(classes, models)
    support = np.arange(classes)[::-1]
    values[support == 0] = np.nan
    names = [f"class {place}" for place in range(classes)]
    return ClassTable(
        names, [f"model_{place}" for place in range(models)], values, values - 0.1, values + 0.1, support, better
    )


@pytest.mark.parametrize(("classes", "models"), [(2, 1), (2, 2), (10, 3), (200, 16)])
def test_every_cell_has_a_marker_that_names_its_class_and_model(classes: int, models: int) -> None:
    given = table(classes, models)
    cells, markers = heatmap(given, P_AT_5).data
    assert np.shape(cells.z) == np.shape(cells.text) == (classes, models)
    assert len(markers.x) == len(markers.y) == len(markers.text) == len(markers.customdata) == classes * models
    for x, y, (label, model) in zip(markers.x, markers.y, markers.customdata, strict=True):
        assert given.classes[y] == label
        assert given.models[x] == model


@pytest.mark.parametrize(("classes", "least", "most"), [(2, 100, 200), (10, 300, 500), (200, 3000, 5000)])
def test_the_height_fits_the_classes(classes: int, least: int, most: int) -> None:
    layout = heatmap(table(classes, 3), P_AT_5).layout
    assert least <= layout.height <= most
    assert layout.yaxis.range == (classes - 0.5, -0.5)  # the first on top
    assert len(layout.yaxis.ticktext) == classes
    assert layout.yaxis.ticktext[0] == f"class 0 ({classes - 1})"


def test_a_class_without_support_is_empty() -> None:
    cells, markers = heatmap(table(3, 2), P_AT_5).data
    assert np.isnan(np.array(cells.z, float)[2]).all()
    assert list(cells.text[2]) == ["", ""]
    assert cells.text[0][0] == "0.200"
    assert "nothing counts here" in markers.text[-1]
    assert "P@5 0.2000, 95% interval [0.1000, 0.3000]<br>over 2 queries" in markers.text[0]
    assert "averaged over its queries" in markers.hovertemplate.replace("<br>", " ")


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_the_deepest_colour_is_the_best_value(better: Better) -> None:
    given = table(4, 2, better)
    cells = heatmap(given, P_AT_5).data[0]
    z, best = np.array(cells.z, float), (np.nanmax if better == "higher" else np.nanmin)(given.values)
    assert given.values.ravel()[np.nanargmax(z)] == best
    assert cells.zmax == np.nanmax(z)
    assert cells.zmin == np.nanmin(z)


def test_values_that_hardly_differ_hardly_differ_in_colour() -> None:
    values = np.array([[0.90, 0.91]])
    cells = heatmap(ClassTable(["a"], ["x", "y"], values, values, values, np.array([9]), "higher"), P_AT_5).data[0]
    assert cells.zmax - cells.zmin == pytest.approx(0.1)


@pytest.mark.parametrize(("better", "sign"), [("higher", 1), ("lower", -1)])
def test_only_differences_beyond_chance_are_coloured_and_blue_is_better(better: Better, sign: int) -> None:
    values = np.array([[0.4, -0.1], [0.05, -0.0001], [np.nan, np.nan]])
    low, high = values - 0.06, values + 0.06
    given = ClassTable(list("abc"), ["x", "y"], values, low, high, np.array([5, 5, 0]), better)
    assert excludes_zero(given).tolist() == [[True, True], [False, False], [False, False]]
    figure = heatmap(given, CLASS_METRICS["eer"], baseline="base")
    cells, markers = figure.data
    z = np.array(cells.z, float)
    assert (cells.zmin, cells.zmax) == (-1, 1)
    assert z[0, 0] == sign
    assert -0.6 < sign * z[0, 1] < -0.4  # small, but it shows
    assert z[1].tolist() == [0, 0]
    assert np.isnan(z[2]).all()
    assert [list(row) for row in cells.text] == [["+0.400", "-0.100"], ["+0.050", "+0.000"], ["", ""]]
    assert "x less base<br>EER +0.4000, 95% interval [+0.3400, +0.4600]<br>over 5 images" in markers.text[0]


def test_the_chosen_cell_is_outlined_where_it_is_shown() -> None:
    given = table(5, 3).take(np.array([4, 2, 0, 1, 3]))
    shapes = heatmap(given, P_AT_5, ("class 2", "model_1")).layout.shapes
    assert {(shape.x0, shape.x1, shape.y0, shape.y1) for shape in shapes} == {(0.5, 1.5, 0.5, 1.5)}
    assert not heatmap(given, P_AT_5, ("class 2", "the baseline")).layout.shapes


def test_names_are_text_and_short() -> None:
    label = HOSTILE + "x" * 200
    given = replace(table(2, 1), classes=[label, "b"], models=["<b>m</b>"])
    figure = heatmap(given, P_AT_5)
    markers = figure.data[1]
    for shown in (figure.layout.yaxis.ticktext[0], markers.text[0], figure.layout.xaxis.ticktext[0]):
        assert "<img" not in shown
        assert "<b>m" not in shown
        assert len(shown) < 250
    assert "&lt;b&gt;m" in figure.layout.xaxis.ticktext[0]
    assert list(markers.customdata[0]) == [label, "<b>m</b>"]


def test_names_that_stay_in_view_stand_above_their_columns() -> None:
    whole = heatmap(table(200, 16), P_AT_5)
    names, cells = split_names(whole)
    assert names.layout.xaxis.ticktext == whole.layout.xaxis.ticktext
    assert names.layout.xaxis.range == cells.layout.xaxis.range
    assert names.layout.yaxis.ticktext == cells.layout.yaxis.ticktext  # as wide on the left
    assert (names.layout.margin.l, names.layout.margin.r) == (cells.layout.margin.l, cells.layout.margin.r)
    assert names.layout.height < 200
    assert cells.layout.xaxis.showticklabels is False
    assert len(cells.data) == 2
    assert cells.layout.height == whole.layout.height - whole.layout.margin.t


def test_confusions_come_most_frequent_first() -> None:
    found = [Confusion(f"class {i}", 20 - i, (20 - i) / 100, 3) for i in range(15)]
    figure = confusions([Confusion(HOSTILE, 30, 0.3, 9), *found])
    (bars,) = figure.data
    assert list(bars.x) == [0.3, *(one.share for one in found[:9])]
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.yaxis.ticktext[0].startswith("&lt;img")
    assert bars.customdata[1] == "<b>class 0</b><br>20 images, for 3 queries"
