"""Pieces that several pages show: charts with their data, pictures, provenance, jobs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core import jobs
from core.errors import LikenessError
from core.evaluate import Evaluation
from core.progress import Progress
from core.records import Dataset
from core.spreadsheet import guarded
from dashboard import loaders
from dashboard.selection import Selection, is_public
from dashboard.text import count, literal, plain

# What the stages of jobs that take long count.
_RATES = {"Embedding": "{:.0f} images", "Training": "{:.1f} steps", "Drawing the map": "{:.0f} epochs"}
_DONE = {
    "train": "Done. The new model is on every page from now on; the train page tells what it gained.",
    "project": "Done. The map is below.",
    "report": "Done. The report is ready to download.",
}


def chart(
    figure: go.Figure,
    data: pd.DataFrame,
    name: str,
    alt: str,
    pick: Callable[[Any], None] | None = None,
    most: int | None = None,
) -> None:
    """A chart, described in words for those who do not see it, with its data to download.

    ``pick`` is called with the ``customdata`` of a point that is clicked. A figure higher than ``most`` pixels scrolls.
    """
    key, config = f"chart-{name}", {"displaylogo": False}
    with st.container(height=most if most and figure.layout.height > most else "content", border=False):
        if pick is None:
            st.plotly_chart(figure, key=key, config=config, alt=alt)
        else:
            picked = partial(_picked, key, pick)
            st.plotly_chart(figure, key=key, config=config, alt=alt, on_select=picked, selection_mode="points")
    download(data, name)


def download(data: pd.DataFrame | Callable[[], pd.DataFrame], name: str, label: str = "Data as CSV") -> None:
    """A button that gives a table as ``<name>.csv``; one that is large is made when it is asked for."""
    st.download_button(
        label, lambda: as_csv(data() if callable(data) else data), f"{name}.csv", "text/csv",
        type="tertiary", icon=":material/download:", key=f"data-{name}", on_click="ignore",
    )  # fmt: skip


def as_csv(data: pd.DataFrame) -> str:
    """A table as CSV in which no spreadsheet takes a name for a formula."""
    texts = data.select_dtypes(exclude=["number", "bool"]).columns
    safe = data.assign(
        **{name: data[name].map(lambda one: guarded(one) if isinstance(one, str) else one) for name in texts}
    )
    return str(safe.to_csv(index=False))


def _picked(key: str, pick: Callable[[Any], None]) -> None:
    for point in st.session_state[key].selection.points:
        if "customdata" in point:
            pick(point["customdata"])


@contextmanager
def progress() -> Iterator[Progress]:
    """A bar that work done in this run reports to; it is gone when the work is."""
    place = st.empty()

    def show(stage: str, done: int, total: int) -> None:
        place.progress(min(done / total, 1.0) if total else 0.0, f"{stage}: {done:,} of {total:,}")

    yield show
    place.empty()


def picture(dataset: Dataset, row: int, width: int) -> None:
    """A thumbnail of a row, or a note where the file can no longer be shown."""
    data = loaders.thumbnail(str(dataset.ids[row]), str(dataset.file(row)), width)
    if data is None:
        st.caption(f"{plain(str(dataset.paths[row]))} can no longer be read.")
    else:
        st.image(data, width=width, alt=literal(f"{dataset.labels[row]}, {dataset.paths[row]}"))


def provenance(evaluation: Evaluation) -> None:
    """Where the numbers come from, in one line, with the details behind it."""
    facts = evaluation.as_json()["provenance"]
    libraries = ", ".join(f"{name} {version}" for name, version in facts["libraries"].items())
    st.caption(
        f"Dataset {facts['dataset_fingerprint'][:8]}, {count(facts['images'], 'image')}, seed {facts['seed']}; "
        f"queries {facts['split']}, gallery {facts['gallery']}; {plain(libraries)}.",
        help="Fingerprints of the models (architecture, weights, preprocessing):\n\n"
        + "\n".join(f"- {name}: `{fingerprint}`" for name, fingerprint in facts["fingerprints"].items()),
    )


def embed_missing(selection: Selection) -> None:
    """The models that have not embedded the dataset, with the button that starts the job, and its progress."""
    if not job_runs():
        offer_missing(selection)


def offer_missing(selection: Selection) -> None:
    """The same where the page has drawn the progress of jobs already, and there is none."""
    if not selection.pending:
        return
    names = ", ".join(f"**{plain(name)}** ({count(number, 'image')})" for name, number in selection.pending.items())
    st.markdown(f"Weights are here but vectors are missing: {names}.")
    start_button(f"Embed with {count(len(selection.pending), 'model')}", selection, list(selection.pending))


def job_runs() -> bool:
    """Draw how far the job under way is, or how the last one ended; whether there is one under way.

    In a public demo it would show visitors the owner's folders, and let them cancel the owner's work.
    """
    live = [] if is_public() else jobs.running()
    if live:
        _watch(live[0].id)
    elif finished := st.session_state.get("_finished_job"):
        _verdict(finished)
    return bool(live)


def start_button(label: str, selection: Selection, models: list[str]) -> None:
    """The button that starts a job in which these models embed the dataset; a public demo has none."""
    chosen = ["--models", ",".join(models), "--labels"]
    job_button(label, ["embed", *selection.choice.arguments, *chosen])


def job_button(label: str, arguments: list[str]) -> None:
    """The button that starts ``python -m core <arguments>`` as a job; a public demo has none."""
    if is_public():
        st.caption("This is a public demo, which computes nothing new.")
        return
    st.button(label, type="primary", icon=":material/play_arrow:", on_click=_start, args=(arguments,))
    if problem := st.session_state.pop("_job_problem", None):
        st.error(plain(problem))


def without_weights() -> None:
    """The models that cannot run here yet, and what to do about each."""
    reasons = loaders.unavailable_models()
    if reasons:
        with st.expander(f"{count(len(reasons), 'more model')} without weights on this machine"):
            st.dataframe(pd.DataFrame(reasons.items(), columns=["model", "what to do"]), hide_index=True)


def _start(arguments: list[str]) -> None:
    st.session_state.pop("_finished_job", None)
    try:
        jobs.start(arguments)
    except LikenessError as error:
        st.session_state["_job_problem"] = str(error)


@st.fragment(run_every=1.0)
def _watch(job: str) -> None:
    status = jobs.status(job)
    if status is None or not status.live:
        st.session_state["_finished_job"] = job
        loaders.forget()
        st.rerun(scope="app")
    share = status.done / status.total if status.total else 0.0
    words = f"{status.stage or 'Starting'}: {status.done:,} of {status.total:,}" if status.total else "Starting"
    if status.stage in _RATES and status.rate:
        words += f", {_RATES[status.stage].format(status.rate)} a second, {duration(status.eta_s)} left"
    st.progress(min(share, 1.0), words)
    st.caption(plain(f"python -m core {' '.join(status.command)}") + " (goes on when this page is closed)")
    st.button("Cancel", icon=":material/stop:", on_click=jobs.cancel, args=(job,), key=f"cancel-{job}")


def _verdict(job: str) -> None:
    status = jobs.status(job)
    if status is None:
        return
    if status.state == "done":
        words = _DONE.get(status.command[0], "Done. The new vectors are in the leaderboard.")
        st.success(words, icon=":material/check:")
    elif status.state == "cancelled":
        st.info(status.message, icon=":material/stop:")
    else:
        st.error(plain(status.message), icon=":material/error:")
        with st.expander("What the job printed"):
            st.code(jobs.output(job)[-4000:] or "nothing", language=None)


def size(count: int) -> str:
    """640 kB; 12.3 MB; 1.2 GB."""
    if count < 10**6:
        return f"{count / 1e3:,.0f} kB"
    return f"{count / 1e6:,.1f} MB" if count < 10**9 else f"{count / 1e9:,.1f} GB"


def duration(seconds: float) -> str:
    """40 s; 12 min; 1.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def nothing_embedded(selection: Selection) -> None:
    """The empty state of every page that needs vectors."""
    st.info(
        "No model has embedded these images yet. Start it below, or run "
        f"`python -m core embed --dataset {json.dumps(literal(selection.choice.ref))}`.",
        icon=":material/info:",
    )
    if not selection.pending:
        st.warning(
            "No weights were found on this machine. `python -m core models` says what to fetch and where to put it.",
            icon=":material/warning:",
        )
    embed_missing(selection)
