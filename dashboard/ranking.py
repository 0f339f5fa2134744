"""The models in the order of the analyst's own weights."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.errors import LikenessError
from core.evaluate import HEADLINE, Evaluation
from core.metrics import METRICS
from core.preference import Candidate, Preference, Weights, prefer
from dashboard import model_charts, panels
from dashboard.text import plain


def draw(evaluation: Evaluation) -> None:
    """Weights, a sentence and a chart, in an expander; nothing for a single model."""
    if len(evaluation.models) < 2:
        return
    with st.expander("Rank by your own weights", icon=":material/balance:"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            metric = st.selectbox(
                "Quality is", list(METRICS), list(METRICS).index(HEADLINE),
                format_func=lambda name: METRICS[name].title, key="quality", bind="query-params",
            )  # fmt: skip
            quality = st.slider("Quality counts", 0, 10, 6, key="w-quality", bind="query-params")
            latency = st.slider("Speed counts", 0, 10, 3, key="w-speed", bind="query-params")
            size = st.slider("Small size counts", 0, 10, 1, key="w-size", bind="query-params")
        candidates = [
            Candidate(name, result.values[metric], result.latency.p50, result.backbone.spec.size_mb)
            for name, result in evaluation.models.items()
        ]
        try:
            ranked = prefer(candidates, Weights(quality, latency, size))
        except LikenessError as problem:
            st.warning(plain(str(problem)))
            return
        st.markdown(_sentence(ranked))
        panels.chart(
            model_charts.preference(ranked),
            pd.DataFrame([(p.name, p.quality, p.latency, p.size, p.score) for p in ranked],
                         columns=["model", "from quality", "from speed", "from size", "score"]),
            "ranking",
            "Stacked bars: what quality, speed and size add to each model's score, best first",
        )  # fmt: skip


def _sentence(ranked: list[Preference]) -> str:
    return (
        f"With these weights **{plain(ranked[0].name)}** comes first, then {plain(ranked[1].name)}. By each criterion "
        "the worst of these models gets nothing and the best gets the whole weight; time and size count by ratio, so "
        "that halving either is worth the same anywhere."
    )
