"""Plotly figures of sampled protocols. Imports no streamlit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from core.palette import colour
from core.sampled import SampleResult
from dashboard.text import literal

_APART = 0.012  # of the axis: models stand side by side, so that their intervals can be told apart


def against_pairs(found: Mapping[str, Sequence[SampleResult]], rate: str, title: str) -> go.Figure:
    """A rate of each model against the number of pairs it was taken from, with 95% intervals."""
    figure = go.Figure()
    sizes = sorted({len(one.sample) for results in found.values() for one in results})
    step = _APART * sizes[-1]
    for place, (name, results) in enumerate(found.items()):
        values = [one.rates[rate] for one in results]
        figure.add_scatter(
            x=[len(one.sample) + step * (place - (len(found) - 1) / 2) for one in results],
            y=[one.value for one in values], name=literal(name), mode="lines+markers",
            marker={"color": colour(name), "size": 8}, line={"color": colour(name), "width": 1.5},
            error_y={
                "type": "data", "thickness": 1.2, "width": 4,
                "array": [one.high - one.value for one in values],
                "arrayminus": [one.value - one.low for one in values],
            },
            customdata=[(len(one.sample), e.low, e.high) for one, e in zip(results, values, strict=True)],
            hovertemplate=f"<b>{literal(name)}</b>, " "%{customdata[0]} pairs<br>" + title + " %{y:.3f} "
            "[%{customdata[1]:.3f}-%{customdata[2]:.3f}]<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="Number of pairs", tickmode="array", tickvals=sizes)
    figure.update_yaxes(title=title, tickformat=".0%")
    figure.update_layout(
        height=360, margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
    )  # fmt: skip
    return figure
