"""The data page's lists of images to look at: duplicates, label suspects, outliers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import pandas as pd
import streamlit as st

from core import marks
from core.backbones import Backbone
from core.duplicates import Duplicates, Group
from core.errors import LikenessError
from core.label_suspects import Suspect
from core.neighbours import Neighbours, kept_neighbours
from core.outliers import Outlier
from core.records import Dataset
from dashboard import loaders, panels, query
from dashboard.navigation import RETRIEVAL
from dashboard.pair_picker import compare_link
from dashboard.selection import Selection, is_public
from dashboard.text import count, plain
from dashboard.threshold import flag

_WIDTH = 108
_GROUPS, _IMAGES, _MEMBERS = 12, 12, 6
_KINDS = {"across splits": "cross_split", "near": "near", "exact": "exact", "of different labels": "label_conflicts"}
T = TypeVar("T")


def choose_model(selection: Selection) -> Backbone | None:
    """Draw the choice of the model that looks; None where no model has vectors of these images."""
    models = lookers(selection)
    if not models:
        panels.nothing_embedded(selection)
        return None
    name = st.selectbox("In the eyes of", list(models), key="looks", bind="query-params", width=260)
    return models[name] if name in models else next(iter(models.values()))


def lookers(selection: Selection) -> dict[str, Backbone]:
    """The models with vectors of their own: of the chosen ones, or of all where none of those has any."""
    ready = {name: model for name, model in selection.ready.items() if isinstance(model, Backbone)}
    return {name: ready[name] for name in selection.models if name in ready} or ready


def choose_queries(dataset: Dataset) -> str:
    """Draw the choice of the split whose images ask the training images."""
    splits = [split for split in ("test", "val") if len(dataset.rows(split))] or ["test"]
    split = st.segmented_control(
        "Queries from", splits, default=splits[0], key="asking", bind="query-params", required=True,
        help="Leaks into val mislead the choice of a model and of a threshold, leaks into test what is reported.",
    )  # fmt: skip
    return split or splits[0]


def neighbours(dataset: Dataset, model: Backbone) -> Neighbours:
    """The nearest images of every image; draws how far it is.

    Raises:
        LikenessError: they were never looked for, and this is a public demo.
    """
    if is_public() and kept_neighbours(dataset, model, loaders.store()) is None:
        raise LikenessError("This is a public demo, which computes nothing new. Its owner can look for neighbours.")
    with panels.progress() as progress:
        return loaders.neighbours(dataset, model, progress)


def draw_duplicates(found: Duplicates) -> None:
    """What was found in a sentence, then groups as pictures, those that stand in two splits first."""
    dataset = found.dataset
    leaking = len(found.cross_split)
    if not found.groups:
        st.info("No two images are the same or nearly so.", icon=":material/check:")
        return
    st.markdown(
        f"{count(len(found.exact), 'group')} of exact copies, of which one each is used, and "
        f"{count(len(found.near), 'group')} of near duplicates. {count(leaking, 'group stands', 'groups stand')} in "
        f"more than one split, {len(found.label_conflicts):,} under different labels."
    )
    kinds = {name: getattr(found, kind) for name, kind in _KINDS.items()}
    offered = [name for name, groups in kinds.items() if groups]
    if not offered:
        return
    kind = st.segmented_control("Groups", offered, default=offered[0], key="groups", bind="query-params", required=True)
    groups = kinds[kind if kind in offered else offered[0]]
    shown = _page(groups, "groups_page", _GROUPS)
    with st.container(horizontal=True):
        for group in shown:
            _draw_group(dataset, group)
    panels.download(lambda: _groups_frame(groups), "duplicates")


def _draw_group(dataset: Dataset, group: Group) -> None:
    with st.container(border=True, width="content"):
        if len(group.splits) > 1:
            st.badge(f"in {' and '.join(group.splits)}", icon=":material/call_split:", color="orange")
        with st.container(horizontal=True, gap="small"):
            for member in group.members[:_MEMBERS]:
                with st.container(width=_WIDTH + 24, gap=None):
                    row = member.row if member.row is not None else _first_row(group)
                    panels.picture(dataset, row, _WIDTH)
                    st.caption(f"**{plain(member.label)}**, {member.split}  \n{plain(member.path)}")
            if (more := len(group.members) - _MEMBERS) > 0:
                st.caption(f"and {more:,} more")


def _first_row(group: Group) -> int:
    """A copy is no row, but looks like the one that is."""
    return group.rows[0]


def _groups_frame(groups: Sequence[Group]) -> pd.DataFrame:
    rows = [(place, *one.values()) for place, group in enumerate(groups, 1) for one in group.as_json()]
    return pd.DataFrame(rows, columns=["group", "path", "class", "split", "kind"])


def draw_suspects(dataset: Dataset, found: Sequence[Suspect], model: str) -> None:
    """Images that another class claims, with the mark that leaves them out."""
    st.markdown(
        f"{count(len(found), 'image has', 'images have')} neighbours that agree on another class, to "
        f"**{plain(model)}**. Some are labelled wrongly, some show two things, some are just hard. Marked images "
        "can be left out in the sidebar."
    )
    marked = set(marks.marked_rows(dataset).tolist())
    for one in _page(found, "suspects_page", _IMAGES):
        with st.container(border=True), st.container(horizontal=True, gap="medium"):
            with st.container(width=_WIDTH + 32, gap=None):
                panels.picture(dataset, one.row, _WIDTH)
                flag(dataset, one.row, f"suspect-{one.row}", one.row in marked)
                _links(dataset, one)
            with st.container(width=180, gap=None):
                st.markdown(
                    f"Labelled **{plain(one.label)}** ({one.support_own:.0%} of its neighbours); "
                    f"**{plain(one.suggested)}** has {one.support_suggested:.0%}."
                )
                st.caption(f"{dataset.splits[one.row]}, {plain(str(dataset.paths[one.row]))}")
            _draw_neighbours(dataset, one.neighbours)
    panels.download(lambda: _suspects_frame(dataset, found), "label suspects")


def draw_outliers(dataset: Dataset, found: Sequence[Outlier], model: str) -> None:
    """Images that are far from everything."""
    st.markdown(
        f"{count(len(found), 'image is', 'images are')} far from everything to **{plain(model)}**: less like the "
        "nearest images than three deviations below what is usual in the class."
    )
    for one in _page(found, "outliers_page", _IMAGES):
        with st.container(border=True), st.container(horizontal=True, gap="medium"):
            with st.container(width=_WIDTH + 32, gap=None):
                panels.picture(dataset, one.row, _WIDTH)
                st.caption(f"**{plain(one.label)}**, {dataset.splits[one.row]}")
                _links(dataset, one)
            with st.container(width=180, gap=None):
                st.markdown(
                    f"Mean similarity to its nearest {one.similarity:.3f}, usual {one.usual:.3f}: "
                    f"{one.deviations:.1f} deviations below."
                )
                st.caption(plain(str(dataset.paths[one.row])))
            _draw_neighbours(dataset, one.neighbours)
    panels.download(lambda: _outliers_frame(dataset, found), "outliers")


def _links(dataset: Dataset, one: Suspect | Outlier) -> None:
    """To what the image is most alike, pair by pair and with every model."""
    compare_link(dataset, one.row, one.neighbours[0])
    path = str(dataset.paths[one.row])
    st.page_link(RETRIEVAL, label="Search", icon=":material/image_search:", query_params=query.link_to(path))


def _draw_neighbours(dataset: Dataset, near: Sequence[int]) -> None:
    with st.container(horizontal=True, gap="small", width="content"):
        for other in near[:4]:
            with st.container(width=84, gap=None):
                panels.picture(dataset, other, 80)
                st.caption(plain(str(dataset.labels[other])))


def _suspects_frame(dataset: Dataset, found: Sequence[Suspect]) -> pd.DataFrame:
    rows = [
        (
            dataset.paths[one.row],
            dataset.splits[one.row],
            one.label,
            one.suggested,
            one.support_own,
            one.support_suggested,
        )
        for one in found
    ]
    return pd.DataFrame(
        rows, columns=["path", "split", "class", "suggested", "support of class", "support of suggested"]
    )


def _outliers_frame(dataset: Dataset, found: Sequence[Outlier]) -> pd.DataFrame:
    rows = [(dataset.paths[o.row], dataset.splits[o.row], o.label, o.similarity, o.usual, o.deviations) for o in found]
    return pd.DataFrame(rows, columns=["path", "split", "class", "similarity", "usual", "deviations"])


def _page(found: Sequence[T], key: str, size: int) -> Sequence[T]:
    """One page of a list; draws the choice of the page where there are several."""
    pages = max(1, -(-len(found) // size))
    if pages == 1:
        return found
    page = st.pagination(pages, key=key, bind="query-params")
    return found[(page - 1) * size : page * size]
