"""Plotly figures of a training run: its loss, and how good it is on validation from epoch to epoch."""

from __future__ import annotations

import plotly.graph_objects as go

from core.palette import CHOSEN, DIFFERENT, SAME
from core.training.runs import Run
from core.training.settings import METRICS

_COLOURS = dict(zip(METRICS, (SAME, "#009E73", "#E69F00"), strict=True))


def loss(run: Run) -> go.Figure:
    """The loss of each step as a thin line, and the mean of each epoch."""
    figure = go.Figure()
    figure.add_scatter(
        x=[at for at, _ in run.losses], y=[value for _, value in run.losses], name="step", mode="lines",
        line={"color": CHOSEN, "width": 1}, hovertemplate="epoch %{x:.2f}: %{y:.4f}<extra></extra>",
    )  # fmt: skip
    means = [(epoch.number, epoch.loss) for epoch in run.history if epoch.loss is not None]
    figure.add_scatter(
        x=[number for number, _ in means], y=[value for _, value in means], name="mean of the epoch",
        mode="lines+markers", line={"color": SAME, "width": 2.5}, marker_size=6,
        hovertemplate="epoch %{x}: %{y:.4f}<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(title="Loss", rangemode="tozero")
    return _finished(figure)


def metrics(run: Run) -> go.Figure:
    """Validation metrics of each epoch; the best epoch by the metric that decides has a ring and a line."""
    figure = go.Figure()
    numbers = [epoch.number for epoch in run.history]
    for name, title in METRICS.items():
        figure.add_scatter(
            x=numbers, y=[epoch.values[name] for epoch in run.history], name=title, mode="lines+markers",
            line={"color": _COLOURS[name], "width": 3 if name == run.settings.metric else 1.5}, marker_size=5,
            hovertemplate=title + " after epoch %{x}: %{y:.4f}<extra></extra>",
        )  # fmt: skip
    if run.history:
        metric = run.settings.metric
        figure.add_vline(x=run.best, line={"color": CHOSEN, "width": 1, "dash": "dot"})
        figure.add_scatter(
            x=[run.best], y=[run.history[run.best].values[metric]], mode="markers", name="best epoch",
            marker={"size": 14, "color": "rgba(0,0,0,0)", "line": {"color": DIFFERENT, "width": 3}},
            hovertemplate=f"best by {METRICS[metric]}: " "%{y:.4f}<extra></extra>", cliponaxis=False,
        )  # fmt: skip
    figure.update_yaxes(title="On validation", tickformat=".3~f")
    return _finished(figure)


def _finished(figure: go.Figure) -> go.Figure:
    figure.update_xaxes(title="Epoch", rangemode="tozero", tickformat="~g")
    figure.update_layout(
        height=300, margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "traceorder": "normal"},
    )  # fmt: skip
    return figure
