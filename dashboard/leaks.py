"""The leaderboard with and without the queries that have a near duplicate in the gallery."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.duplicates import Duplicates
from core.evaluate import HEADLINE, Evaluation
from core.leaks import Leaks, headline_change, without_leaks
from core.metrics import METRICS
from dashboard import loaders, panels
from dashboard.selection import is_public
from dashboard.text import count, plain


def draw(evaluation: Evaluation) -> None:
    """A switch, as all images have to be looked at once; then a sentence and a table, in an expander."""
    with st.expander("With and without near duplicates", icon=":material/content_copy:"):
        if is_public():
            st.caption("This is a public demo, which computes nothing new.")
            return
        wanted = st.toggle(
            "Look for near duplicates of queries in the gallery", key="leaks", bind="query-params",
            help="A query whose near duplicate is in the gallery is found too easily. Every image is hashed once, "
            "which takes a while; the hashes are kept. `python -m core duplicates` lists the groups.",
        )  # fmt: skip
        if not wanted:
            return
        best = next(iter(evaluation.models.values())).backbone.networks[0]
        with panels.progress() as progress:
            found = loaders.duplicates(evaluation.dataset, best, progress)
        draw_effect(evaluation, found)


def draw_effect(evaluation: Evaluation, found: Duplicates) -> None:
    """What leaks do to the leaderboard: a sentence and a table."""
    leaks = without_leaks(evaluation, found)
    st.markdown(_sentence(evaluation, leaks))
    if leaks.without:
        frame = _table(evaluation, leaks)
        st.dataframe(frame, hide_index=True, alt="P@5 and hit@1 with and without the leaks")
        panels.download(frame, "leaks")


def _sentence(evaluation: Evaluation, leaks: Leaks) -> str:
    if not leaks.queries:
        return f"None of the {leaks.counted:,} queries has a near duplicate in the gallery: nothing leaks."
    if not leaks.without:
        return f"All {leaks.counted:,} queries have a near duplicate in the gallery: none would be left."
    best = next(iter(evaluation.models))
    return (
        f"{count(leaks.queries, 'query', 'queries')} of {leaks.counted:,} have a near duplicate in the gallery. "
        f"Without them P@5 of **{plain(best)}** changes by {headline_change(evaluation, leaks, best):+.4f}."
    )


def _table(evaluation: Evaluation, leaks: Leaks) -> pd.DataFrame:
    rows = []
    for name, result in evaluation.models.items():
        row = {"model": name}
        for metric in (HEADLINE, "retrieval_accuracy"):
            title, without = METRICS[metric].title, leaks.without[name][metric]
            row[title] = _cell(result.values[metric], *result.intervals[metric])
            row[f"{title} without leaks"] = _cell(without.value, without.low, without.high)
        rows.append(row)
    return pd.DataFrame(rows)


def _cell(value: float, low: float, high: float) -> str:
    return f"{value:.4f} [{low:.4f}\N{EN DASH}{high:.4f}]"
