"""The image that is looked at on the map: one of the dataset, or a new photo, with what each model finds nearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import images
from core.projection import Settings
from core.records import Dataset
from dashboard import loaders, panels
from dashboard.hits import mark
from dashboard.map import Map
from dashboard.map_charts import Lit
from dashboard.navigation import RETRIEVAL
from dashboard.pair_picker import Query, compare_link
from dashboard.query import link_to
from dashboard.text import plain, shortened

_WIDTH, _LETTERS = 120, 13
_NEAREST = 5


@dataclass(frozen=True)
class Looked:
    """An image as one model sees it.

    Attributes:
        vector: of a new photo; None for an image of the map.
        nearest: rows of the five most similar others, best first.
        scores: their similarities.
        lit: where it is on the map.
    """

    vector: NDArray[np.float32] | None
    nearest: list[int]
    scores: list[float]
    lit: Lit


def look(maps: Sequence[Map], whole: Dataset, asked: Query, settings: Settings) -> tuple[int | None, list[Looked]]:
    """What each model says of an image, and its row on the maps; None for a new one.

    Raises:
        UnreadableImage: the photo is no usable image.
    """
    key = images.content_id(asked.data) if asked.row is None else str(whole.ids[asked.row])
    row = maps[0].dataset.row_of.get(key)
    return row, [_known(one, row) if row is not None else _new(one, asked.data, settings) for one in maps]


def similarities(one: Map, row: int | None, seen: Looked) -> NDArray[np.float32]:
    """How alike every image of a map is to the one that is looked at, ``(n,)``."""
    vectors = loaders.vectors(one.dataset, one.backbone)
    return np.asarray(vectors @ (vectors[row] if seen.vector is None else seen.vector))


def _known(one: Map, row: int) -> Looked:
    near, scores = one.neighbours.rows[row, :_NEAREST].tolist(), one.neighbours.scores[row, :_NEAREST].tolist()
    return Looked(None, near, scores, Lit(one.points[row], near))


def _new(one: Map, data: bytes, settings: Settings) -> Looked:
    vector = loaders.look(data, [one.backbone], None).vectors[one.backbone.name]
    similarity = loaders.vectors(one.dataset, one.backbone) @ vector
    near = np.argsort(-similarity, kind="stable")[:_NEAREST].tolist()
    placed = loaders.open_map(one.dataset, one.backbone, settings).place(vector[None])
    return Looked(vector, near, similarity[near].tolist(), Lit(one.drawn(placed)[0], near, new=True))


def draw(maps: Sequence[Map], asked: Query, row: int | None, seen: Sequence[Looked]) -> None:
    """The image, then five neighbours a model, with their similarities and links to compare."""
    dataset = maps[0].dataset
    wanted = None if row is None else str(dataset.labels[row])
    left, right = st.columns([1, 5])
    with left:
        if row is None:
            st.image(images.thumbnail(images.decode(asked.data)), width=160, alt="The photo that is looked at")
            st.caption("Your photo: the star on the map.")
        else:
            panels.picture(dataset, row, 160)
            st.caption(f"**{plain(str(wanted))}**, {dataset.splits[row]}: {plain(str(dataset.paths[row]))}")
            path = str(dataset.paths[row])
            st.page_link(RETRIEVAL, label="Search with it", icon=":material/image_search:", query_params=link_to(path))
    with right:
        for one, found in zip(maps, seen, strict=True):
            st.markdown(f"Nearest to **{plain(one.backbone.name)}**")
            with st.container(horizontal=True, gap="small"):
                for near, score in zip(found.nearest, found.scores, strict=True):
                    label = str(dataset.labels[near])
                    with st.container(width=_WIDTH + 4, gap=None):
                        panels.picture(dataset, near, _WIDTH)
                        st.caption(f"{mark(label, wanted)}{score:.3f} {plain(shortened(label, _LETTERS))}")
                        if row is not None:
                            compare_link(dataset, row, near)
