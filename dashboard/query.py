"""Choosing what to search with: an image, or words."""

from __future__ import annotations

import streamlit as st

from core.backbones import Backbone
from core.backbones.text import has_words
from core.models import Model
from dashboard import pair_picker
from dashboard.pair_picker import Query
from dashboard.selection import Selection

_IMAGE, _WORDS = "An image", "Words"
_KEY = "image"


def choose(selection: Selection) -> Query | None:
    """Draw the choice and return it, or None while nothing is chosen."""
    if any(map(takes_words, selection.ready.values())):
        source = st.segmented_control(
            "Search with", [_IMAGE, _WORDS], default=_IMAGE, key="source", bind="query-params", required=True
        )
        if source == _WORDS:
            words = st.text_input("Describe the picture", key="words", bind="query-params", placeholder="a red church")
            return Query(words=words.strip()) if words and words.strip() else None
    return pair_picker.choose(selection, _KEY, "Photo")


def takes_words(model: Model) -> bool:
    """Whether a model can be asked in words: a single network that learned from images with text."""
    return isinstance(model, Backbone) and has_words(model)


def search_with(path: str) -> None:
    """Callback: search with this image of the dataset."""
    st.session_state["source"] = _IMAGE
    pair_picker.take(_KEY, path)


def link_to(path: str) -> dict[str, str]:
    """On another page: what a link here needs in order to search with this image of the dataset."""
    st.session_state.pop("source", None)  # what was last searched with would outlive the link
    return pair_picker.link_to(image=path)
