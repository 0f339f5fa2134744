"""Plotly figures of a weighted sum: its weights, its errors beside a single model's, and what each part is worth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.ablation import ALPHA, Ablation
from core.fusion import LABELS
from core.palette import CHOSEN, DIFFERENT, SAME, colour
from core.part_scores import SampledCurve
from core.trial import Trial
from dashboard.text import figure_text

_LABELS_COLOUR = "#666666"
_BARS = 80


def weights(shares: Mapping[str, float]) -> go.Figure:
    """One bar, cut by weight; a model has its colour, and its name where there is room."""
    figure = go.Figure()
    for name, share in shares.items():
        figure.add_bar(
            y=[""], x=[share], orientation="h", marker_color=_LABELS_COLOUR if name == LABELS else colour(name),
            text=f"{figure_text(name)}<br>{share:.2f}", textposition="inside", insidetextanchor="middle", textangle=0,
            hovertemplate=f"{figure_text(name)}: {share:.2f}<extra></extra>", showlegend=False,
        )  # fmt: skip
    figure.update_xaxes(range=[0, 1], visible=False)
    figure.update_yaxes(visible=False)
    figure.update_layout(barmode="stack", bargap=0, uniformtext={"minsize": 11, "mode": "hide"})
    return _finished(figure, 90, top=10)


def distributions(found: Trial) -> go.Figure:
    """How sums of test pairs are distributed: shares of their kind."""
    curve = found.test
    shares = {"different class": (-np.diff(curve.fmr), DIFFERENT), "same class": (np.diff(curve.fnmr), SAME)}
    occupied = np.flatnonzero(sum(part for part, _ in shares.values()))
    edges = np.linspace(curve.thresholds[occupied[0]], curve.thresholds[occupied[-1] + 1], _BARS + 1)
    figure = go.Figure()
    for name, (part, shade) in shares.items():
        bars = np.histogram(curve.thresholds[:-1], bins=edges, weights=part)[0]
        figure.add_bar(
            name=name, x=(edges[1:] + edges[:-1]) / 2, y=bars, marker_color=shade, opacity=0.6,
            hovertemplate="%{x:.3f}: %{y:.2%} of " + name + " pairs<extra></extra>",
        )  # fmt: skip
    figure.add_vline(x=found.threshold, line={"color": CHOSEN, "width": 2, "dash": "dash"})
    figure.update_xaxes(title="Weighted sum")
    figure.update_yaxes(title="Share of pairs", tickformat=".0%")
    figure.update_layout(barmode="overlay", bargap=0)
    return _finished(figure, 300)


def roc(fused: Trial, name: str, single: Trial | None) -> go.Figure:
    """Recall against false match rate, drawn logarithmically, of the sum and of the model ``name``."""
    figure = go.Figure()
    for title, found, look in (
        (f"{name} alone", single, {"color": CHOSEN, "width": 2, "dash": "dot"}),
        ("these weights", fused, {"color": SAME, "width": 2.5}),
    ):
        if found is None:
            continue
        kept = _drawable(found.test)
        figure.add_scatter(
            x=found.test.fmr[kept], y=1 - found.test.fnmr[kept], name=figure_text(title), mode="lines", line=look,
            customdata=found.test.thresholds[kept],
            hovertemplate="threshold %{customdata:.4f}: FMR %{x:.4f}, recall %{y:.4f}<extra></extra>",
        )  # fmt: skip
        figure.add_scatter(
            x=[found.fmr], y=[1 - found.fnmr], mode="markers", showlegend=False, cliponaxis=False,
            marker={"size": 12, "color": "rgba(0,0,0,0)", "line": {"color": look["color"], "width": 3}},
            hovertemplate=f"chosen: {found.threshold:.4f}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="False match rate", type="log", range=[-4, 0.02], dtick=1, tickformat="~g")
    figure.update_yaxes(title="Recall (TAR)", range=[-0.02, 1.02])
    return _finished(figure, 300)


def gains(found: Ablation, number: str, title: str) -> go.Figure:
    """What the fusion gains over each variant, with intervals: blue where significant, grey where not."""
    figure = go.Figure()
    rows = found.rows[1:]
    for row in rows:
        gain = row.gains[number]
        figure.add_scatter(
            x=[gain.value], y=[figure_text(row.variant.label)], mode="markers", showlegend=False, cliponaxis=False,
            marker={"size": 10, "color": SAME if gain.adjusted <= ALPHA else CHOSEN},
            error_x={"type": "data", "array": [gain.high - gain.value], "arrayminus": [gain.value - gain.low],
                     "thickness": 2, "width": 5},
            hovertemplate=f"{gain.value:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}], adjusted p = {gain.adjusted:.4f}"
            "<extra></extra>",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": CHOSEN, "width": 1})
    figure.update_xaxes(title=f"Gain of the fusion in {title} (right is better)", tickformat="+.3~f")
    figure.update_yaxes(autorange="reversed", type="category")
    return _finished(figure, 90 + 30 * len(rows))


def _drawable(curve: SampledCurve) -> NDArray[np.bool_]:
    """Where a rate changes, and the false match rate has a logarithm."""
    changes = (np.diff(curve.fmr, append=-1) != 0) | (np.diff(curve.fnmr, append=-1) != 0)
    return np.asarray(changes & (curve.fmr > 0))


def _finished(figure: go.Figure, height: int, top: int = 30) -> go.Figure:
    figure.update_layout(
        height=height, margin={"l": 10, "r": 10, "t": top, "b": 10},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "traceorder": "normal"},
    )  # fmt: skip
    return figure
