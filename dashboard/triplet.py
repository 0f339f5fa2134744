"""The triplet page's three images, and the answer."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core import images
from core.at_least_two import draw_mixed
from core.backbones import Backbone, Vectors
from core.errors import UnreadableImage
from core.fusion import Fusion
from core.judges import Judge
from core.metrics.distance import to_distances
from core.records import Dataset
from core.triplets import NAMES, TripletDecision, contradiction, decide, sentence
from dashboard import loaders, pair_picker, panels, triplet_charts
from dashboard.pair_picker import Query
from dashboard.selection import Selection
from dashboard.text import literal, plain
from dashboard.triplet_setting import Setting

KEYS = ("a", "b", "c")
_WIDTH = 150


@dataclass(frozen=True)
class Picture:
    """An image that can be used: its vectors by network, a thumbnail, and its class where it is known."""

    vectors: Vectors
    thumbnail: bytes
    label: str | None


def choose(selection: Selection, networks: Sequence[Backbone], *, drawable: bool) -> list[Picture] | None:
    """Draw the choice of three images; None while one is missing or cannot be used."""
    if drawable:
        st.button(
            "Draw a test triplet", icon=":material/casino:", on_click=_surprise, args=(selection.dataset,),
            help="Three test images: two of one class and one of another, or three of different classes.",
        )  # fmt: skip
    found = []
    for key, name, column in zip(KEYS, NAMES, st.columns(3), strict=True):
        with column, st.container(border=True):
            asked = pair_picker.choose(selection, key, f"Image {name}", gallery_open=False)
            found.append(None if asked is None else _look(selection.dataset, asked, name, networks))
    pictures = [picture for picture in found if picture]
    return pictures if len(pictures) == len(KEYS) else None


def _surprise(dataset: Dataset) -> None:
    """Callback: choose a random triplet of either kind."""
    rows = draw_mixed(dataset, "test", 2, random.randrange(2**32)).rows  # noqa: S311 - no secret
    for key, row in zip(KEYS, rows[random.randrange(2)], strict=True):  # noqa: S311
        pair_picker.take(key, str(dataset.paths[row]))


def _look(dataset: Dataset, asked: Query, name: str, networks: Sequence[Backbone]) -> Picture | None:
    """Show an image and give it to the networks; a message where it is none."""
    try:
        seen = loaders.look(asked.data, networks, None)
    except UnreadableImage as error:
        st.error(f"This file cannot be used: {plain(str(error))}.", icon=":material/broken_image:")
        return None
    label = None if asked.row is None else str(dataset.labels[asked.row])
    thumbnail = images.thumbnail(seen.picture)
    st.image(thumbnail, width=_WIDTH, alt=literal(f"Image {name}, {label or 'of unknown class'}"))
    st.caption(plain(label or "Its class is not known."))
    return Picture(seen.vectors, thumbnail, label)


def draw(
    pictures: Sequence[Picture], judges: Mapping[str, Judge], suggested: Mapping[str, float], used: Setting
) -> None:
    """The answer in words, as a triangle and as a table.

    Args:
        pictures: the three images.
        judges: who decides, then the models to ask beside it, by name.
        suggested: the threshold of each.
        used: the threshold that decides.
    """
    vectors, judge = [picture.vectors for picture in pictures], next(iter(judges.values()))
    found = decide(judge.model, vectors, used.threshold)
    _draw_answer(found, judge, pictures)
    table, said = pair_table(found, judge), sentence(found)
    left, right = st.columns([2, 3])
    with left:
        thumbnails = [picture.thumbnail for picture in pictures]
        panels.chart(triplet_charts.triangle(found, thumbnails, distances=used.distances), table, "triplet",
                     f"Triangle of the three images. {said}")  # fmt: skip
    with right:
        st.dataframe(table, hide_index=True, alt="The three pairs with their scores", column_config=_NUMBERS)
        st.caption("What each model says, at its own threshold:")
        rows = [decide(one.model, vectors, suggested[name]) for name, one in judges.items()]
        st.dataframe(model_table(rows), hide_index=True, alt="What each model says of the three pairs")


def _draw_answer(found: TripletDecision, judge: Judge, pictures: Sequence[Picture]) -> None:
    """The decision in words, who made it, and what the dataset's labels say to it."""
    if found.any_match:
        st.badge("At least two match", icon=":material/check_circle:", color="green")
    else:
        st.badge("No match", icon=":material/cancel:", color="gray")
    st.markdown(f"## {plain(sentence(found))}")
    if doubt := contradiction(found):
        st.warning(plain(doubt), icon=":material/warning:")
    origin = f": {judge.model.origin}" if isinstance(judge.model, Fusion) and judge.model.origin else ""
    asides = [f"Decided by {judge.model.name}{origin}."]
    labels = [picture.label for picture in pictures if picture.label is not None]
    if len(labels) == len(pictures):
        best = found.best
        true = labels[best.a] == labels[best.b] if found.any_match else len(set(labels)) == len(labels)
        asides.append(f"The dataset calls them {', '.join(labels)}, so this is {'right' if true else 'wrong'}.")
    st.caption(plain(" ".join(asides)))


_NUMBERS = {
    "similarity": st.column_config.NumberColumn(format="%.4f"),
    "distance": st.column_config.NumberColumn(format="%.4f", help="Euclidean distance of the vectors, from 0 to 2."),
    "P(same)": st.column_config.NumberColumn(
        format="percent", help="Probability that the two are of one class, at the share of such pairs in validation."
    ),
}


def pair_table(found: TripletDecision, judge: Judge) -> pd.DataFrame:
    """One row a pair; without distances where the score is no cosine."""
    rows = [
        {"pair": " and ".join(pair.names), "similarity": pair.score, "distance": pair.distance,
         "P(same)": judge.probability(pair.score), "answer": "same" if pair.same else "different"}
        for pair in found.pairs
    ]  # fmt: skip
    return pd.DataFrame(rows).dropna(axis="columns", how="all")


def model_table(found: Sequence[TripletDecision]) -> pd.DataFrame:
    """One row a model: its threshold in both units, and the three scores with a mark at those that reach it."""
    rows = []
    for one in found:
        cosine = one.pairs[0].distance is not None
        distance = f"{float(to_distances(one.threshold)):.3f}" if cosine else "none"
        scores = {"-".join(pair.names): f"{'✓ ' * pair.same}{pair.score:.3f}" for pair in one.pairs}
        rows.append({"model": literal(one.model), "same from": f"{one.threshold:.3f}", "up to d": distance, **scores})
    return pd.DataFrame(rows)
