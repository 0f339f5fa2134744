"""The map page's parts: which maps, how they are coloured, and the maps themselves, each beside how far to trust it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from core.alignment import Alignment, align
from core.backbones import Backbone
from core.class_mixing import mixed_classes
from core.errors import LikenessError
from core.neighbours import MOST, Neighbours
from core.palette import DIFFERENT, OTHER, SAME
from core.projection import JUDGED, MOST_SHOWN, Points, Projection, Settings
from core.records import Dataset
from dashboard import loaders, map_charts, map_preview, panels
from dashboard.charts import SPLIT_COLOURS
from dashboard.map_charts import Lit
from dashboard.selection import Selection
from dashboard.text import count, literal, plain, share

_CLASS, _SPLIT, _RIGHT, _LOOK, SIMILARITY = "class", "split", "right or wrong", "suspects", "similarity"
_MEANINGS = {
    _CLASS: "The class of each image.",
    _SPLIT: "Train, val or test.",
    _RIGHT: "Whether the most similar other image, of any split, is of the same class.",
    _LOOK: "Images whose neighbours disagree with their label, and images that are far from everything.",
    SIMILARITY: "Similarity to the image that is looked at.",
}
_RIGHT_COLOURS = {"right": SAME, "wrong": DIFFERENT}
_LOOK_COLOURS = {"neither": OTHER, "outlier": "#CC79A7", "label suspect": DIFFERENT}


@dataclass(frozen=True)
class View:
    """What the analyst wants to see: one model or two, how maps are made, what colours say, and class overlays."""

    models: list[Backbone]
    settings: Settings
    colour: str
    classes: bool


@dataclass(frozen=True)
class Map:
    """One model's map of the page's images, which are those that maps show.

    Attributes:
        dataset: the images that the map shows, as a dataset of their own.
        backbone: the model.
        projection: how faithful the map is.
        neighbours: of each image.
        laid: how the map is laid upon the first, or None for that.
    """

    dataset: Dataset
    backbone: Backbone
    projection: Projection
    neighbours: Neighbours
    laid: Alignment | None = None

    @cached_property
    def points(self) -> Points:
        """Where each image is drawn, ``(n, d)``."""
        return self.drawn(self.projection.points)

    def drawn(self, points: Points) -> Points:
        """Where points of the projection are drawn, ``(m, d)``."""
        return points if self.laid is None else self.laid(points)

    @cached_property
    def keys(self) -> NDArray[np.float64]:
        """The ``customdata`` of the points: 48 bits of their images' ids, which numbers hold exactly."""
        return np.array([int(key[:12], 16) for key in self.dataset.ids.tolist()], np.float64)

    @cached_property
    def rows(self) -> dict[float, int]:
        """The row of each key."""
        return {key: row for row, key in enumerate(self.keys.tolist())}

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Whether each image's most similar other image is of its class, ``(n,)``."""
        labels = self.dataset.labels
        return np.asarray(labels[self.neighbours.rows[:, 0]] == labels)


def controls(selection: Selection) -> View:
    """Draw the controls.

    Raises:
        LikenessError: no model that has embedded the images has vectors of its own.
    """
    ready = {name: model for name, model in selection.ready.items() if isinstance(model, Backbone)}
    names = [name for name in selection.models if name in ready] or list(ready)
    if not names:
        raise LikenessError("Only models with vectors of their own have maps. Embed the images with one.")
    metadata = [name for name in selection.dataset.metadata if name not in _MEANINGS]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = st.selectbox("Map of", names, key="map", bind="query-params", width=230)
        others = [name for name in names if name != first]
        second = None
        if others:
            second = st.selectbox(
                "Beside it", others, index=None, placeholder="no other model", key="beside", bind="query-params",
                width=230, help="Both maps show the same images, the second turned and scaled to lie as the first "
                "does. What is selected in one is selected in the other.",
            )  # fmt: skip
        colour = st.selectbox(
            "Colour by", [*_MEANINGS, *metadata], format_func=literal, key="colour", bind="query-params", width=160,
            help="\n\n".join(f"**{name}**: {meaning}" for name, meaning in _MEANINGS.items()),
        )  # fmt: skip
        classes = st.toggle(
            "Class names", key="classes", bind="query-params", help="The name of each class where its middle is, and "
            "lines between the classes that are most mixed.",
        )  # fmt: skip
        settings = _settings()
    chosen = [ready[first or names[0]], *([ready[second]] if second else [])]
    return View(chosen, settings, colour or _CLASS, classes)


