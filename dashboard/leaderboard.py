"""The leaderboard as a sentence and as a sortable table."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.evaluate import HEADLINE, Evaluation
from core.metrics import METRICS
from dashboard.charts import ModelPoint
from dashboard.text import interval, plain, share

_SHOWN = ("retrieval_accuracy", "mrr", "map_at_r", "r_precision", "weighted_precision_at_5", "macro_precision_at_5")


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
    """One row a model, best first; shares in [0, 1]."""
    rows = []
    for name, result in evaluation.models.items():
        spec = result.backbone.spec
        low, high = result.intervals[HEADLINE]
        row: dict[str, Any] = {
            "best": _mark(evaluation, name), "model": name, METRICS[HEADLINE].title: result.values[HEADLINE],
            "95% interval": f"{low:.3f}\N{EN DASH}{high:.3f}", "ms": result.latency.p50, "MB": spec.size_mb,
        }  # fmt: skip
        row |= {METRICS[metric].title: result.values[metric] for metric in _SHOWN}
        row |= {"ms p95": result.latency.p95, "dim": spec.dim, "pre-training": spec.pretraining}
        rows.append(row)
    return pd.DataFrame(rows)


def draw(evaluation: Evaluation) -> None:
    """The table, sortable by any column, with every definition as a tooltip."""
    columns: dict[str, Any] = {
        "best": st.column_config.TextColumn("", help="★ best by P@5; ≈ cannot be told from the best", width=36),
        "model": st.column_config.TextColumn("Model"),
        "95% interval": st.column_config.TextColumn(help="95% interval of P@5: bootstrap over the queries."),
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
    for metric in (HEADLINE, *_SHOWN):
        columns[METRICS[metric].title] = st.column_config.NumberColumn(
            METRICS[metric].title, format="%.4f", help=METRICS[metric].definition
        )
    st.dataframe(
        table(evaluation), hide_index=True, column_config=columns, key="leaderboard",
        alt="Leaderboard: retrieval metrics, latency and size of each model, best first",
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
