"""The dashboard's entry: ``streamlit run dashboard/app.py``. Draws the frame that all pages share."""

import sys
from pathlib import Path

# Streamlit puts this file's folder on the path, not the repository.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import streamlit as st

from core.errors import LikenessError
from dashboard import navigation, selection

# A file of our own: the browser would fetch an icon given by name from another host.
_ICON = str(Path(__file__).with_name("favicon.svg"))
st.set_page_config(page_title="Likeness", page_icon=_ICON, layout="wide")
# A workbench wants its numbers near the top. What is chosen has the primary colour, on which Streamlit also writes in
# white; on a dark background no colour serves both, so that what is chosen has the colour of links there.
st.html(
    """<style>
    .stMainBlockContainer { padding-top: 3rem; padding-bottom: 3rem; }
    .stApp .stButtonGroup [aria-checked="true"], .stTabs [aria-selected="true"], [data-testid="stSliderThumbValue"] {
        color: light-dark(#0b6e99, #56b4e9);
    }
    </style>"""
)
page = navigation.choose_page()
try:
    selection.draw_sidebar()
except LikenessError as error:
    st.error(str(error), icon=":material/error:")
else:
    page.run()
