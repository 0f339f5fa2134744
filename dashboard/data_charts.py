"""Plotly figures of image sizes. Imports no streamlit."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.palette import SEQUENTIAL

_STEPS = 24


def sizes(width: NDArray[np.int64], height: NDArray[np.int64]) -> go.Figure:
    """How many images have which size, on logarithmic axes in pixels.

    Args:
        width: of each image, at least 1, ``(n,)``.
        height: the same.
    """
    edges = [_edges(side) for side in (width, height)]
    counts, _, _ = np.histogram2d(width, height, bins=edges)
    across, up = (np.sqrt(ends[:-1] * ends[1:]) for ends in edges)
    figure = go.Figure()
    figure.add_heatmap(
        x=across, y=up, z=np.where(counts, np.log10(np.maximum(counts, 1)), np.nan).T, customdata=counts.T,
        colorscale=[SEQUENTIAL[1], "#0072B2"], showscale=False, hoverongaps=False,
        hovertemplate="about %{x:,.0f} by %{y:,.0f} pixels: %{customdata:,} images<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(type="log", title="Width, pixels", dtick="D2")
    figure.update_yaxes(type="log", title="Height, pixels", dtick="D2")
    return figure.update_layout(height=380, margin={"l": 10, "r": 10, "t": 10, "b": 10})


def _edges(side: NDArray[np.int64]) -> NDArray[np.float64]:
    """Edges of bins that hold all values, even where these are all the same."""
    return np.geomspace(max(side.min(), 1) / 1.05, side.max() * 1.05, _STEPS + 1)