def _settings() -> Settings:
    usual = Settings()
    with st.popover("How it is drawn", icon=":material/tune:"):
        flat = st.segmented_control(
            "Dimensions", [2, 3], default=2, key="dimensions", bind="query-params", required=True
        )
        near = st.slider(
            "Neighbours held together", 5, MOST, usual.neighbours, key="near", bind="query-params",
            help="Few show fine detail, many the larger structure.",
        )  # fmt: skip
        packed = st.slider(
            "Least distance of points", 0.0, 0.99, usual.min_dist, 0.01, key="min_dist", bind="query-params",
            help="Low packs like images tightly; high spreads them out.",
        )  # fmt: skip
        seed = st.number_input("Seed", 0, 999, usual.seed, key="map_seed", bind="query-params")
    return Settings(int(flat or 2), int(near), round(float(packed), 2), int(seed))


def load(selection: Selection, view: View) -> list[Map]:
    """The maps, the second laid upon the first; none while any has to be drawn first, which a button here starts."""
    found = [loaders.projection(selection.dataset, model, view.settings) for model in view.models]
    lacking = [model.name for model, one in zip(view.models, found, strict=True) if one is None]
    if not panels.job_runs() and lacking:
        _offer(selection, view.settings, lacking)
    kept = [(model, one) for model, one in zip(view.models, found, strict=True) if one is not None]
    if lacking:
        return []
    first = kept[0][1]
    whole = len(first.rows) == len(selection.dataset)
    shown = selection.dataset if whole else loaders.some(selection.dataset, first.rows)
    maps: list[Map] = []
    for model, one in kept:
        with panels.progress() as progress:
            neighbours = loaders.neighbours(shown, model, progress)
        maps.append(Map(shown, model, one, neighbours, align(one.points, first.points) if maps else None))
    return maps


def _offer(selection: Selection, settings: Settings, lacking: list[str]) -> None:
    names = " and ".join(f"**{plain(name)}**" for name in lacking)
    st.info(f"The map of {names} has not been drawn with these settings yet.", icon=":material/info:")
    options = ["--dimensions", str(settings.dimensions), "--neighbours", str(settings.neighbours)]
    options += ["--min-dist", str(settings.min_dist), "--map-seed", str(settings.seed)]
    arguments = ["project", *selection.choice.arguments, "--models", ",".join(lacking), *options]
    panels.job_button("Draw the map" if len(lacking) == 1 else "Draw the maps", arguments)


def sentence(maps: list[Map], whole: Dataset) -> str:
    """What the maps show, in plain words."""
    first = maps[0]
    text = (
        f"{count(len(first.dataset), 'image')} as **{plain(first.backbone.name)}** sees them: images close together "
        f"are alike to it. For {share(float(first.right.mean()))} the most similar other image is of the same class"
    )
    if len(maps) > 1:
        text += f"; for **{plain(maps[1].backbone.name)}** it is {share(float(maps[1].right.mean()))}"
    text += "."
    if len(whole) > MOST_SHOWN:
        text += f" This is a sample of {count(len(whole), 'image')}."
    return text


