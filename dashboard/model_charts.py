"""Plotly figures that compare models. Imports no streamlit, so a notebook can draw the same charts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.metrics import Difference
from core.preference import Preference
from dashboard.text import literal

# Orange and blue are told apart by colour-blind readers; pale ones bear dark text in either theme.
SCALE = [[0, "#ec9a5b"], [0.5, "#ececec"], [1, "#6fb1dc"]]
TEXT = "#1a1a1a"
LEAST = 0.4  # of the scale, so that even the smallest significant difference shows
_CRITERIA = {"quality": ("quality", "#0072B2"), "latency": ("speed", "#E69F00"), "size": ("small size", "#009E73")}


def significance(models: Sequence[str], differences: Sequence[Difference], alpha: float = 0.05) -> go.Figure:
    """Row model less column model for every pair; coloured where the adjusted p-value is at most ``alpha``."""
    count = len(models)
    largest = max((abs(difference.value) for difference in differences), default=0.0) or 1.0
    z = np.full((count, count), np.nan)
    text, hover = (np.full((count, count), "", object) for _ in range(2))
    for difference in differences:
        for row, column, sign in ((difference.a, difference.b, 1), (difference.b, difference.a, -1)):
            cell = models.index(row), models.index(column)
            value = sign * difference.value + 0.0  # never -0.0
            low, high = sorted(sign * limit + 0.0 for limit in difference.interval)
            strength = LEAST + (1 - LEAST) * abs(value) / largest
            z[cell] = np.copysign(strength, value) if difference.adjusted <= alpha else 0.0
            text[cell] = f"{value:+.4f}<br>[{low:+.3f}, {high:+.3f}]" if count <= 8 else f"{value:+.3f}"
            hover[cell] = (
                f"<b>{literal(row)}</b> less <b>{literal(column)}</b>"
                f"<br>{value:+.4f}, 95% interval [{low:+.4f}, {high:+.4f}]"
                f"<br>adjusted p = {difference.adjusted:.4f} ({difference.p_value:.4f} for this pair alone)"
            )
    places = list(range(count))
    figure = go.Figure()
    figure.add_heatmap(
        x=places, y=places, z=z, zmin=-1, zmax=1, colorscale=SCALE, showscale=False, xgap=2, ygap=2,
        text=text, texttemplate="%{text}", textfont={"size": 11, "color": TEXT},
        customdata=hover, hovertemplate="%{customdata}<extra></extra>", hoverongaps=False,
    )  # fmt: skip
    names = [literal(model) for model in models]
    axis = {"tickmode": "array", "tickvals": places, "ticktext": names, "showgrid": False, "zeroline": False}
    figure.update_xaxes(side="top", range=[-0.5, count - 0.5], **axis)
    figure.update_yaxes(range=[count - 0.5, -0.5], **axis)
    figure.update_layout(height=90 + 52 * count, margin={"l": 10, "r": 10, "t": 10, "b": 10})
    return figure


def preference(ranked: Sequence[Preference]) -> go.Figure:
    """One bar a model, best on top: what each criterion adds to its score."""
    figure = go.Figure()
    names = [literal(one.name) for one in ranked]
    for criterion, (words, colour) in _CRITERIA.items():
        figure.add_bar(
            name=words, y=names, x=[getattr(one, criterion) for one in ranked], orientation="h",
            marker_color=colour, hovertemplate="%{y}: %{x:.3f} from " + words + "<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        y=names, x=[one.score for one in ranked], text=[f" {one.score:.2f}" for one in ranked], mode="text",
        textposition="middle right", hoverinfo="skip", showlegend=False, cliponaxis=False,
    )  # fmt: skip
    figure.update_xaxes(title="Score", range=[0, 1.08])
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_layout(
        barmode="stack", height=130 + 30 * len(names), margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "traceorder": "normal"},
    )  # fmt: skip
    return figure
