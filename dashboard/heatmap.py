"""The per-class page's parts: what to show, what it says in a sentence, and the heatmap itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import LikenessError
from core.metrics import CUTOFFS
from core.per_class import CLASS_METRICS, ClassMetric, ClassTable, Order
from core.records import Dataset
from dashboard import class_charts, panels
from dashboard.text import count, interval, literal, plain, share

_CUTOFF = "precision"  # stands for P@1 to P@20
_TITLES = {
    _CUTOFF: "P@k", "precision_at_1": "hit@1",
    **{name: metric.title for name, metric in CLASS_METRICS.items() if not name.startswith("precision")},
}  # fmt: skip
_NEAREST = 5  # what is looked at behind a cell where the metric has no cut-off
_HEIGHT = 720  # in pixels; what is higher scrolls
_MOST_OUTLINED = 500  # cells


@dataclass(frozen=True)
class View:
    """What the analyst wants to see; ``cutoff`` is how many images of each query are looked at behind a cell."""

    metric: ClassMetric
    cutoff: int
    split: str
    sort: Order
    baseline: str | None


def controls(dataset: Dataset, models: list[str]) -> View:
    """Draw the controls.

    Raises:
        LikenessError: no split has images that could ask.
    """
    splits = [split for split in ("test", "val") if len(dataset.rows(split))]
    if not splits:
        raise LikenessError("All images are for training, so none can ask. Add images, or choose another dataset.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Metric", list(_TITLES), format_func=lambda name: _TITLES[name], key="class_metric", bind="query-params",
            width=140,
            help="\n\n".join(f"**{_TITLES[name]}**: {_metric(name, _NEAREST).definition}" for name in _TITLES),
        )  # fmt: skip
        cutoff = 1 if name == "precision_at_1" else _NEAREST
        if name == _CUTOFF:
            cutoff = st.slider("k", 1, CUTOFFS, _NEAREST, key="cutoff", bind="query-params", width=130)
        split = st.segmented_control(
            "Queries from", splits, default=splits[0], key="queries", bind="query-params", required=True,
            help="Each image of this split asks the training images for its class. Choose on val, report on test.",
        )  # fmt: skip
        sort = st.selectbox(
            "Sort by", get_args(Order), key="sort", bind="query-params", width=130,
            help="Difficulty: the worst mean over the models first. Spread: the largest difference between models "
            "first. Support: the most queries first.",
        )  # fmt: skip
        baseline = None
        if len(models) > 1:
            baseline = st.selectbox(
                "Difference to", models, index=None, placeholder="no model", key="baseline", bind="query-params",
                width=190, help="Show by how much each model is better or worse than this one.",
            )  # fmt: skip
    return View(_metric(name, cutoff), cutoff, split or splits[0], sort, baseline)


def sentence(table: ClassTable, shown: ClassTable, view: View) -> str:
    """The hardest class, the one that the models differ most on, and how many differences there are, in words."""
    metric = view.metric
    counted = [place for place in table.order("difficulty").tolist() if table.support[place]]
    hardest = counted[0]
    best = int(table.goodness[hardest].argmax())
    found = _found(table, hardest, best)
    text = f"Hardest class by {metric.title}: **{_name(table, hardest)}**, with {found} "
    text += "even for the best model, " if len(table.models) > 1 else "for "
    text += f"**{plain(table.models[best])}**."
    if len(table.models) > 1:
        widest = int(table.order("spread")[0])
        low, high = int(table.goodness[widest].argmin()), int(table.goodness[widest].argmax())
        text += f" The models differ most on **{_name(table, widest)}**: {_found(table, widest, high)} for "
        text += f"{plain(table.models[high])}, {_found(table, widest, low)} for {plain(table.models[low])}."
    if empty := len(table.classes) - len(counted):
        text += f" {count(empty, 'class has', 'classes have')} no {metric.counted[1]} that count, and no number."
    if view.baseline is not None:
        apart = class_charts.excludes_zero(shown)
        better, worse = (int((apart & (sign * shown.goodness > 0)).sum()) for sign in (1, -1))
        differences = len(counted) * len(shown.models)
        text += (
            f" Of {count(differences, 'difference')} to **{plain(view.baseline)}**, {better:,} "
            f"{'is' if better == 1 else 'are'} better and {worse:,} worse by more than chance explains."
        )
    return text


def draw(table: ClassTable, shown: ClassTable, view: View, cell: tuple[str, str]) -> None:
    """The heatmap of ``shown``, which is ``table`` or differences, in an order of ``table``; a click chooses a cell."""
    shown = shown.take(table.order(view.sort))
    # A large figure takes the browser long to draw, so that it has nothing in it that a click would change.
    large = shown.values.size > _MOST_OUTLINED
    figure = class_charts.heatmap(shown, view.metric, None if large else cell, view.baseline)
    with st.container(gap=None):
        if figure.layout.height > _HEIGHT:
            names, figure = class_charts.split_names(figure)
            st.plotly_chart(names, config={"displayModeBar": False}, alt="The names of the models", key="chart-names")
        panels.chart(
            figure,
            frame(shown, view.baseline),
            "classes",
            f"Heatmap: {view.metric.title} of each class, top to bottom, and model, left to right"
            + (f", less that of {literal(view.baseline)}" if view.baseline else ""),
            choose,
            _HEIGHT,
        )
    st.caption(_legend(shown, view))


def frame(table: ClassTable, baseline: str | None) -> pd.DataFrame:
    """One row for each class and model."""
    classes, models = len(table.classes), len(table.models)
    columns = {
        "class": np.repeat([literal(label) for label in table.classes], models),
        "support": np.repeat(table.support, models),
        "model": np.tile(table.models, classes),
    }
    if baseline is not None:
        columns["less"] = np.repeat(baseline, classes * models)
    sides = {"value": table.values, "low": table.low, "high": table.high}
    return pd.DataFrame(columns | {name: side.ravel() for name, side in sides.items()})


def choose(cell: list[str]) -> None:
    """Callback: look behind this class and model."""
    st.session_state["class"], st.session_state["class_model"] = cell


def choose_cell(table: ClassTable) -> tuple[str, str]:
    """Draw the choice of a class and a model, which a click on the heatmap makes too."""
    hardest, best = table.classes[int(table.order("difficulty")[0])], table.models[0]
    with st.container(horizontal=True):
        label = st.selectbox(
            "Class", table.classes, index=None, placeholder=f"the hardest: {literal(hardest)}", format_func=literal,
            key="class", bind="query-params",
        )  # fmt: skip
        model = st.selectbox(
            "Model", table.models, index=None, placeholder=f"the best: {literal(best)}", key="class_model",
            bind="query-params",
        )  # fmt: skip
    return label or hardest, model or best


def _legend(shown: ClassTable, view: View) -> str:
    click = "Choose a cell to see the images behind it."
    if view.baseline is None:
        worst, best = (abs(float(end)) for end in (np.nanmin(shown.goodness), np.nanmax(shown.goodness)))
        return (
            f"**Blue** is better: values run from {worst:.3f}, the palest, to {best:.3f}. In brackets: "
            f"{view.metric.counted[1]}. {click}"
        )
    return (
        f"A cell is its model less {plain(view.baseline)} on the same {view.metric.counted[1]}: **blue** where it is "
        "better, **orange** where it is worse, grey where the 95% interval includes 0. Of 20 classes without any "
        f"difference, expect one whose interval leaves out 0. {click}"
    )


def _metric(name: str, cutoff: int) -> ClassMetric:
    return CLASS_METRICS[f"precision_at_{cutoff}" if name == _CUTOFF else name]


def _name(table: ClassTable, place: int) -> str:
    return plain(table.classes[place])


def _found(table: ClassTable, place: int, column: int) -> str:
    value, low, high = (float(side[place, column]) for side in (table.values, table.low, table.high))
    return f"{share(value)} {interval(low, high)}"
