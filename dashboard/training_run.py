"""One training run on screen: how far it is, its curves, and the images that it gets most wrong."""

from __future__ import annotations

from statistics import mean

import pandas as pd
import streamlit as st

from core import jobs
from core.records import Dataset
from core.training import runs
from core.training.runs import HardTriplet, Run, epoch_json
from dashboard import loaders, panels, training_charts
from dashboard.text import count, plain

_WIDTH = 100


def under_way() -> Run | None:
    """The run under way that was started last, wherever that was."""
    return next((run for run in runs.runs() if run.state == "running"), None)


@st.fragment(run_every=1.5)
def draw_running(shown: str | None, dataset: Dataset) -> None:
    """The run under way, drawn again and again; when it ends or another begins, so is the whole page.

    Args:
        shown: the name of the run under way as the page knows it; None while a job has not come so far.
        dataset: has the images that the run gets wrong.
    """
    run = under_way()
    if (run.name if run else None) != shown:
        loaders.forget()
        st.rerun(scope="app")
    if run is None:
        return
    settings, counts = run.settings, run.counts
    st.markdown(
        f"**{plain(run.name)}**: {settings.objective} from {plain(settings.model)} on {plain(run.title)}, "
        f"{count(counts.train, 'training image')}, {count(counts.val, 'validation image')}"
        + (f"; {counts.left_out:,} left out as near duplicates of those that judge." if counts.left_out else ".")
    )
    if not jobs.running():
        at = run.losses[-1][0] if run.losses else float(run.epoch)
        st.progress(min(at / settings.epochs, 1.0), f"Epoch {min(int(at) + 1, settings.epochs)}{_left(run, at)}")
        st.caption("Started from a command line, which also stops it.")
    draw(run, dataset)


def draw(run: Run, dataset: Dataset) -> None:
    """The curves of a run and what its last epoch gets most wrong, as far as the dataset has the images."""
    if not (run.history or run.losses):
        st.caption("No step is finished yet.")
        return
    left, right = st.columns(2)
    with left:
        panels.chart(
            training_charts.loss(run), pd.DataFrame(run.losses, columns=["epoch", "loss"]), f"loss-{run.name}",
            "Line chart: the loss of each step and the mean of each epoch",
        )  # fmt: skip
    with right:
        panels.chart(
            training_charts.metrics(run), pd.DataFrame([epoch_json(one) for one in run.history]), f"epochs-{run.name}",
            "Line chart: validation metrics after each epoch, the best epoch marked",
        )  # fmt: skip
    _draw_hard(run, dataset)


def _left(run: Run, at: float) -> str:
    """Of how many epochs, and how long these take if they go on like this."""
    known = [epoch.seconds for epoch in run.history if epoch.number]
    left = f", {panels.duration((run.settings.epochs - at) * mean(known))} left" if known else ""
    return f" of at most {run.settings.epochs}{left}"


def _draw_hard(run: Run, dataset: Dataset) -> None:
    known = [one for one in run.hard if {one.anchor, one.positive, one.negative} <= dataset.row_of.keys()]
    if not known:
        if run.hard:
            st.caption(f"The images that it gets most wrong are those of {plain(run.title)}: choose it in the sidebar.")
        return
    when = f"after epoch {run.epoch}" if run.epoch else "before training"
    words = "" if run.settings.objective == "siamese" else ": least like its own class, most like another"
    st.markdown(f"**What it gets most wrong** on validation {when}{words}")
    with st.container(horizontal=True, gap="medium"):
        for one in known:
            (_draw_pairs if run.settings.objective == "siamese" else _draw_triplet)(one, dataset)


def _draw_triplet(one: HardTriplet, dataset: Dataset) -> None:
    with st.container(horizontal=True, gap="small", width=3 * _WIDTH + 40):
        _tile(dataset, one.anchor, "this image")
        _tile(dataset, one.positive, f"same, **{one.to_positive:.3f}**")
        _tile(dataset, one.negative, f"other, **{one.to_negative:.3f}**")


def _draw_pairs(one: HardTriplet, dataset: Dataset) -> None:
    with st.container(horizontal=True, gap="small", width=4 * _WIDTH + 60):
        for other, score, words in (
            (one.positive, one.to_positive, "same class, scored low"),
            (one.negative, one.to_negative, "different, scored high"),
        ):
            with st.container(width=2 * _WIDTH + 20, gap=None):
                st.caption(f"**{score:.3f}** {words}")
                with st.container(horizontal=True, gap="small"):
                    _tile(dataset, one.anchor)
                    _tile(dataset, other)


def _tile(dataset: Dataset, key: str, words: str = "") -> None:
    row = dataset.row_of[key]
    with st.container(width=_WIDTH, gap=None):
        if words:
            st.caption(words)
        panels.picture(dataset, row, _WIDTH)
        st.caption(plain(str(dataset.labels[row])))
