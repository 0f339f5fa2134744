"""Plotly figures of maps: points coloured by what is known of the images. Imports no streamlit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.class_mixing import Mixing
from core.palette import OTHER, class_colours
from dashboard.text import count, figure_text, share, shortened

_RING = (("#ffffff", 4.0), ("#1a1a1a", 2.0))  # seen in either theme
_PLACED = "#D55E00"
_HEIGHT = 560
_NAME = 22  # letters
_LABEL = "rgba(26, 26, 26, 0.65)"
_WIDEST, _FAINT = 9.0, "rgba(213, 94, 0, 0.55)"


@dataclass(frozen=True)
class Category:
    """Points of one colour.

    Attributes:
        name: for the legend.
        colour: ``#rrggbb``.
        places: of the points, ascending, ``(m,)``.
    """

    name: str
    colour: str
    places: NDArray[np.intp]


@dataclass(frozen=True)
class Lit:
    """A point to find at a glance: the chosen image or a new one, and lines to its neighbours.

    Attributes:
        point: where it is, ``(d,)``.
        neighbours: places of the points that are most alike.
        new: whether it is no image of the dataset.
    """

    point: NDArray[np.float32]
    neighbours: Sequence[int]
    new: bool = False


def categories(values: NDArray[np.str_], colours: dict[str, str] | None = None) -> list[Category]:
    """A colour for each value; those of later categories lie on top.

    Args:
        values: of the points, ``(n,)``.
        colours: of all values, where these mean something already: the categories have their order. Otherwise they
            have the order of names, and the rarest beyond fifteen share one grey below the others.
    """
    names, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    known = {str(name): code for code, name in enumerate(names)}
    if colours is None:
        colours = class_colours(dict(zip(known, counts.tolist(), strict=True)))
    found = [Category(n, colour, np.flatnonzero(codes == known[n])) for n, colour in colours.items() if n in known]
    rest = np.flatnonzero(np.isin(codes, [code for name, code in known.items() if name not in colours]))
    if len(rest):
        found.insert(0, Category(count(len(known.keys() - colours.keys()), "other"), OTHER, rest))
    return found


def classes_map(
    points: NDArray[np.float32], keys: NDArray[np.float64], shown: Sequence[Category],
    selected: NDArray[np.bool_] | None = None,
) -> go.Figure:  # fmt: skip
    """A map with a colour for each category.

    Args:
        points: ``(n, 2)`` or ``(n, 3)``.
        keys: of the images, ``(n,)``: the ``customdata`` of the points.
        shown: every point is in one of them.
        selected: points to stand out, ``(n,)``, or None where none was selected.
    """
    figure = _empty(points)
    for category in shown:
        places = category.places
        name = figure_text(shortened(category.name, _NAME))
        _add(figure, points[places], {"color": category.colour}, keys[places], name,
             None if selected is None else np.flatnonzero(selected[places]), len(points))  # fmt: skip
    # Plotly's legend entries are as small as the points otherwise.
    figure.update_layout(legend={"itemsizing": "constant", "itemwidth": 30}, showlegend=True)
    return figure


def values_map(
    points: NDArray[np.float32], keys: NDArray[np.float64], values: NDArray[np.float32], title: str,
    selected: NDArray[np.bool_] | None = None,
) -> go.Figure:  # fmt: skip
    """A map coloured by a number for each image, ``(n,)``; otherwise as :func:`classes_map`."""
    order = np.argsort(values, kind="stable")  # the highest on top
    figure = _empty(points)
    marker = {
        "color": values[order].astype(np.float32), "colorscale": "Cividis",
        "colorbar": {"title": {"text": title, "side": "right"}, "thickness": 12, "tickformat": ".2f"},
    }  # fmt: skip
    chosen = None if selected is None else np.flatnonzero(selected[order])
    _add(figure, points[order], marker, keys[order], "", chosen, len(points))
    return figure.update_layout(showlegend=False)


def add_classes(
    figure: go.Figure, points: NDArray[np.float32], labels: NDArray[np.str_], mixed: Sequence[Mixing]
) -> None:
    """Write the names of the classes where their middles are, with lines between those that are most mixed."""
    names = np.unique(labels)
    middles = {str(name): np.median(points[labels == name], axis=0) for name in names}
    largest = max((one.share for one in mixed), default=1.0)
    for one in mixed:
        line = np.stack([middles[one.a], middles[one.b]])
        text = f"{figure_text(one.a)} and {figure_text(one.b)}: {share(one.share)} of the neighbours of either"
        _scatter(
            figure, line, mode="lines", line={"color": _FAINT, "width": max(1.0, _WIDEST * one.share / largest)},
            hovertext=text, hoverinfo="text", showlegend=False,
        )  # fmt: skip
    notes = []
    for name, place in middles.items():
        text = f"<b>{figure_text(shortened(name, _NAME))}</b>"
        spot = dict(zip("xyz", place.tolist(), strict=False))
        look = {"showarrow": False, "font": {"color": "#ffffff", "size": 12}, "bgcolor": _LABEL}
        notes.append({**spot, "text": text, **look})
    # Above the points, which lie above all other traces. At once: Plotly checks all of them whenever one is added.
    (figure.layout if points.shape[1] == 2 else figure.layout.scene).annotations = notes


def add_lit(figure: go.Figure, points: NDArray[np.float32], lit: Lit) -> None:
    """Ring a point and draw lines to its neighbours."""
    if len(lit.neighbours):
        ends = points[list(lit.neighbours)]
        line = np.full((3 * len(ends), points.shape[1]), np.nan, np.float32)
        line[0::3], line[1::3] = lit.point, ends
        _scatter(figure, line, mode="lines", line={"color": OTHER, "width": 1.5}, hoverinfo="skip", showlegend=False)
        _rings(figure, ends, 8)
    if lit.new:
        marker = {"size": 18, "symbol": "diamond" if points.shape[1] == 3 else "star", "color": _PLACED,
                  "line": {"color": "#ffffff", "width": 1.5}}  # fmt: skip
        _scatter(figure, lit.point[None], mode="markers", marker=marker, name="your photo", hoverinfo="name",
                 showlegend=True)  # fmt: skip
    else:
        _rings(figure, lit.point[None], 16)


def _rings(figure: go.Figure, points: NDArray[np.float32], size: float) -> None:
    for colour, width in _RING:
        symbol = "circle-open"
        _scatter(
            figure, points, mode="markers", hoverinfo="skip", showlegend=False,
            marker={"size": size, "symbol": symbol, "color": colour, "line": {"width": width, "color": colour}},
        )  # fmt: skip


def _empty(points: NDArray[np.float32]) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        height=_HEIGHT, margin={"l": 0, "r": 0, "t": 8, "b": 0}, dragmode="lasso" if points.shape[1] == 2 else "orbit",
        hovermode="closest", hoverdistance=12,
        legend={"orientation": "h", "y": -0.01, "yanchor": "top", "x": 0, "xanchor": "left"},
    )  # fmt: skip
    axis = {"visible": False, "showgrid": False, "zeroline": False}
    if points.shape[1] == 3:
        return figure.update_layout(scene=dict.fromkeys(("xaxis", "yaxis", "zaxis"), axis), scene_aspectmode="data")
    return figure.update_xaxes(**axis).update_yaxes(**axis, scaleanchor="x")


def _add(
    figure: go.Figure, points: NDArray[np.float32], marker: dict[str, object], keys: NDArray[np.float64], name: str,
    selected: NDArray[np.intp] | None, total: int,
) -> None:  # fmt: skip
    size = 7.0 if total < 1_000 else 5.0 if total < 10_000 else 3.5 if total < 40_000 else 2.5
    flat = points.shape[1] == 2
    # A preview of the image takes the place of Plotly's tooltip, which cannot show one.
    options: dict[str, object] = {"mode": "markers", "name": name, "customdata": keys, "hoverinfo": "none"}
    options["marker"] = {"size": size if flat else 0.7 * size, "opacity": 0.85 if total < 20_000 else 0.6, **marker}
    if flat:
        options |= {"selectedpoints": selected, "unselected": {"marker": {"opacity": 0.12}}}
    elif selected is not None and len(selected) < len(points):
        # Three-dimensional traces know no selection: the others are left faint.
        rest = np.setdiff1d(np.arange(len(points)), selected)
        chosen = dict(marker)
        if isinstance(marker["color"], np.ndarray):
            chosen["color"] = marker["color"][selected]
        _scatter(figure, points[rest], mode="markers", customdata=keys[rest], hoverinfo="none", showlegend=False,
                 marker={"size": 0.7 * size, "opacity": 0.12, "color": OTHER})  # fmt: skip
        points, options["customdata"] = points[selected], keys[selected]
        options["marker"] = {"size": 0.9 * size, "opacity": 0.95, **chosen}
    _scatter(figure, points, **options)


def _scatter(figure: go.Figure, points: NDArray[np.float32], **options: object) -> None:
    places = dict(zip("xyz", np.ascontiguousarray(points.T, np.float32), strict=False))
    if len(places) == 3:
        figure.add_scatter3d(**places, **options)
    else:
        figure.add_scattergl(**places, **options)
