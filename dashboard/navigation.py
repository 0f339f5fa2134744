"""The pages. Adding one is a file in ``pages/`` and a line here."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

_PAGES = Path(__file__).resolve().parent.parent / "pages"
OVERVIEW = _PAGES / "overview.py"
RETRIEVAL = _PAGES / "retrieval.py"
PAIR = _PAGES / "pair.py"
MAP = _PAGES / "map.py"
DATA = _PAGES / "data.py"


def choose_page() -> StreamlitPage:
    """Draw the navigation and return the page that is open."""
    return st.navigation(
        [
            st.Page(OVERVIEW, title="Overview", icon=":material/leaderboard:", default=True),
            st.Page(DATA, title="Data", icon=":material/folder_open:"),
            st.Page(RETRIEVAL, title="Top-5 retrieval", icon=":material/image_search:"),
            st.Page(PAIR, title="Pair comparison", icon=":material/compare:"),
            st.Page(_PAGES / "triplet.py", title="Triplet check", icon=":material/change_history:"),
            st.Page(_PAGES / "per_class.py", title="Per-class quality", icon=":material/grid_on:"),
            st.Page(MAP, title="Embedding map", icon=":material/scatter_plot:"),
            st.Page(_PAGES / "threshold.py", title="Threshold", icon=":material/tune:"),
            st.Page(_PAGES / "fusion.py", title="Score fusion", icon=":material/merge:"),
            st.Page(_PAGES / "train.py", title="Train", icon=":material/model_training:"),
        ]
    )
