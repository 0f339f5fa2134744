"""Plotly figures of probabilities. Imports no streamlit, so a notebook can draw the same charts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from core.palette import CHOSEN, SAME
from core.reliability import ReliabilityPoint

_LAYOUT = {"height": 340, "margin": {"l": 10, "r": 10, "t": 10, "b": 10}, "showlegend": False}


def reliability(points: Sequence[ReliabilityPoint]) -> go.Figure:
    """Observed share against predicted probability, with 95% intervals; the diagonal is perfect."""
    figure = go.Figure()
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": CHOSEN, "dash": "dash"}, hoverinfo="skip")
    ends = [point.interval or (point.observed, point.observed) for point in points]
    figure.add_scatter(
        x=[point.predicted for point in points], y=[point.observed for point in points], mode="lines+markers",
        marker={"color": SAME, "size": 8}, line={"color": SAME, "width": 1}, cliponaxis=False,
        error_y={
            "type": "data", "thickness": 1.2, "width": 4,
            "array": [high - point.observed for point, (_, high) in zip(points, ends, strict=True)],
            "arrayminus": [point.observed - low for point, (low, _) in zip(points, ends, strict=True)],
        },
        customdata=[(low, high, point.pairs) for point, (low, high) in zip(points, ends, strict=True)],
        hovertemplate="predicted %{x:.3f}<br>observed %{y:.3f} [%{customdata[0]:.3f}-%{customdata[1]:.3f}]"
        "<br>%{customdata[2]:,} pairs<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title="Predicted P(same)", range=[-0.02, 1.02])
    figure.update_yaxes(title="Observed share of same-class pairs", range=[-0.02, 1.02])
    figure.update_layout(**_LAYOUT)
    return figure


def probability(scores: pd.Series, probabilities: pd.Series, threshold: float) -> go.Figure:
    """P(same) at each similarity, ascending, with the threshold in it."""
    figure = go.Figure()
    figure.add_scatter(
        x=scores, y=probabilities, mode="lines", line={"color": SAME},
        hovertemplate="similarity %{x:.4f}: P(same) %{y:.3f}<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=threshold, line={"color": CHOSEN, "width": 2, "dash": "dash"})
    figure.update_xaxes(title="Similarity")
    figure.update_yaxes(title="P(same)", range=[-0.02, 1.02])
    figure.update_layout(**_LAYOUT)
    return figure
