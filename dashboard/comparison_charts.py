"""Plotly figures of one pair's score: what it is made of, and where it falls. Imports no streamlit."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from core.fusion import LABELS
from core.metrics.verification import Verification
from core.palette import CHOSEN, colour
from dashboard import pair_charts
from dashboard.text import figure_text

_LABELS_COLOUR = "#999999"


def contributions(parts: Mapping[str, float], threshold: float) -> go.Figure:
    """One bar, stacked of what each part adds to a fused score, against its threshold."""
    figure = go.Figure()
    for name, value in parts.items():
        title = figure_text(name)
        figure.add_bar(
            name=title, x=[value], y=[""], orientation="h", text=[f"{value:.3f}"], textposition="inside",
            textangle=0, marker_color=_LABELS_COLOUR if name == LABELS else colour(name),
            hovertemplate=f"{title} adds %{{x:.4f}}<extra></extra>",
        )  # fmt: skip
    figure.add_vline(
        x=threshold, line={"color": CHOSEN, "width": 2, "dash": "dash"},
        annotation={"text": f"same from {threshold:.4f}", "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_xaxes(title="Fused score", range=[0, max(1.0, 1.02 * sum(parts.values()))])
    figure.update_layout(
        barmode="stack", height=180, margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": -0.6, "yanchor": "top", "traceorder": "normal"}, showlegend=True,
    )  # fmt: skip
    return figure


def placed(pairs: Verification, threshold: float, score: float) -> go.Figure:
    """The distributions of known pairs' scores with one pair's score among them."""
    figure = pair_charts.distributions(pairs, threshold)
    figure.add_vline(
        x=score, line={"color": CHOSEN, "width": 3},
        annotation={"text": f"this pair: {score:.4f}", "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_layout(legend={"y": -0.3, "yanchor": "top"})
    return figure
