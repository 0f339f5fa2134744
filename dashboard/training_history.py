"""What has been trained: what each run came to, and all of them in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from core.training.runs import Run
from core.training.settings import METRICS
from dashboard import panels, training_run
from dashboard.navigation import OVERVIEW
from dashboard.pair_picker import link_to
from dashboard.selection import Selection, is_public
from dashboard.text import literal, plain

_TESTED = ("precision_at_5", "retrieval_accuracy")
# On screen; what came of it stands before what went in.
_ORDER = (
    "name", "state", "objective", "start", "head only", "P@5", "P@5 gain", "hit@1", "hit@1 gain", "validation",
    "epochs", "best epoch", "dataset", "images", "seconds", "started",
)  # fmt: skip


def draw(known: Sequence[Run], selection: Selection, *, busy: bool) -> None:
    """The table, and below it the run that is selected, or else the last one.

    Args:
        known: the last one started first.
        selection: what the sidebar says.
        busy: whether something runs, so that nothing more can be started.
    """
    st.header("Runs")
    if not known:
        st.info(
            "Nothing has been trained yet. The form above starts a run, and so does `python -m core train`.",
            icon=":material/info:",
        )
        return
    frame = table(known)
    picked = st.dataframe(
        _shown(frame), hide_index=True, on_select="rerun", selection_mode="single-row", key=f"runs-{known[0].name}",
        column_config=_columns(), column_order=_ORDER,
        alt="Training runs with their settings and what they reach on test images",
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        panels.download(frame, "runs")
        if len(known) > 1:
            st.caption("Select a row to see that run; the last one is shown else.")
    rows = picked["selection"]["rows"]
    run = known[rows[0] if rows and rows[0] < len(known) else 0]
    if run.state != "running":  # that one is drawn above
        st.markdown(verdict(run))
        _draw_next(run, selection, busy=busy)
        training_run.draw(run, selection.dataset)


def verdict(run: Run) -> str:
    """What came of a run, in plain words."""
    name, settings = plain(run.name), run.settings
    if run.state == "unfinished":
        return f"**{name}** stopped after {run.epoch} of at most {settings.epochs} epochs."
    if not run.test:
        value = f"{METRICS[settings.metric]} {run.history[run.best].values[settings.metric]:.3f}"
        return f"**{name}**: {value} on validation; there are no test images to judge it by."
    text = f"**{name}**: P@5 {run.test['models'][run.name]['precision_at_5']:.3f} on test"
    gain = run.test["differences"].get("precision_at_5")
    if gain is None:
        return f"{text}. It started from random weights, so there is nothing to compare it with."
    text += f", {_gain(gain)} over {plain(settings.model)}"
    low, high = gain["ci"]
    if high < 0:
        return f"{text}: measurably worse."
    return f"{text}." if low > 0 else f"{text}: no gain shown, for the interval holds 0."


def table(known: Sequence[Run]) -> pd.DataFrame:
    """One row a run: shares in [0, 1] with the limits of their 95% intervals, and what it gains over its start."""
    return pd.DataFrame([_row(run) for run in known])


def _row(run: Run) -> dict[str, Any]:
    settings = run.settings
    metric = settings.metric
    row: dict[str, Any] = {
        "name": run.name, "state": run.state, "objective": settings.objective, "start": settings.model,
        "head only": settings.fast, "dataset": literal(run.title), "images": run.counts.train, "epochs": run.epoch,
        "best epoch": run.best, "decided by": METRICS[metric],
        "validation": run.history[run.best].values[metric] if run.history else None,
    }  # fmt: skip
    for name in _TESTED:
        row |= _tested(run.test, run.name, name, METRICS[name])
    return row | {
        "seconds": round(sum(epoch.seconds for epoch in run.history), 1),
        "started": datetime.fromtimestamp(run.started).replace(microsecond=0),
    }


def _tested(test: Mapping[str, Any], model: str, metric: str, title: str) -> dict[str, float | None]:
    found = test.get("models", {}).get(model)
    gain = test.get("differences", {}).get(metric)
    value, (low, high) = (found[metric], found["ci"][metric]) if found else (None, (None, None))
    more, (least, most) = (gain["value"], gain["ci"]) if gain else (None, (None, None))
    return {
        title: value, f"{title} low": low, f"{title} high": high,
        f"{title} gain": more, f"{title} gain low": least, f"{title} gain high": most,
    }  # fmt: skip


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with intervals in the cells of what they belong to."""
    shown = frame.copy()
    decided = zip(frame["decided by"], frame["validation"], strict=True)
    shown["validation"] = ["" if pd.isna(value) else f"{title} {value:.3f}" for title, value in decided]
    for title in (METRICS[name] for name in _TESTED):
        for column, form in (
            (title, "{:.3f} [{:.3f}\N{EN DASH}{:.3f}]"),
            (f"{title} gain", "{:+.3f} [{:+.3f}, {:+.3f}]"),
        ):
            ends = frame[[column, f"{column} low", f"{column} high"]].itertuples(index=False)
            shown[column] = ["" if pd.isna(cells[0]) else form.format(*cells) for cells in ends]
    return shown


def _columns() -> dict[str, Any]:
    config: dict[str, Any] = {
        "name": st.column_config.TextColumn(pinned=True),
        "state": st.column_config.TextColumn(width=92),
        "images": st.column_config.NumberColumn(format="localized", help="Training images."),
        "validation": st.column_config.TextColumn(help="What the best epoch reaches by the metric that chose it."),
        "seconds": st.column_config.NumberColumn(format="localized", help="Of all its epochs."),
        "started": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
    }
    for title in (METRICS[name] for name in _TESTED):
        config[title] = st.column_config.TextColumn(f"{title} on test", help="With its 95% interval.")
        config[f"{title} gain"] = st.column_config.TextColumn(
            help="Over the model it started from, on the same test images; 95% interval of the difference."
        )
    return config


def _gain(found: Mapping[str, Any]) -> str:
    return "{:+.3f} [{:+.3f}, {:+.3f}]".format(found["value"], *found["ci"])


def _draw_next(run: Run, selection: Selection, *, busy: bool) -> None:
    """What can be done with a run: look at it beside the others, or go on with it."""
    if run.state == "finished":
        with st.container(horizontal=True, vertical_alignment="center"):
            if run.name in selection.ready and run.name not in selection.models:
                st.button("Add it to the chosen models", icon=":material/add:", on_click=_choose, args=(run.name,))
            st.page_link(
                OVERVIEW, label="Compare on the overview", icon=":material/leaderboard:", query_params=link_to()
            )
    elif is_public() or not busy:
        panels.job_button("Resume", ["train", run.settings.objective, "--resume", "--name", run.name])


def _choose(name: str) -> None:
    """Callback: choose a model beside those that are."""
    st.session_state["models"] = [*st.session_state["models"], name]
