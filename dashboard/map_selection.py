"""The images that were selected on the map with a box or a lasso: what they have in common, and the images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.records import Dataset
from dashboard import loaders, pair_picker, panels
from dashboard.map import Map
from dashboard.text import count, plain, share, shortened

IMAGE = "image"  # the key of the image that is looked at
_SELECTED, _VERSION = "_map_selected", "_map_version"
_NEAREST = 10
_TILE, _A_PAGE = 120, 28
_LETTERS = 16  # that fit below a picture
_CLASSES = 4


def version() -> int:
    """How often the selection was cleared: a chart under another key forgets what was selected in it."""
    return int(st.session_state.get(_VERSION, 0))


def clear() -> None:
    """Callback: select nothing."""
    st.session_state.pop(_SELECTED, None)
    st.session_state[_VERSION] = version() + 1


def take(chart: str, shown: Map) -> None:
    """Callback: what was selected in a chart; none where the selection was taken back."""
    points = st.session_state[chart].selection.points
    rows = [shown.rows[key] for point in points if (key := point.get("customdata")) in shown.rows]
    st.session_state[_SELECTED] = frozenset(shown.dataset.ids[rows].tolist())


def selected(dataset: Dataset) -> NDArray[np.bool_] | None:
    """The selected images, ``(n,)``, or None where none of these is."""
    ids = st.session_state.get(_SELECTED)
    if not ids:
        return None
    found = np.zeros(len(dataset), bool)
    found[[dataset.row_of[key] for key in ids if key in dataset.row_of]] = True
    return found if found.any() else None


def draw(maps: Sequence[Map], chosen: NDArray[np.bool_]) -> None:
    """What is known of the selected images, then a page of them, the most typical first."""
    dataset, rows = maps[0].dataset, np.flatnonzero(chosen)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(f"{count(len(rows), 'selected image')}", width="content")
        st.button("Clear the selection", icon=":material/close:", type="tertiary", on_click=clear)
    names, counts = np.unique(dataset.labels[rows], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    classes = ", ".join(f"{counts[place]:,} **{plain(str(names[place]))}**" for place in order[:_CLASSES])
    rest = f" and {count(len(names) - _CLASSES, 'more class', 'more classes')}" if len(names) > _CLASSES else ""
    st.markdown(f"{classes}{rest}. " + " ".join(_said(one, chosen) for one in maps))
    ordered, similarity = _typical(maps[0], rows)
    _grid(maps, ordered, similarity)
    panels.download(lambda: _frame(maps, ordered, similarity), "selection")


def _said(one: Map, chosen: NDArray[np.bool_]) -> str:
    """How much a selection belongs together to a model."""
    rows = np.flatnonzero(chosen)
    inside = float(chosen[one.neighbours.rows[rows, :_NEAREST]].mean())
    return (
        f"To **{plain(one.backbone.name)}**, {share(inside)} of their {_NEAREST} nearest images are among them, and "
        f"for {share(float(one.right[rows].mean()))} the nearest is of their class."
    )


def _typical(one: Map, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The selected images in the order of their similarity to the most typical of them, which is first.

    The most typical is the one that is most like their mean.
    """
    vectors = loaders.vectors(one.dataset, one.backbone)[rows]
    middle = int((vectors @ vectors.mean(axis=0)).argmax())
    similarity = vectors @ vectors[middle]
    similarity[middle] = 1.0
    order = np.argsort(-similarity, kind="stable")
    return rows[order], np.asarray(similarity[order])


def _grid(maps: Sequence[Map], rows: NDArray[np.intp], similarity: NDArray[np.float32]) -> None:
    pages = -(-len(rows) // _A_PAGE)
    page = 1
    if pages > 1:
        page = int(st.number_input(f"Page of {pages:,}", 1, pages, 1, key="map_selection_page", width=140))
    start = (page - 1) * _A_PAGE
    with st.container(horizontal=True, gap="small"):
        for row, score in zip(rows[start : start + _A_PAGE].tolist(), similarity[start:].tolist(), strict=False):
            tile(maps, row, f"{score:.3f} ", f"selected-{row}")
    st.caption(
        f"Numbers are similarities to the first, the most typical of them, to {plain(maps[0].backbone.name)}. "
        "✗: the nearest image is of another class" + (", to each of the two models." if len(maps) > 1 else ".")
    )


def tile(maps: Sequence[Map], row: int, number: str, key: str) -> None:
    """A picture, with a button below it that looks at it; a mark for each model to which its nearest is wrong."""
    dataset = maps[0].dataset
    label, path = str(dataset.labels[row]), str(dataset.paths[row])
    marks = "".join(":green[✓]" if one.right[row] else ":red[✗]" for one in maps)
    marks = "" if all(one.right[row] for one in maps) else f"{marks} "
    letters = _LETTERS - len(number) - (2 * len(maps) if marks else 0)
    with st.container(width=_TILE + 4, gap=None):
        panels.picture(dataset, row, _TILE)
        st.button(
            f"{marks}{number}{plain(shortened(label, letters))}", key=f"tile-{key}", type="tertiary",
            on_click=pair_picker.take, args=(IMAGE, path), help=f"{plain(label)}: look at {plain(path)}",
        )  # fmt: skip


def _frame(maps: Sequence[Map], rows: NDArray[np.intp], similarity: NDArray[np.float32]) -> pd.DataFrame:
    dataset = maps[0].dataset
    columns = {"path": dataset.paths[rows], "class": dataset.labels[rows], "split": dataset.splits[rows]}
    right = {f"nearest right, {one.backbone.name}": one.right[rows] for one in maps}
    return pd.DataFrame({**columns, "similarity": similarity, **right})
