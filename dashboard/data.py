"""The data page's parts: what the images are, which files were skipped, and how large they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.backbones import Backbone
from core.image_sizes import ImageSizes
from core.records import SPLITS, Dataset
from dashboard import charts, data_charts, loaders, panels
from dashboard.selection import is_public
from dashboard.text import count, literal, plain

_SAMPLES, _WIDTH = 30, 104
_SMALL = 64  # pixels of the shorter side below which networks see little but enlarged pixels


def sentence(dataset: Dataset) -> str:
    """Counts, splits, how uneven the classes are, and what was left out, in plain words."""
    splits = ", ".join(f"{len(dataset.rows(split)):,} {split}" for split in SPLITS)
    names, counts = np.unique(dataset.labels, return_counts=True)
    most, least = int(counts.argmax()), int(counts.argmin())
    text = (
        f"{count(len(dataset), 'image')} in {count(len(names), 'class', 'classes')}: {splits}. "
        f"The largest class, **{plain(str(names[most]))}**, has {counts[most]:,}, the smallest, "
        f"**{plain(str(names[least]))}**, {counts[least]:,}."
    )
    if counts[most] == counts[least]:
        text = text[: text.index(" The largest")] + f" Every class has {counts[most]:,}."
    empty = [split for split in SPLITS if not len(dataset.rows(split))]
    if empty:
        text += f" There are none in {' or '.join(empty)}."
    if dataset.skipped:
        copies = f", {count(len(dataset.copies), 'exact copy', 'exact copies')} among them" if dataset.copies else ""
        text += f" {count(len(dataset.skipped), 'file was', 'files were')} skipped{copies}."
    return text


def findings(dataset: Dataset, models: Sequence[Backbone]) -> str:
    """What is known so far of leaks and labels, and what nobody has looked for yet; empty without models."""
    if not models:
        return ""
    found, doubtful = loaders.found_duplicates(dataset, models), loaders.found_suspects(dataset, models)
    text, unknown = "", []
    if found is None:
        unknown.append("near duplicates")
    else:
        leaking = sum(len(found.leaked(split, "train")) for split in ("val", "test"))
        noun = "val or test image has" if leaking == 1 else "val or test images have"
        text += f" {leaking or 'No'} {noun} a near duplicate in train."
    if doubtful is None:
        unknown.append("doubtful labels")
    else:
        text += f" {count(len(doubtful[1]), 'label looks', 'labels look')} doubtful to **{plain(doubtful[0])}**."
    if unknown and not is_public():
        text += f" Not looked for yet: {' and '.join(unknown)}."
    return text


def draw_images(dataset: Dataset) -> None:
    """Images of each class by split, how large they are, and samples."""
    counts = {split: [len(dataset.rows(split, label)) for label in dataset.classes] for split in SPLITS}
    names = [literal(label) for label in dataset.classes]
    left, right = st.columns([2, 3], gap="large")
    with left:
        panels.chart(
            charts.class_counts(names, counts), pd.DataFrame({"class": names, **counts}), "classes",
            "Bar chart: images of each class by split", most=560,
        )  # fmt: skip
    with right:
        _draw_sizes(dataset)
    _draw_samples(dataset)


def _draw_sizes(dataset: Dataset) -> None:
    with panels.progress() as progress:
        sizes = loaders.sizes(dataset, progress)
    known = sizes.width > 0
    if not known.any():
        st.caption("None of the files can be read any more.")
        return
    width, height = sizes.width[known], sizes.height[known]
    shorter = np.minimum(width, height)
    small = int((shorter < _SMALL).sum())
    same = len(np.unique(width)) == len(np.unique(height)) == 1
    text = f"All images are {width[0]:,} by {height[0]:,} pixels" if same else (
        f"The median image is {np.median(width):,.0f} by {np.median(height):,.0f} pixels; the shortest side of all is "
        f"{shorter.min():,}"
    )  # fmt: skip
    text += f"; the files, {_formats(sizes.format[known])}, take {panels.size(int(sizes.bytes.sum()))}."
    if small:
        text += f" {count(small, 'image is', 'images are')} less than {_SMALL} pixels high or wide."
    st.markdown(text)
    frame = _sizes_frame(dataset, sizes)
    if same:
        panels.download(frame, "sizes")
    else:
        panels.chart(
            data_charts.sizes(width, height), frame, "sizes",
            "Heatmap: how many images have which width and height, in pixels",
        )  # fmt: skip


def _formats(found: NDArray[np.str_]) -> str:
    """How many files have which format, the most common first."""
    names, counts = np.unique(found, return_counts=True)
    if len(names) == 1:
        return f"all {names[0]}"
    return ", ".join(f"{counts[place]:,} {names[place]}" for place in np.argsort(-counts, kind="stable"))


def _sizes_frame(dataset: Dataset, sizes: ImageSizes) -> pd.DataFrame:
    columns = {"path": dataset.paths, "class": dataset.labels, "split": dataset.splits}
    measured = {"width": sizes.width, "height": sizes.height, "bytes": sizes.bytes, "format": sizes.format}
    return pd.DataFrame({**columns, **measured})


def _draw_samples(dataset: Dataset) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(
            "Samples of", ["every class", *dataset.classes], format_func=literal, key="samples", bind="query-params",
            width=260,
        )  # fmt: skip
        turn = st.number_input("Draw", 1, 1000, 1, key="samples_draw", bind="query-params", width=120)
    only = None if label == "every class" else label
    with st.container(horizontal=True, gap="small"):
        for row in loaders.sample_rows(dataset.fingerprint, int(turn) - 1, _SAMPLES, only, dataset):
            with st.container(width=_WIDTH + 4, gap=None):
                panels.picture(dataset, row, _WIDTH)
                st.caption(plain(str(dataset.labels[row])))


def draw_skipped(dataset: Dataset) -> None:
    """The files that were found and not used, with reasons."""
    if not dataset.skipped:
        st.info("Every file that was found is used.", icon=":material/check:")
        return
    frame = pd.DataFrame([(literal(s.path), literal(s.reason)) for s in dataset.skipped], columns=["file", "reason"])
    st.dataframe(frame, hide_index=True, alt="The skipped files and why each was skipped")
    panels.download(frame, "skipped")
