"""The data page's jobs and cache: what is computed, what was, how much room it takes, and how to get some back."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import streamlit as st

from core import jobs
from core.cache_use import CacheUse, free_space
from core.jobs import JobStatus
from dashboard import loaders, panels
from dashboard.selection import Selection, is_public
from dashboard.text import count, literal, plain

_ASKED, _FREED, _UNKNOWN = "_free_space_asked", "_freed", "_free_unknown"


def draw_jobs(selection: Selection) -> None:
    """The job under way, models that lack vectors, and the jobs that ended; a public demo has none of it."""
    if is_public():
        st.caption("This is a public demo, which starts no jobs.")
        return
    panels.embed_missing(selection)
    past = jobs.history()
    if not past:
        st.caption("No job has run yet. Embedding, maps, trainings and reports that are started here are listed then.")
        return
    frame = pd.DataFrame([_row(one) for one in past])
    chosen = st.dataframe(
        frame, hide_index=True, on_select="rerun", selection_mode="single-row", key="jobs",
        alt="The jobs that ended: what, when, how long and how",
        column_config={"started": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm")},
    )  # fmt: skip
    panels.download(frame, "jobs")
    rows = chosen.selection.rows
    if rows and rows[0] < len(past):
        with st.container(border=True):
            st.caption(f"What the job of {frame['started'][rows[0]]:%H:%M} printed")
            st.code(jobs.output(past[rows[0]].id)[-4000:] or "nothing", language=None)
    else:
        st.caption("Choose a row to see what the job printed.")


def _row(job: JobStatus) -> dict[str, object]:
    return {
        "started": datetime.fromtimestamp(job.started),
        "command": literal(" ".join(job.command)),
        "ended": job.state,
        "took": panels.duration(max(job.updated - job.started, 0)),
        "message": literal(job.message),
    }


def draw_cache() -> None:
    """What the cache holds, by model and by kind, and how much can be freed."""
    use = loaders.cache_use()
    absent = f", and {panels.size(use.unknown)} are vectors of models that are not here" if use.unknown else ""
    st.markdown(
        f"The cache folder holds {panels.size(use.bytes)}. {panels.size(use.freeable)} of it can be computed again at "
        f"any time{absent}."
    )
    left, right = st.columns(2, gap="large")
    with left:
        _table(_models_frame(use), "cache by model", "Room that each model's vectors and graphs take")
    with right:
        _table(_kinds_frame(use), "cache by kind", "Room that everything else takes, by kind")
    _draw_free(use)


def _table(frame: pd.DataFrame, name: str, alt: str) -> None:
    columns = {name: st.column_config.NumberColumn(format="%.1f") for name in ("MB", "MB to free")}
    st.dataframe(frame, hide_index=True, alt=alt, column_config=columns)
    panels.download(frame, name)


def _models_frame(use: CacheUse) -> pd.DataFrame:
    rows = [(one.name or f"not here ({one.fingerprint[:8]})", one.images, one.bytes / 1e6) for one in use.models]
    return pd.DataFrame(rows, columns=["model", "images", "MB"])


def _kinds_frame(use: CacheUse) -> pd.DataFrame:
    rows = [(one.name, one.files, one.bytes / 1e6, one.freeable / 1e6) for one in use.kinds]
    return pd.DataFrame(rows, columns=["kind", "files", "MB", "MB to free"])


def _draw_free(use: CacheUse) -> None:
    if is_public():
        st.caption("This is a public demo, where nothing is removed.")
        return
    if said := st.session_state.pop(_FREED, None):
        st.success(said, icon=":material/check:")
    if not use.freeable and not use.unknown:
        return
    if not st.session_state.get(_ASKED):
        st.button("Free space", icon=":material/cleaning_services:", on_click=_ask, args=(True,))
        return
    with st.container(border=True):
        st.markdown(
            f"{panels.size(use.freeable)} go: leaderboards, scores of pairs, nearest images, maps, thumbnails, lists "
            "of files, reports, and jobs that ended more than a day ago. All of it is computed again when it is "
            "needed. Weights, trained models, label marks, fusions, uploads, your images and the vectors of models "
            "that are here stay."
        )
        if use.unknown:
            st.checkbox(
                f"Also the vectors of models that are not here, {panels.size(use.unknown)}", key=_UNKNOWN,
                help="A model whose weights are not found any more, or were replaced. Should it come back, its images "
                "have to be embedded again.",
            )  # fmt: skip
        with st.container(horizontal=True):
            st.button("Free it now", type="primary", icon=":material/delete:", on_click=_free)
            st.button("Keep everything", on_click=_ask, args=(False,))


def _ask(asked: bool) -> None:
    st.session_state[_ASKED] = asked


def _free() -> None:
    _ask(False)
    freed = free_space(loaders.store(), unknown=bool(st.session_state.get(_UNKNOWN)))
    text = f"{panels.size(freed.bytes)} freed, {count(freed.files, 'file')}."
    if freed.skipped:
        text += f" In use, and kept: {', '.join(plain(name) for name in freed.skipped)}."
    st.session_state[_FREED] = text
    loaders.forget()
