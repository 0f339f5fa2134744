"""Plotly figures of pair scores, each with the one threshold in it. Imports no streamlit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.metrics.grid import PER_UNIT
from core.metrics.rates import RATES
from core.metrics.verification import Verification
from core.palette import CHOSEN, DIFFERENT, SAME
from core.thresholds import expected_cost

_BARS = 80
_DRAWN = ("precision", "recall", "f1", "accuracy")
_DRAWN_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")
Array = NDArray[np.float64]


def distributions(pairs: Verification, threshold: float) -> go.Figure:
    """How scores of same-class and of different-class pairs are distributed: shares of their kind, ``_BARS`` bars."""
    known = pairs.scores
    edges = np.linspace(known.bins[0], known.bins[-1] + 1, _BARS + 1)
    middles = (edges[1:] + edges[:-1]) / 2 / PER_UNIT - 1
    figure = go.Figure()
    for name, counts, colour in (("different class", known.different, DIFFERENT), ("same class", known.same, SAME)):
        shares = np.histogram(known.bins, bins=edges, weights=counts)[0] / counts.sum()
        figure.add_bar(
            name=name, x=middles, y=shares, marker_color=colour, opacity=0.6,
            hovertemplate="%{x:.3f}: %{y:.2%} of " + name + " pairs<extra></extra>",
        )  # fmt: skip
    figure.update_layout(barmode="overlay", bargap=0)
    figure.update_yaxes(title="Share of pairs", tickformat=".0%")
    return _finished(figure, "Similarity", threshold)


def roc(pairs: Verification, threshold: float) -> go.Figure:
    """Recall against false match rate."""
    fmr, fnmr = pairs.level_rates
    figure = _curve(pairs, fmr, 1 - fnmr, "FMR %{x:.4f}, recall %{y:.4f}")
    _mark(figure, pairs, threshold, lambda fmr, fnmr: (fmr, 1 - fnmr))
    figure.update_yaxes(title="Recall (TAR)", range=[-0.02, 1.02])
    figure.update_xaxes(range=[-0.02, 1.02])
    return _finished(figure, "False match rate")


def precision_recall(pairs: Verification, threshold: float, base_rate: float) -> go.Figure:
    """Precision against recall, at a base rate."""
    fmr, fnmr = pairs.level_rates
    figure = _curve(pairs, 1 - fnmr, RATES["precision"].of(fmr, fnmr, base_rate), "recall %{x:.4f}, precision %{y:.4f}")
    _mark(figure, pairs, threshold, lambda fmr, fnmr: (1 - fnmr, RATES["precision"].of(fmr, fnmr, base_rate)))
    figure.update_yaxes(title=f"Precision at base rate {base_rate:.3g}", range=[-0.02, 1.02])
    figure.update_xaxes(range=[-0.02, 1.02])
    return _finished(figure, "Recall")


def det(pairs: Verification, threshold: float) -> go.Figure:
    """Both error rates on logarithmic axes: the lower left is better."""
    fmr, fnmr = pairs.level_rates
    figure = _curve(pairs, fmr, fnmr, "FMR %{x:.5f}, FNMR %{y:.5f}")
    _mark(figure, pairs, threshold, lambda fmr, fnmr: (fmr, fnmr))
    lowest = np.log10(1 / np.array(pairs.pairs[::-1])) - 0.1
    figure.update_xaxes(type="log", dtick=1, tickformat="~g", range=[max(-6, lowest[0]), 0.05])
    figure.update_yaxes(
        type="log", dtick=1, tickformat="~g", range=[max(-4, lowest[1]), 0.05], title="False non-match rate"
    )
    return _finished(figure, "False match rate")


def metrics(pairs: Verification, threshold: float, base_rate: float) -> go.Figure:
    """Precision, recall, F1 and accuracy at each threshold."""
    fmr, fnmr = pairs.level_rates
    figure = go.Figure()
    for name, colour in zip(_DRAWN, _DRAWN_COLOURS, strict=True):
        title = RATES[name].title
        figure.add_scatter(
            x=pairs.levels, y=RATES[name].of(fmr, fnmr, base_rate), name=title, mode="lines", line_color=colour,
            hovertemplate=title + " %{y:.4f} at %{x:.4f}<extra></extra>",
        )  # fmt: skip
    figure.update_yaxes(title=f"At base rate {base_rate:.3g}", range=[-0.02, 1.02])
    _zoom(figure, pairs)
    return _finished(figure, "Threshold", threshold)


def cost(pairs: Verification, threshold: float, base_rate: float, cost_fp: float, cost_fn: float) -> go.Figure:
    """Mean cost of a pair at each threshold."""
    fmr, fnmr = pairs.level_rates
    figure = _curve(pairs, pairs.levels, expected_cost(fmr, fnmr, base_rate, cost_fp, cost_fn), "cost %{y:.4f}")
    figure.update_yaxes(title="Expected cost of a pair", rangemode="tozero")
    _zoom(figure, pairs)
    return _finished(figure, "Threshold", threshold)


def _curve(pairs: Verification, x: Array, y: Array, hover: str) -> go.Figure:
    figure = go.Figure()
    figure.add_scatter(
        x=x, y=y, mode="lines+markers", line_color=SAME, marker_size=4, customdata=pairs.levels, showlegend=False,
        hovertemplate="threshold %{customdata:.4f}: " + hover + "<extra></extra>",
    )  # fmt: skip
    return figure


def _mark(
    figure: go.Figure, pairs: Verification, threshold: float, place: Callable[[Array, Array], tuple[Array, Array]]
) -> None:
    x, y = place(*(np.asarray(rate) for rate in pairs.rates(threshold)))
    figure.add_scatter(
        x=[float(x)], y=[float(y)], mode="markers", showlegend=False, cliponaxis=False,
        marker={"size": 12, "color": "rgba(0,0,0,0)", "line": {"color": DIFFERENT, "width": 3}},
        hovertemplate=f"chosen: {threshold:.4f}<extra></extra>",
    )  # fmt: skip


def _zoom(figure: go.Figure, pairs: Verification) -> None:
    figure.update_xaxes(range=[pairs.scores.bins[0] / PER_UNIT - 1, pairs.scores.bins[-1] / PER_UNIT - 1])


def _finished(figure: go.Figure, x_title: str, threshold: float | None = None) -> go.Figure:
    if threshold is not None:
        figure.add_vline(x=threshold, line={"color": CHOSEN, "width": 2, "dash": "dash"})
    figure.update_xaxes(title=x_title)
    figure.update_layout(
        height=300, margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
    )  # fmt: skip
    return figure
