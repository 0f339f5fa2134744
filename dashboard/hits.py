"""What a search found, drawn."""

from __future__ import annotations

import streamlit as st

from core import images
from core.records import Dataset
from core.search import Hit
from dashboard import panels
from dashboard.pair_picker import Query
from dashboard.query import search_with
from dashboard.text import plain

_WIDTH = 138


def draw_query(dataset: Dataset, asked: Query) -> None:
    """The picture that asks, and what is known of it.

    Raises:
        UnreadableImage: an upload that is no usable image.
    """
    if asked.words:
        return
    if asked.row is None:
        st.image(images.thumbnail(images.decode(asked.data)), width=180, alt="The uploaded photo")
        st.caption("Your photo. Its class is not known, so nothing is marked right or wrong.")
        return
    panels.picture(dataset, asked.row, 180)
    st.caption(f"**{plain(str(dataset.labels[asked.row]))}**: {plain(str(dataset.paths[asked.row]))}")


def draw(dataset: Dataset, model: str, found: list[Hit], asked: Query, seconds: float) -> None:
    """One model's hits in a row, each with its score, its class and, where the query's class is known, a mark."""
    wanted = None if asked.row is None else str(dataset.labels[asked.row])
    right = sum(str(dataset.labels[hit.row]) == wanted for hit in found)
    verdict = f"{right} of {len(found)} right, " if wanted is not None else ""
    st.markdown(f"**{plain(model)}** :gray[{verdict}{seconds * 1000:.0f} ms]")
    if not found:
        st.caption("No image passes the filter.")
        return
    with st.container(horizontal=True, gap="small"):
        for hit in found:
            label = str(dataset.labels[hit.row])
            with st.container(width=_WIDTH + 4, gap=None):
                panels.picture(dataset, hit.row, _WIDTH)
                st.button(
                    f"{mark(label, wanted)}{hit.score:.3f} {plain(label)}", key=f"hit-{model}-{hit.row}",
                    type="tertiary", on_click=search_with, args=(str(dataset.paths[hit.row]),),
                    help=f"Search with {plain(str(dataset.paths[hit.row]))}",
                )  # fmt: skip


def mark(label: str, wanted: str | None) -> str:
    """Whether a hit is of the class that was wanted, where one was."""
    if wanted is None:
        return ""
    return ":green[✓] " if label == wanted else ":red[✗] "
