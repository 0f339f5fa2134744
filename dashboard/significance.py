"""Which models differ: every pair, with intervals and corrected p-values."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.evaluate import HEADLINE, Evaluation
from core.metrics import METRICS, Difference
from dashboard import loaders, model_charts, panels
from dashboard.text import count

_ALPHA = 0.05


def draw(evaluation: Evaluation) -> None:
    """A sentence and a matrix, in an expander; nothing for a single model."""
    if len(evaluation.models) < 2:
        return
    with st.expander("Which differences are more than chance", icon=":material/compare_arrows:"):
        metric = st.selectbox(
            "By", list(METRICS), list(METRICS).index(HEADLINE), format_func=lambda name: METRICS[name].title,
            key="by", bind="query-params", help="\n\n".join(f"**{m.title}**: {m.definition}" for m in METRICS.values()),
        )  # fmt: skip
        differences = loaders.differences(evaluation, metric)
        title = METRICS[metric].title
        st.markdown(_sentence(differences, title))
        panels.chart(
            model_charts.significance(list(evaluation.models), differences, _ALPHA),
            _table(differences),
            f"differences-{metric}",
            f"Matrix: {title} of the row's model less that of the column's, with intervals; coloured where significant",
        )


def _sentence(differences: list[Difference], title: str) -> str:
    apart = sum(difference.adjusted <= _ALPHA for difference in differences)
    verb = "differs" if apart == 1 else "differ"
    return (
        f"By {title}, {apart} of {count(len(differences), 'pair')} of models {verb} by more than chance explains. "
        "A cell is the row's model less the column's, with its 95% interval: **blue** where the row is better, "
        "**orange** where it is worse, grey where these queries cannot tell."
    )


def _table(differences: list[Difference]) -> pd.DataFrame:
    columns = ["a", "b", "a less b", "low", "high", "p", "p adjusted"]
    return pd.DataFrame([(d.a, d.b, d.value, *d.interval, d.p_value, d.adjusted) for d in differences], columns=columns)
