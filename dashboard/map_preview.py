"""The image behind the point of a map that the mouse is over. Plotly's own tooltips cannot show images."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from core.records import Dataset
from dashboard import loaders
from dashboard.text import literal

KEY = "map_preview"
CHARTS = "map-"  # the keys of the charts start with it, after "chart-"
_WIDTH = 128
_HTML = '<div class="card" role="status" hidden><img alt=""><b></b><span></span></div>'
_CSS = """
.card { position: fixed; z-index: 1000; pointer-events: none; max-width: 160px; padding: 8px; border-radius: 6px;
        background: var(--st-background-color); color: var(--st-text-color); font: 13px/1.35 var(--st-font);
        border: 1px solid var(--st-border-color); box-shadow: 0 4px 16px rgba(0, 0, 0, 0.25); }
.card[hidden] { display: none; }
.card img { display: block; width: 128px; margin: 0 auto 6px; }
.card img[hidden] { display: none; }
.card b, .card span { display: block; overflow-wrap: anywhere; }
"""
_JS = (Path(__file__).parent / "map_preview.js").read_text("utf-8")


@st.fragment
def draw(dataset: Dataset, row_of: Callable[[float], int | None], choose: Callable[[int], None]) -> None:
    """Watch the maps of the page.

    Args:
        dataset: what they show.
        row_of: the row of a point's key, or None.
        choose: called with the row of a point that is clicked.
    """
    state = st.session_state.get(KEY, {})
    over, clicked = state.get("over"), state.get("clicked")
    row = None if over is None else row_of(over)
    previews = [] if row is None else [_preview(dataset, row, over)]
    mount = st.components.v2.component("likeness_map_preview", html=_HTML, css=_CSS, js=_JS)
    mount(
        key=KEY, data={"charts": f'[class*="st-key-chart-{CHARTS}"] .js-plotly-plot', "previews": previews}, height=0,
        on_over_change=_nothing, on_clicked_change=_nothing,
    )  # fmt: skip
    if clicked is not None and (chosen := row_of(clicked)) is not None:
        choose(chosen)
        st.rerun(scope="app")


def _preview(dataset: Dataset, row: int, key: float) -> dict[str, object]:
    data = loaders.thumbnail(str(dataset.ids[row]), str(dataset.file(row)), _WIDTH)
    image = "" if data is None else f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
    words = f"{dataset.splits[row]}, {literal(str(dataset.paths[row]))}"
    return {"key": key, "image": image, "title": literal(str(dataset.labels[row])), "words": words}


def _nothing() -> None:
    """A value that changes runs the fragment again, which is all that is needed."""
