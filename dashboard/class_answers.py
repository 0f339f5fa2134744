"""What is behind a cell of the per-class page: wrong classes, worst queries, and where another model knows better."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.drill_down import confusions, disagreements, worst_queries
from core.evaluate import Evaluation
from core.records import Dataset
from dashboard import class_charts, panels
from dashboard.hits import mark
from dashboard.navigation import RETRIEVAL
from dashboard.pair_picker import compare_link
from dashboard.query import link_to
from dashboard.text import count, literal, plain, shortened

_WIDTH, _GAP = 120, 16
_LETTERS = 13  # that fit below a picture
_QUERIES, _FOUND, _DISAGREEMENTS = 6, 8, 8


def draw(evaluation: Evaluation, model: str, label: str, cutoff: int) -> None:
    """All that is behind a cell; ``cutoff`` is how many images each query retrieves."""
    if not worst_queries(evaluation, model, label, count=1):
        st.info(
            f"Nothing was retrieved: no query is of class {plain(label)}, or the training images have none of it.",
            icon=":material/info:",
        )
        return
    _draw_confusions(evaluation, model, label, cutoff)
    _draw_worst(evaluation, model, label, cutoff)
    _draw_disagreements(evaluation, model, label)


def _draw_confusions(evaluation: Evaluation, model: str, label: str, cutoff: int) -> None:
    """The wrong classes among what the class's queries find."""
    st.markdown(f"**What comes back instead**, among the {_nearest(cutoff)}")
    found = confusions(evaluation, model, label, cutoff)
    if not found:
        st.caption("Nothing: every image that came back is of this class.")
        return
    rows = [(literal(one.label), one.count, one.share, one.queries) for one in found]
    panels.chart(
        class_charts.confusions(found),
        pd.DataFrame(rows, columns=["class", "images", "share", "queries"]),
        "confusions",
        f"Bar chart: classes that come back instead of {literal(label)}, by their share of what came back",
    )


def _draw_worst(evaluation: Evaluation, model: str, label: str, cutoff: int) -> None:
    """The class's worst queries, each with what it found, nearest first."""
    found = worst_queries(evaluation, model, label, cutoff, _QUERIES)
    st.markdown(f"**Worst queries**, each with its {_nearest(min(cutoff, _FOUND))}")
    with st.container(horizontal=True, gap="medium"):
        for answer in found:
            with _strip(1 + min(cutoff, _FOUND)):
                right = round(answer.precision * cutoff)
                _tile(evaluation.dataset, answer.row, f"{right} of {cutoff} right")
                for row in answer.found[:_FOUND]:
                    _answer(evaluation.dataset, answer.row, row)


def _draw_disagreements(evaluation: Evaluation, model: str, label: str) -> None:
    """The class's queries whose nearest image is right for the model and wrong for another, which is chosen here."""
    others = [name for name in evaluation.models if name != model]
    if not others:
        st.caption("Embed these images with a second model to see where the two disagree.")
        return
    other = st.selectbox(
        f"Where {literal(model)} is right and this model is wrong", others, key="against", bind="query-params"
    )
    found = disagreements(evaluation, model, other, label)
    reverse = disagreements(evaluation, other, model, label)
    st.caption(
        f"By the nearest image, {plain(model)} alone is right for {count(len(found), 'query', 'queries')}, "
        f"{plain(other)} alone for {len(reverse):,}."
    )
    with st.container(horizontal=True, gap="medium"):
        for one in found[:_DISAGREEMENTS]:
            with _strip(3):
                _tile(evaluation.dataset, one.row, "query")
                _answer(evaluation.dataset, one.row, one.right)
                _answer(evaluation.dataset, one.row, one.wrong)


def _strip(tiles: int) -> DeltaGenerator:
    """So many tiles side by side, where the window is wide enough."""
    return st.container(horizontal=True, gap="small", width=tiles * (_WIDTH + _GAP))


def _answer(dataset: Dataset, asked: int, row: int) -> None:
    """What a query found; a wrong answer can be compared with it."""
    label, wanted = str(dataset.labels[row]), str(dataset.labels[asked])
    with st.container(width=_WIDTH, gap=None):
        _tile(dataset, row, f"{mark(label, wanted)}{plain(shortened(label, _LETTERS))}")
        if label != wanted:
            compare_link(dataset, asked, row)


def _tile(dataset: Dataset, row: int, words: str) -> None:
    """A picture, and below it a link that searches with it."""
    label, path = str(dataset.labels[row]), str(dataset.paths[row])
    with st.container(width=_WIDTH, gap=None):
        panels.picture(dataset, row, _WIDTH)
        st.page_link(
            RETRIEVAL, label=words, help=f"{plain(label)}: search with {plain(path)}", query_params=link_to(path)
        )


def _nearest(cutoff: int) -> str:
    return "most similar image" if cutoff == 1 else f"{cutoff} most similar images"
