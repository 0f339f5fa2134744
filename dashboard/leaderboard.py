"""The leaderboard as a sentence and as a sortable table."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import streamlit as st

from core.datasets.overlap import seen_in_pretraining
from core.evaluate import HEADLINE, Evaluation, ModelResult
from core.metrics import METRICS
from core.verify import SUMMARIES
from dashboard.charts import ModelPoint
from dashboard.text import interval, plain, share

_SHOWN = ("retrieval_accuracy", "mrr", "map_at_r", "r_precision", "weighted_precision_at_5", "macro_precision_at_5")
_DEFINITIONS = {
    **{METRICS[name].title: METRICS[name].definition for name in (HEADLINE, *_SHOWN)},
    **{summary.title: summary.definition for summary in SUMMARIES.values()},
}


def sentence(evaluation: Evaluation) -> str:
    """What the leaderboard says, in plain words."""
    best = next(iter(evaluation.models))
    result = evaluation.models[best]
    low, high = result.intervals[HEADLINE]
    text = (
        f"**{plain(best)}** retrieves best: {share(result.values[HEADLINE])} {interval(low, high)} of the five most "
        f"similar images are of the right class, over {len(result.results):,} queries."
    )
    others = [plain(name) for name in evaluation.tied if name != best]
    if others:
        text += f" It cannot be told from {', '.join(others)} on these queries."
    elif len(evaluation.models) > 1:
        text += " The others are measurably worse."
    if left_out := result.results.left_out:
        text += f" {left_out:,} queries were left out because the gallery has no image of their class."
    return text


def table(evaluation: Evaluation) -> pd.DataFrame:
    """One row a model, best first: shares in [0, 1] with the limits of their 95% intervals, milliseconds, megabytes."""
    rows = []
    for name, result in evaluation.models.items():
        spec = result.backbone.spec
        row: dict[str, Any] = {"best": _mark(evaluation, name), "model": name}
        for title, (value, low, high) in _estimates(result).items():
            row |= {title: value, f"{title} low": low, f"{title} high": high}
        row |= {"ms": result.latency.p50, "ms p95": result.latency.p95, "MB": spec.size_mb, "dim": spec.dim}
        rows.append(row | {"pre-training": spec.pretraining})
    return pd.DataFrame(rows)


def draw(evaluation: Evaluation) -> None:
    """The table, sortable by any column, with every definition as a tooltip."""
    show = st.segmented_control(
        "Show", ["values", "intervals"], default="values", key="show", bind="query-params", required=True,
        help="95% intervals of every metric: by bootstrap over the queries; of ROC AUC and EER over images, not pairs.",
    )  # fmt: skip
    columns: dict[str, Any] = {
        "best": st.column_config.TextColumn("", help="★ best by P@5; ≈ cannot be told from the best", width=36),
        "model": st.column_config.TextColumn("Model", pinned=True),
        "ms": st.column_config.NumberColumn(
            "ms", format="%.1f", help="Median milliseconds for one image on one core: decode, resize, network."
        ),
        "ms p95": st.column_config.NumberColumn("ms p95", format="%.1f", help="95 of 100 images take at most this."),
        "MB": st.column_config.NumberColumn("MB", format="%.1f", help="Size of the published weights file."),
        "dim": st.column_config.NumberColumn("dim", help="Length of a vector."),
        "pre-training": st.column_config.TextColumn(
            help="What the network was trained on. Test images seen in training flatter a model."
        ),
    }
    for title, definition in _DEFINITIONS.items():
        columns[title] = st.column_config.NumberColumn(title, help=definition)
    first, *others = _DEFINITIONS
    st.dataframe(
        _styled(table(evaluation), list(_DEFINITIONS) if show == "intervals" else [first]),
        hide_index=True, column_config=columns, key="leaderboard",
        column_order=["best", "model", first, "ms", "MB", *others, "ms p95", "dim", "pre-training"],
        alt="Leaderboard: retrieval metrics, latency and size of each model, best first",
    )  # fmt: skip


def _styled(frame: pd.DataFrame, with_intervals: list[str]) -> Any:
    """The table with limits written into the cells of some columns, which still sort by their numbers."""
    limits = [f"{title} {end}" for title in _DEFINITIONS for end in ("low", "high")]
    styled = frame.drop(columns=limits).style.format("{:.4f}", subset=list(_DEFINITIONS), na_rep="\N{EN DASH}")
    for title in with_intervals:
        for row in frame.index[frame[title].notna()]:
            value, low, high = (frame.at[row, f"{title}{end}"] for end in ("", " low", " high"))
            text = f"{value:.3f} [{low:.3f}\N{EN DASH}{high:.3f}]"
            styled.format(lambda _, text=text: text, subset=([row], [title]))
    return styled


def _estimates(result: ModelResult) -> dict[str, tuple[float, float, float]]:
    """Each metric's value and 95% interval, by title; NaN where there are no pairs to score."""
    found = {METRICS[name].title: (result.values[name], *result.intervals[name]) for name in (HEADLINE, *_SHOWN)}
    for name, summary in SUMMARIES.items():
        estimate = None if result.pairs is None else result.pairs.summary[name]
        found[summary.title] = (estimate.value, *estimate.interval) if estimate else (math.nan,) * 3
    return found


def draw_overlap(evaluation: Evaluation) -> None:
    """The models that saw these images, or their kinds, before: their numbers flatter them."""
    models = evaluation.models.values()
    seen = {m.backbone.name: seen_in_pretraining(evaluation.dataset, m.backbone.spec) for m in models}
    known = {name: why for name, why in seen.items() if why}
    if known:
        st.badge(
            f"Seen in pre-training: {', '.join(plain(name) for name in known)}", color="orange",
            icon=":material/visibility:", help="\n\n".join(plain(why) for why in known.values()),
        )  # fmt: skip


def draw_training(evaluation: Evaluation) -> None:
    """The models that were trained here on some of the queries: their numbers flatter them much more."""
    for name, number in evaluation.trained_on.items():
        st.badge(
            f"{plain(name)} was trained on {number:,} of these queries", color="red",
            icon=":material/visibility:",
            help="It learnt the labels of these very images. Judge it on images that it was not trained on.",
        )  # fmt: skip


def points(evaluation: Evaluation) -> list[ModelPoint]:
    """The models for the chart of accuracy against latency."""
    return [
        ModelPoint(
            name, result.values[HEADLINE], *result.intervals[HEADLINE], result.latency.p50, result.backbone.spec.size_mb
        )
        for name, result in evaluation.models.items()
    ]


def _mark(evaluation: Evaluation, name: str) -> str:
    if name == next(iter(evaluation.models)):
        return "★"
    return "≈" if name in evaluation.tied else ""
