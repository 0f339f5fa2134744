"""Plotly figures of classes: how good each is with each model, and what comes back instead. Imports no streamlit."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.drill_down import Confusion
from core.palette import SEQUENTIAL
from core.per_class import ClassMetric, ClassTable
from dashboard.model_charts import LEAST, SCALE, TEXT
from dashboard.text import count, figure_text, shortened

# The paler half of the blue of differences, so that a value is not taken for one.
_SEQUENTIAL = list(zip((0, 0.5, 1), SEQUENTIAL, strict=True))
_LEAST_RANGE = 0.1  # values closer together than this do not take the whole scale
_ROWS = ((12, 36), (40, 26))  # height of a row in pixels, up to so many classes
_LEAST_ROW = 20
_UPRIGHT = 8  # more models than this have upright names and two decimals
_NAME, _MODEL, _TOOLTIP = 24, 20, 56  # characters
_WRONG = "#D55E00"
_FRAME = (("#ffffff", 7), ("#1a1a1a", 3))  # seen in either theme
_CLEAR, _SELECTED = "rgba(0,0,0,0)", "rgba(0,0,0,0.25)"
_MEASURED = 20  # pixels below the names of the models alone; see split_names
_MOST_BARS = 10


def heatmap(
    table: ClassTable, metric: ClassMetric, chosen: tuple[str, str] | None = None, baseline: str | None = None
) -> go.Figure:
    """Classes down and models across; every cell has a marker whose ``customdata`` is its class and model.

    Args:
        table: values, or differences to ``baseline``; classes are drawn in its order.
        metric: what was measured.
        chosen: class and model of a cell to outline.
        baseline: the model that the others are compared with, if they are.
    """
    rows, columns = list(range(len(table.classes))), list(range(len(table.models)))
    colours = _value_colours(table) if baseline is None else _difference_colours(table)
    figure = go.Figure()
    figure.add_heatmap(
        x=columns, y=rows, **colours, text=_cells(table, "" if baseline is None else "+"), texttemplate="%{text}",
        textfont={"color": TEXT}, showscale=False, xgap=2, ygap=2, hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=columns * len(rows), y=np.repeat(rows, len(columns)), mode="markers",
        customdata=[[label, model] for label in table.classes for model in table.models],
        text=_tooltips(table, metric, baseline),
        hovertemplate="%{text}<br><br>" + "<br>".join(textwrap.wrap(metric.definition, _TOOLTIP)) + "<extra></extra>",
        marker={"symbol": "square", "size": 18, "color": _CLEAR}, selected_marker_color=_SELECTED,
        unselected_marker_opacity=1,
    )  # fmt: skip
    if chosen is not None and chosen[1] in table.models:
        _outline(figure, table, chosen)
    return _laid_out(figure, table)


def split_names(figure: go.Figure) -> tuple[go.Figure, go.Figure]:
    """A heatmap as two figures of the same width: the names of the models, to stay in view, and the cells to scroll."""
    header = figure.layout.margin.t
    names = go.Figure(layout=figure.layout)
    names.add_scatter(x=[0], y=[0], mode="none")  # without a trace no axis is drawn
    # The classes are there but not seen: their names decide how wide the margin is. They are not measured if too low.
    names.update_yaxes(tickfont_color=_CLEAR, tickcolor=_CLEAR)
    names.update_layout(height=header + _MEASURED, margin_b=0, minreducedheight=2, hovermode=False)
    cells = go.Figure(figure)
    cells.update_xaxes(showticklabels=False, ticks="")
    cells.update_layout(height=figure.layout.height - header, margin_t=0)
    return names, cells


def confusions(found: Sequence[Confusion]) -> go.Figure:
    """The classes that come back instead, most frequent on top: shares of all that was retrieved."""
    shown = list(found[:_MOST_BARS])
    rows = list(range(len(shown)))
    figure = go.Figure()
    figure.add_bar(
        y=rows, x=[one.share for one in shown], orientation="h", marker_color=_WRONG,
        text=[f"{one.share:.1%}" for one in shown], textposition="auto", cliponaxis=False,
        customdata=[f"<b>{figure_text(one.label)}</b><br>{one.count:,} images, for {one.queries:,} queries"
                    for one in shown],
        hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip
    names = [figure_text(shortened(one.label, _NAME)) for one in shown]
    figure.update_yaxes(tickmode="array", tickvals=rows, ticktext=names, autorange="reversed")
    figure.update_xaxes(title="Share of the images that came back", tickformat="~%", rangemode="tozero")
    figure.update_layout(height=90 + 28 * len(shown), margin={"l": 10, "r": 10, "t": 10, "b": 10})
    return figure


def excludes_zero(table: ClassTable) -> NDArray[np.bool_]:
    """Differences whose interval leaves out 0, shape ``(C, M)``."""
    return (table.low > 0) | (table.high < 0)


def _value_colours(table: ClassTable) -> dict[str, Any]:
    worst, best = float(np.nanmin(table.goodness)), float(np.nanmax(table.goodness))
    return {"z": table.goodness, "zmin": min(worst, best - _LEAST_RANGE), "zmax": best, "colorscale": _SEQUENTIAL}


def _difference_colours(table: ClassTable) -> dict[str, Any]:
    """Differences that chance may explain are grey."""
    apart = excludes_zero(table)
    largest = float(np.abs(table.values[apart]).max(initial=0)) or 1.0
    strength = np.copysign(LEAST + (1 - LEAST) * np.abs(table.values) / largest, table.goodness)
    z = np.where(np.isnan(table.values), np.nan, np.where(apart, strength, 0.0))
    return {"z": z, "zmin": -1, "zmax": 1, "colorscale": SCALE}


def _cells(table: ClassTable, sign: str) -> NDArray[np.object_]:
    """What stands in the cells: nothing where there is no value."""
    decimals = 3 if len(table.models) <= _UPRIGHT else 2
    rounded = table.values.round(decimals) + 0.0  # never -0.0
    texts = ["" if np.isnan(value) else f"{value:{sign}.{decimals}f}" for value in rounded.ravel()]
    return np.array(texts, object).reshape(rounded.shape)


def _tooltips(table: ClassTable, metric: ClassMetric, baseline: str | None) -> list[str]:
    sign, less = ("", "") if baseline is None else ("+", f" less {figure_text(baseline)}")
    models = [f"{figure_text(model)}{less}" for model in table.models]
    texts = []
    for place, label in enumerate(table.classes):
        name, support = figure_text(shortened(label, _TOOLTIP)), int(table.support[place])
        for column, model in enumerate(models):
            value, low, high = (side[place, column] for side in (table.values, table.low, table.high))
            found = f"{metric.title} {value:{sign}.4f}, 95% interval [{low:{sign}.4f}, {high:{sign}.4f}]"
            said = f"{found}<br>over {count(support, *metric.counted)}" if support else "nothing counts here"
            texts.append(f"<b>{name}</b><br>{model}<br>{said}")
    return texts


def _outline(figure: go.Figure, table: ClassTable, chosen: tuple[str, str]) -> None:
    row, column = table.classes.index(chosen[0]), table.models.index(chosen[1])
    for colour, width in _FRAME:
        figure.add_shape(
            type="rect", x0=column - 0.5, x1=column + 0.5, y0=row - 0.5, y1=row + 0.5,
            line={"color": colour, "width": width},
        )  # fmt: skip


def _laid_out(figure: go.Figure, table: ClassTable) -> go.Figure:
    upright = len(table.models) > _UPRIGHT
    models = [figure_text(shortened(model, _MODEL)) for model in table.models]
    if not upright:
        models = [model.replace("_", "_<br>", 1) for model in models]
    header = 20 + 7 * max(map(len, models)) if upright else 50
    height = next((height for most, height in _ROWS if len(table.classes) <= most), _LEAST_ROW)
    labels = [
        f"{figure_text(shortened(label, _NAME))} ({support:,})"
        for label, support in zip(table.classes, table.support, strict=True)
    ]
    axis = {"tickmode": "array", "showgrid": False, "zeroline": False, "fixedrange": True}
    figure.update_xaxes(
        side="top", range=[-0.5, len(models) - 0.5], tickvals=list(range(len(models))), ticktext=models,
        tickangle=-90 if upright else 0, **axis,
    )  # fmt: skip
    figure.update_yaxes(
        range=[len(labels) - 0.5, -0.5], tickvals=list(range(len(labels))), ticktext=labels, automargin=True, **axis
    )
    figure.update_layout(
        height=header + height * len(labels) + 10, margin={"l": 10, "r": 10, "t": header, "b": 10},
        hoverdistance=-1, hoverlabel_align="left",
    )  # fmt: skip
    return figure
