"""Below the map: images to look at, because their neighbours disagree with their label or because they have none."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import loaders
from dashboard.map import Map
from dashboard.map_selection import tile
from dashboard.text import count, plain

_SHOWN = 24


def draw(maps: Sequence[Map]) -> None:
    """Both lists for the first model, each in an expander; a click on a name looks at the image."""
    one = maps[0]
    suspects = loaders.suspects(one.dataset, one.backbone, one.neighbours)
    far = loaders.far_images(one.dataset, one.backbone, one.neighbours)
    name = plain(one.backbone.name)
    with st.expander(f"{count(len(suspects), 'label suspect')} to {name}", icon=":material/label_off:"):
        st.caption("Most of their nearest images are of one other class: those that it claims most clearly first.")
        _tiles(one, [(found.row, "") for found in suspects[:_SHOWN]], "suspect")
    with st.expander(f"{count(len(far), 'outlier')} to {name}", icon=":material/scatter_plot:"):
        st.caption("Far less like their nearest images than images of their class are; the number is that similarity.")
        _tiles(one, [(found.row, f"{found.similarity:.3f} ") for found in far[:_SHOWN]], "outlier")
    if max(len(suspects), len(far)) > _SHOWN:
        st.caption(f"The first {_SHOWN} of each are shown. The data page has all of them, with marks and a CSV.")


def _tiles(one: Map, found: Sequence[tuple[int, str]], kind: str) -> None:
    if not found:
        st.caption("None.")
    with st.container(horizontal=True, gap="small"):
        for row, words in found:
            tile([one], row, words, f"{kind}-{row}")
