"""Plotly figures of three images and of test triplets. Imports no streamlit."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.at_least_two import TripletScores
from core.metrics.grid import to_thresholds
from core.metrics.rates import RATES
from core.palette import CHOSEN, DIFFERENT, SAME
from core.triplets import NAMES, ScoredPair, TripletDecision

_CORNERS = ((0.0, 0.0), (1.0, 0.0), (0.5, 0.86))
_SIDE = 0.34  # of a picture, in units of the triangle's side
_COLOURS = ("#0072B2", "#E69F00", "#009E73")


def triangle(found: TripletDecision, pictures: Sequence[bytes], *, distances: bool) -> go.Figure:
    """Three pictures, JPEG or PNG files, at the corners; an edge is thick and blue where its pair matches.

    Edges bear scores, or distances where they are asked for.
    """
    figure = go.Figure()
    for pair in found.pairs:
        _edge(figure, pair, pair.distance if distances else None)
    for name, (x, y), data in zip(NAMES, _CORNERS, pictures, strict=True):
        figure.add_layout_image(
            source=f"data:image;base64,{base64.b64encode(data).decode()}", x=x, y=y, xref="x", yref="y",
            sizex=_SIDE, sizey=_SIDE, xanchor="center", yanchor="middle", layer="above",
        )  # fmt: skip
        figure.add_annotation(
            x=x, y=y + _SIDE / 2, text=f"<b>{name}</b>", showarrow=False, yanchor="bottom", font_size=16
        )
    figure.update_xaxes(visible=False, range=[-0.22, 1.22], fixedrange=True)
    figure.update_yaxes(visible=False, range=[-0.22, 1.16], scaleanchor="x", fixedrange=True)
    figure.update_layout(height=360, margin={"l": 0, "r": 0, "t": 0, "b": 0}, showlegend=False, dragmode=False)
    return figure


def _edge(figure: go.Figure, pair: ScoredPair, distance: float | None) -> None:
    (x0, y0), (x1, y1) = _CORNERS[pair.a], _CORNERS[pair.b]
    colour = SAME if pair.same else DIFFERENT
    words = f"{' and '.join(pair.names)}: {'same' if pair.same else 'different'}, similarity {pair.score:.4f}"
    figure.add_scatter(
        x=[x0, x1], y=[y0, y1], mode="lines", hoverinfo="skip",
        line={"color": colour, "width": 7 if pair.same else 2, "dash": "solid" if pair.same else "dot"},
    )  # fmt: skip
    figure.add_annotation(
        x=(x0 + x1) / 2, y=(y0 + y1) / 2, showarrow=False, hovertext=words, bgcolor=colour, borderpad=4,
        text=f"{'=' if pair.same else '≠'} " + (f"{pair.score:.3f}" if distance is None else f"d {distance:.3f}"),
        font={"color": "white", "size": 15},
    )  # fmt: skip


def curves(scores: TripletScores, threshold: float, best: float) -> go.Figure:
    """Precision, recall and F1 of "at least two match" at each threshold, with the one in use and validation's best."""
    figure = go.Figure()
    at = to_thresholds(scores.levels)
    for (name, values), colour in zip(drawn(scores).items(), _COLOURS, strict=True):
        title = RATES[name].title
        figure.add_scatter(
            x=at, y=values, name=title, mode="lines", line_color=colour,
            hovertemplate=title + " %{y:.4f} from %{x:.4f} on<extra></extra>",
        )  # fmt: skip
    for x, words, dash, y, other in (
        (threshold, "in use", "dash", 1, best),
        (best, "best on val", "dot", 0, threshold),
    ):
        figure.add_vline(x=x, line={"color": CHOSEN, "width": 2, "dash": dash})
        figure.add_annotation(x=x, y=y, text=words, showarrow=False, xanchor="left" if x >= other else "right")
    figure.update_xaxes(title="Threshold")
    figure.update_yaxes(title="At least two match", range=[-0.02, 1.02])
    figure.update_layout(
        height=320, margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
    )  # fmt: skip
    return figure


def drawn(scores: TripletScores) -> dict[str, NDArray[np.float64]]:
    """Precision, recall and F1 at ``scores.levels``."""
    rates = scores.rates(scores.levels)
    return {name: RATES[name].of(*rates, scores.base_rate) for name in ("precision", "recall", "f1")}
