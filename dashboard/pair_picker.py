"""Choosing one image: from the dataset, from a file, or from the camera. Every page that takes images does it here.

What was chosen is in the address bar under the image's key, ``?a=...``: a path of the dataset, or the id of an upload.
How it is chosen does not matter any more once it is.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core import uploads
from core.records import Dataset
from dashboard import loaders, panels
from dashboard.navigation import PAIR
from dashboard.selection import Selection, is_public
from dashboard.text import literal, plain

_DATASET, _UPLOAD, _CAMERA = "Dataset", "Upload", "Camera"
_GALLERY = 18


@dataclass(frozen=True)
class Query:
    """What to look at: a file's bytes and, for an image of the dataset, its row; or words."""

    data: bytes = b""
    row: int | None = None
    words: str = ""


def choose(selection: Selection, key: str, title: str, *, gallery_open: bool = True) -> Query | None:
    """Draw the choice of an image and return what is chosen, or None while nothing is.

    Args:
        selection: what the sidebar says.
        key: of the image; it is in the link under this name.
        title: what the image is called.
        gallery_open: whether the gallery is open while nothing is chosen.
    """
    named = _named(key)
    source = st.segmented_control(
        title, [_DATASET, _UPLOAD, _CAMERA], default=_DATASET, key=f"{key}_from", bind="query-params", required=True
    )
    if source == _UPLOAD:
        st.file_uploader(
            f"{title}: file", key=f"{key}_file", on_change=_keep, args=(key, f"{key}_file"),
            help="Any image format; at most 32 MB and 89 megapixels.",
        )  # fmt: skip
    elif source == _CAMERA:
        st.camera_input(f"{title}: camera", key=f"{key}_camera", on_change=_keep, args=(key, f"{key}_camera"))
    else:
        _offer(selection.dataset, key, named, gallery_open=gallery_open)
    if not named:
        data = st.session_state.get(_unkept(key))
        return None if data is None else Query(data)
    return _kept(named) if uploads.is_key(named) else _of_dataset(selection.dataset, named)


def take(key: str, path: str) -> None:
    """Callback: choose this image of the dataset; none for an empty path."""
    st.session_state.pop(_unkept(key), None)
    st.session_state[_held(key)] = path


def link_to(**paths: str) -> dict[str, str]:
    """On another page: what a link needs in order to choose these images of the dataset, by key."""
    for key in paths:
        st.session_state.pop(_held(key), None)
    kept = {"dataset": st.query_params["dataset"]} if "dataset" in st.query_params else {}
    return {**kept, **paths}


def compare_link(dataset: Dataset, a: int, b: int) -> None:
    """Draw a link that opens two rows of the dataset on the pair page."""
    paths = {key: str(dataset.paths[row]) for key, row in (("a", a), ("b", b))}
    st.page_link(PAIR, label="Compare", icon=":material/compare:", query_params=link_to(**paths))


def compare_here(dataset: Dataset, a: int, b: int) -> None:
    """The same on the pair page, where a link to itself would do nothing."""

    def choose_both() -> None:
        take("a", str(dataset.paths[a]))
        take("b", str(dataset.paths[b]))

    st.button("Compare", icon=":material/compare:", type="tertiary", key=f"compare-{a}-{b}", on_click=choose_both)


def _named(key: str) -> str:
    """What the address bar names under a key; to be asked once a run.

    What was just chosen counts until the browser says it too: what it sends in the meantime still has the old address.
    """
    said, held = st.query_params.get(key, ""), st.session_state.get(_held(key))
    if held is None or held == said:
        st.session_state.pop(_held(key), None)
        return said
    if held:
        st.query_params[key] = held
    else:
        del st.query_params[key]
    return str(held)


def _held(key: str) -> str:
    """Where the choice is that the browser does not know of yet."""
    return f"_{key}_held"


def _unkept(key: str) -> str:
    """Where a public demo, which keeps no files, has what this visitor gave."""
    return f"_{key}_data"


def _keep(key: str, widget: str) -> None:
    """Callback: choose the file that was given, or nothing where it was taken away."""
    file = st.session_state[widget]
    take(key, "")
    if file is not None and is_public():
        st.session_state[_unkept(key)] = file.getvalue()
    elif file is not None:
        take(key, uploads.keep(file.getvalue()))


def _kept(name: str) -> Query | None:
    data = uploads.read(name)
    if data is None:
        st.info("The photo of this link is no longer kept. Upload it again.", icon=":material/info:")
        return None
    return Query(data)


def _of_dataset(dataset: Dataset, path: str) -> Query | None:
    row = _find(dataset, path)
    if row is None:
        return None
    try:
        return Query(dataset.file(row).read_bytes(), row)
    except OSError as error:
        st.error(f"{plain(str(dataset.paths[row]))} can no longer be read: {plain(str(error.strerror))}.")
        return None


def _find(dataset: Dataset, typed: str) -> int | None:
    ends = np.char.endswith(dataset.paths, typed)
    tries = (dataset.paths == typed, np.char.endswith(dataset.paths, f"/{typed}"), ends)
    rows = next((np.flatnonzero(found) for found in tries if found.any()), np.empty(0, np.intp))
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


def _offer(dataset: Dataset, key: str, named: str, *, gallery_open: bool) -> None:
    """The dataset's images, by path, by chance or from the gallery."""
    path = f"{key}_path"
    st.session_state[path] = "" if uploads.is_key(named) else named
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Its path, or the end of it", key=path, placeholder=literal(str(dataset.paths[0])),
            on_change=lambda: take(key, st.session_state[path].strip()),
        )  # fmt: skip
        st.button("Surprise me", icon=":material/casino:", on_click=_surprise, args=(dataset, key), key=f"{key}_any")
    with st.expander("Pick from the gallery", expanded=gallery_open and not named, icon=":material/grid_view:"):
        _gallery(dataset, key)


def _surprise(dataset: Dataset, key: str) -> None:
    test = dataset.rows("test")
    take(key, str(dataset.paths[random.choice(test if len(test) else dataset.rows())]))  # noqa: S311 - no secret


def _gallery(dataset: Dataset, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox("Class", ["every class", *dataset.classes], format_func=literal, key=f"{key}_class")
        turn = st.number_input("Page", 1, 1000, 1, key=f"{key}_page")
    rows = loaders.sample_rows(
        dataset.fingerprint, int(turn), _GALLERY, None if label == "every class" else label, dataset
    )
    with st.container(horizontal=True, gap="small"):
        for row in rows:
            path = str(dataset.paths[row])
            with st.container(width=108, gap=None):
                panels.picture(dataset, row, 104)
                st.button(
                    plain(str(dataset.labels[row])), key=f"pick-{key}-{row}", type="tertiary", on_click=take,
                    args=(key, path), help=f"Choose {plain(path)}",
                )  # fmt: skip