def draw(
    maps: list[Map], view: View, similar: list[NDArray[np.float32]] | None, lit: list[Lit] | None,
    selected: NDArray[np.bool_] | None, version: int, pick: Callable[[str], None],
) -> None:  # fmt: skip
    """The maps side by side.

    Args:
        maps: one or two.
        view: how they are coloured.
        similar: of each map, the similarity of its images to the one that is looked at, if one is.
        lit: of each map, what to find at a glance.
        selected: images to stand out, ``(n,)``.
        version: changes when the browser has to forget what was selected.
        pick: called with the key of a chart in which points were selected.
    """
    if view.colour == SIMILARITY and similar is None:
        st.info("Choose an image below, or a point of the map, to colour by similarity to it.", icon=":material/info:")
    for place, (one, column) in enumerate(zip(maps, st.columns(len(maps), gap="medium"), strict=True)):
        figure = _figure(one, view, None if similar is None else similar[place], selected)
        if view.classes:
            map_charts.add_classes(figure, one.points, one.dataset.labels, mixed_classes(one.dataset, one.neighbours))
        if lit is not None:
            map_charts.add_lit(figure, one.points, lit[place])
        with column:
            st.markdown(f"**{plain(one.backbone.name)}**")
            _chart(one, figure, f"{map_preview.CHARTS}{place}-{version}", pick)
            st.caption(
                f"Trustworthiness {one.projection.trustworthiness:.3f}; {share(one.projection.preservation)} of the "
                f"{JUDGED} images most similar to each are among the {JUDGED} nearest on the map.",
                help="Trustworthiness (Venna and Kaski, 2001): 1 if nothing is close on the map that is far apart to "
                "the model; 0.5 is about chance.",
            )  # fmt: skip
    st.caption(
        "What a map does not say: how far apart two groups lie, how large they are and how dense means nothing, and a "
        "gap need not be one to the model. Near points are usually alike; the similarities below are exact."
    )


def _figure(one: Map, view: View, similar: NDArray[np.float32] | None, selected: NDArray[np.bool_] | None) -> go.Figure:
    if view.colour == SIMILARITY and similar is not None:
        return map_charts.values_map(one.points, one.keys, similar, "similarity", selected)
    values, colours = _values(one, view.colour)
    return map_charts.classes_map(one.points, one.keys, map_charts.categories(values, colours), selected)


def _values(one: Map, colour: str) -> tuple[NDArray[np.str_], dict[str, str] | None]:
    dataset = one.dataset
    if colour == _SPLIT:
        return dataset.splits, SPLIT_COLOURS
    if colour == _RIGHT:
        return np.where(one.right, "right", "wrong"), _RIGHT_COLOURS
    if colour == _LOOK:
        values = np.full(len(dataset), "neither", "U16")
        values[[found.row for found in loaders.far_images(dataset, one.backbone, one.neighbours)]] = "outlier"
        values[[found.row for found in loaders.suspects(dataset, one.backbone, one.neighbours)]] = "label suspect"
        return values, _LOOK_COLOURS
    return dataset.metadata.get(colour, dataset.labels), None


def _chart(one: Map, figure: go.Figure, name: str, pick: Callable[[str], None]) -> None:
    key = f"chart-{name}"
    flat = one.points.shape[1] == 2
    st.plotly_chart(
        figure, key=key, config={"displaylogo": False, "scrollZoom": True},
        alt=f"Map of {len(one.dataset)} images by {one.backbone.name}, each a point; the lists below say the same",
        on_select=(lambda: pick(key)) if flat else "ignore", selection_mode=("box", "lasso"),
    )  # fmt: skip
    panels.download(lambda: _frame(one), f"map-{one.backbone.name}")


def _frame(one: Map) -> pd.DataFrame:
    axes = {f"axis {number + 1}": one.points[:, number] for number in range(one.points.shape[1])}
    return pd.DataFrame(
        {
            "path": one.dataset.paths,
            "class": one.dataset.labels,
            "split": one.dataset.splits,
            **axes,
            "right": one.right,
        }
    )
