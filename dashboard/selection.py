"""The sidebar that all pages share: which dataset, which models. What is chosen is in the address bar."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from core import marks
from core.backbones import Backbone
from core.datasets import DATASETS
from core.errors import LikenessError
from core.jobs import PUBLIC_VARIABLE
from core.models import Model
from core.recent import DatasetChoice, recent, remember
from core.records import Dataset, DatasetOptions
from dashboard import loaders
from dashboard.text import count, literal, plain


@dataclass(frozen=True)
class Selection:
    """What the sidebar says.

    ``ready`` models have embedded the whole dataset; ``pending`` backbones lack that many of its images; ``models`` are
    the chosen among the ready.
    """

    choice: DatasetChoice
    dataset: Dataset
    ready: dict[str, Model]
    pending: dict[str, int]
    models: list[str]


def is_public() -> bool:
    """Whether this is a public demo: no folder paths, no jobs, nothing kept."""
    return os.environ.get(PUBLIC_VARIABLE) == "1"


def current() -> Selection:
    """The selection, for the page that runs after the sidebar was drawn."""
    selection: Selection = st.session_state["_selection"]
    return selection


def draw_sidebar() -> None:
    """Draw the sidebar and keep the selection for :func:`current`.

    Raises:
        LikenessError: the chosen dataset cannot be read.
    """
    with st.sidebar:
        choice = _choose_dataset()
        if not is_public():
            _add_images()
        dataset = _without_marked(loaders.dataset(choice))
        models = loaders.available_models()
        missing = {name: loaders.missing(dataset, model) for name, model in models.items()}
        ready = {name: models[name] for name, number in missing.items() if not number}
        pending = {name: number for name, number in missing.items() if number and isinstance(models[name], Backbone)}
        chosen = _choose_models(list(ready))
        if dataset.attribution:
            st.caption(plain(dataset.attribution))
    st.session_state["_selection"] = Selection(choice, dataset, ready, pending, chosen)


def _offered() -> dict[str, DatasetChoice]:
    catalogue = [DatasetChoice(name) for name, spec in DATASETS.items() if spec.available()]
    offered: dict[str, DatasetChoice] = {}
    for choice in [*recent(), *catalogue]:
        if choice not in offered.values():
            label = literal(choice.label)
            # Two folders may end alike; the second then shows its whole path.
            offered[label if label not in offered else f"{label} ({literal(choice.ref)})"] = choice
    return offered


def _choose_dataset() -> DatasetChoice:
    offered = _offered()
    if st.session_state.get("dataset") not in offered:
        st.session_state.pop("dataset", None)
    label = st.selectbox("Dataset", list(offered), key="dataset", bind="query-params")
    return offered[label or next(iter(offered))]


def _choose_models(ready: list[str]) -> list[str]:
    if not ready:
        st.caption("No model has embedded this dataset yet. The overview has the button.")
        return []
    if "models" in st.session_state:  # another dataset may have other models ready
        st.session_state["models"] = [name for name in st.session_state["models"] if name in ready] or ready
    return st.multiselect(
        "Models", ready, default=ready, key="models", bind="query-params",
        help="Models that have embedded this dataset. A model keeps its colour on every page.",
    ) or ready  # fmt: skip


def _without_marked(dataset: Dataset) -> Dataset:
    """The dataset, less the images whose label was marked as wrong if the analyst wants to see it so."""
    marked = marks.marked_rows(dataset)
    if not len(marked):
        return dataset
    left_out = st.toggle(
        f"Leave out {count(len(marked), 'marked image')}", key="unmarked", bind="query-params",
        help="Images marked on the data and threshold pages because their label looks wrong.",
    )  # fmt: skip
    st.download_button("Marks as CSV", marks.as_csv, marks.NAME, "text/csv", type="tertiary", on_click="ignore")
    return loaders.without(dataset, dataset.ids[marked].tolist()) if left_out else dataset


def _add_images() -> None:
    with st.popover("Add images", icon=":material/create_new_folder:", width="stretch"):
        with st.form("add images", border=False):
            ref = st.text_input(
                "Folder, CSV or dataset name", key="_ref",
                help="Class folders (or train/ val/ test/ above them), a CSV path,label[,split], or one of: "
                + ", ".join(DATASETS),
            )  # fmt: skip
            left, right = st.columns(2)
            left.number_input("Only the top classes", 1, None, None, key="_top", help="The N most frequent classes.")
            right.number_input("Images per class", 1, None, None, key="_each", help="A balanced subset.")
            st.form_submit_button("Add", on_click=_add, type="primary")
        if problem := st.session_state.pop("_add_problem", None):
            st.error(plain(problem))
        st.button("Read the folder again", icon=":material/refresh:", on_click=loaders.forget, disabled=ref is None)


def _add() -> None:
    ref = (st.session_state["_ref"] or "").strip()
    options = replace(DatasetOptions(), top_classes=st.session_state["_top"], per_class=st.session_state["_each"])
    choice = DatasetChoice(ref if ref in DATASETS else str(Path(ref).expanduser().absolute()), options)
    try:
        if not ref:
            raise LikenessError("Name a folder, a CSV or a dataset.")
        dataset = loaders.dataset(choice)
    except LikenessError as error:
        st.session_state["_add_problem"] = str(error)
        return
    choice = DatasetChoice(dataset.ref, dataset.options)
    remember(choice)
    st.session_state["dataset"] = literal(choice.label)
