"""Plotly figures from plain values. Imports no streamlit, so a notebook can draw the same charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.palette import colour

SPLIT_COLOURS = {"train": "#0072B2", "val": "#E69F00", "test": "#009E73"}


@dataclass(frozen=True)
class ModelPoint:
    """A model in the accuracy against latency chart; shares in [0, 1], milliseconds, megabytes."""

    name: str
    value: float
    low: float
    high: float
    latency_ms: float
    size_mb: float


def accuracy_against_latency(points: Sequence[ModelPoint], metric: str) -> go.Figure:
    """One bubble a model: quality with its 95% interval against time for one image, area by size."""
    figure = go.Figure()
    largest = max(point.size_mb for point in points)
    for point in points:
        figure.add_scatter(
            x=[point.latency_ms],
            y=[point.value],
            error_y={
                "type": "data", "array": [point.high - point.value], "arrayminus": [point.value - point.low],
                "thickness": 1.2, "width": 4,
            },
            mode="markers",
            name=point.name,
            marker={"size": 12 + 30 * (point.size_mb / largest) ** 0.5, "color": colour(point.name), "opacity": 0.85},
            customdata=[[point.low, point.high, point.size_mb]],
            hovertemplate=f"<b>{point.name}</b><br>{metric}" " %{y:.4f} [%{customdata[0]:.4f}-%{customdata[1]:.4f}]"
            "<br>%{x:.1f} ms an image<br>%{customdata[2]:.1f} MB<extra></extra>",
            cliponaxis=False,
        )  # fmt: skip
    slowest = max(point.latency_ms for point in points)
    figure.update_xaxes(title="Milliseconds for one image (median)", range=[0, slowest * 1.15])
    figure.update_yaxes(title=metric, tickformat=".2f")
    figure.update_layout(
        height=380, margin={"l": 10, "r": 10, "t": 10, "b": 10}, legend={"itemsizing": "constant"}, showlegend=True
    )
    return figure


def class_counts(classes: Sequence[str], counts: Mapping[str, Sequence[int]]) -> go.Figure:
    """Images of each class, stacked by split; ``counts[split][i]`` belongs to ``classes[i]``."""
    figure = go.Figure()
    for split, numbers in counts.items():
        figure.add_bar(
            name=split,
            y=list(range(len(classes))),
            x=list(numbers),
            orientation="h",
            marker_color=SPLIT_COLOURS[split],
            customdata=list(classes),
            hovertemplate="%{customdata}: %{x:,} in " + split + "<extra></extra>",
        )
    figure.update_yaxes(
        tickmode="array", tickvals=list(range(len(classes))), ticktext=list(classes), autorange="reversed"
    )
    figure.update_xaxes(title="Images")
    figure.update_layout(
        barmode="stack", height=max(220, 60 + 22 * len(classes)), margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
    )  # fmt: skip
    return figure
