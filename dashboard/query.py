"""Choosing the picture to search with: an upload, an image of the dataset, a surprise, or words."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core import uploads
from core.backbones.text import has_words
from core.records import Dataset
from dashboard import loaders, panels
from dashboard.selection import Selection, is_public
from dashboard.text import literal, plain

_UPLOAD, _DATASET, _WORDS = "Upload a photo", "Image of the dataset", "Words"
_GALLERY = 18


@dataclass(frozen=True)
class Query:
    """What to search with: a file's bytes and, for an image of the dataset, its row; or words."""

    data: bytes = b""
    row: int | None = None
    words: str = ""


def choose(selection: Selection) -> Query | None:
    """Draw the choice and return it, or None while nothing is chosen."""
    sources = [_DATASET, _UPLOAD]
    if any(has_words(backbone) for backbone in selection.ready.values()):
        sources.append(_WORDS)
    source = st.segmented_control(
        "Search with", sources, default=sources[0], key="source", bind="query-params", required=True
    )
    if source == _WORDS:
        words = st.text_input("Describe the picture", key="words", bind="query-params", placeholder="a red church")
        return Query(words=words.strip()) if words and words.strip() else None
    return _uploaded() if source == _UPLOAD else _from_dataset(selection.dataset)


def search_with(path: str) -> None:
    """Callback: search with this image of the dataset."""
    st.session_state["source"] = _DATASET
    st.session_state["image"] = path


def _uploaded() -> Query | None:
    file = st.file_uploader("Photo", key="_photo", help="Any image format; at most 32 MB and 89 megapixels.")
    if file is not None:
        data = file.getvalue()
        if not is_public():
            st.query_params["upload"] = uploads.keep(data)
        return Query(data)
    key = st.query_params.get("upload")
    if not key:
        return None
    kept = uploads.read(key)
    if kept is None:
        st.info("The photo of this link is no longer kept. Upload it again.", icon=":material/info:")
        return None
    return Query(kept)


def _from_dataset(dataset: Dataset) -> Query | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input(
            "Its path, or the end of it", key="image", bind="query-params", placeholder=literal(str(dataset.paths[0]))
        )
        st.button("Surprise me", icon=":material/casino:", on_click=_surprise, args=(dataset,))
    row = _find(dataset, (typed or "").strip())
    with st.expander("Pick from the gallery", expanded=row is None, icon=":material/grid_view:"):
        _gallery(dataset)
    if row is None:
        return None
    try:
        return Query(dataset.file(row).read_bytes(), row)
    except OSError as error:
        st.error(f"{plain(str(dataset.paths[row]))} can no longer be read: {plain(str(error.strerror))}.")
        return None


def _find(dataset: Dataset, typed: str) -> int | None:
    if not typed:
        return None
    whole = (dataset.paths == typed) | np.char.endswith(dataset.paths, f"/{typed}")
    rows = np.flatnonzero(whole if whole.any() else np.char.endswith(dataset.paths, typed))
    if len(rows) == 1:
        return int(rows[0])
    if len(rows):
        shown = ", ".join(plain(str(path)) for path in dataset.paths[rows[:5]])
        st.warning(f"{len(rows):,} images end in {plain(typed)}, such as {shown}. Type more of the path.")
    else:
        near = dataset.paths[np.char.find(dataset.paths, typed) >= 0][:5]
        hint = f" Paths that contain it: {', '.join(plain(str(path)) for path in near)}." if len(near) else ""
        st.warning(f"No image of this dataset has the path {plain(typed)}.{hint}")
    return None


def _surprise(dataset: Dataset) -> None:
    test = dataset.rows("test")
    search_with(str(dataset.paths[random.choice(test if len(test) else dataset.rows())]))  # noqa: S311 - no secret


def _gallery(dataset: Dataset) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox("Class", ["every class", *dataset.classes], format_func=literal, key="gallery_class")
        turn = st.number_input("Page", 1, 1000, 1, key="gallery_page")
    rows = loaders.sample_rows(
        dataset.fingerprint, int(turn), _GALLERY, None if label == "every class" else label, dataset
    )
    with st.container(horizontal=True, gap="small"):
        for row in rows:
            path = str(dataset.paths[row])
            with st.container(width=108, gap=None):
                panels.picture(dataset, row, 104)
                st.button(
                    plain(str(dataset.labels[row])), key=f"pick-{row}", type="tertiary", on_click=search_with,
                    args=(path,), help=f"Search with {plain(path)}",
                )  # fmt: skip
