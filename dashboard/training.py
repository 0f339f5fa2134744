"""The train page's form: what is trained, from what, how, and how long that will take."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.backbones import Backbone
from core.errors import LikenessError
from core.latency import measure
from core.recent import DatasetChoice
from core.training import runs
from core.training.estimate import estimate
from core.training.protocol import SIAMESE, balanced, check
from core.training.settings import AUGMENTATIONS, LOSSES, METRICS, MINING, OBJECTIVES, Settings, choose
from core.training.start import check_start
from dashboard import loaders, panels
from dashboard.selection import Selection
from dashboard.text import count, literal, plain

_OBJECTIVES = {
    "finetune": "Learns to tell the classes apart.",
    "siamese": "Learns whether two images are of one class.",
    "triplet": "Learns to hold an image closer to its own class than to another.",
}
_FIELDS = {
    "loss": ("Loss", "Triplet loss; supervised contrastive loss; multi-similarity loss."),
    "mining": ("Triplets", "Which of a batch count: some at random, those not told apart by the margin, the hardest."),
    "margin": ("Margin", "How much closer the own class is to be, as a distance of vectors of length 1."),
    "label_smoothing": ("Label smoothing", "Share of the target that is laid evenly over all classes."),
    "epochs": ("Epochs at most", "How often every image is seen."),
    "patience": ("Patience", "Epochs without a better one after which training stops."),
    "metric": ("Best epoch by", "On validation images. Test images have no say."),
    "batch": ("Batch", "Images a step; pairs for siamese."),
    "lr": ("Learning rate", "Its peak, for what is new; a pretrained network learns at a tenth of it."),
    "dim": ("Dimensions", "Length of the new vectors. 0 keeps the network's own, without a head."),
    "frozen_epochs": ("Frozen epochs", "So many epochs at the start train only what is new."),
    "augmentation": ("Augmentation", "How pictures are varied from epoch to epoch."),
    "seed": ("Seed", "Of all that is drawn."),
}
_CHOICES: Mapping[str, Sequence[str]] = {
    "loss": LOSSES, "mining": MINING, "metric": tuple(METRICS), "augmentation": AUGMENTATIONS,
}  # fmt: skip
_OPTIONS = {"seed": "--training-seed"}


def draw_form(selection: Selection) -> None:
    """The form and the button that starts the training; what is wrong stands in the button's place."""
    try:
        check(selection.dataset)
    except LikenessError as error:
        st.info(plain(str(error)), icon=":material/info:")
        return
    with st.container(border=True):
        objective = st.radio(
            "Objective", OBJECTIVES, captions=[_OBJECTIVES[name] for name in OBJECTIVES], key="objective_trained",
            bind="query-params", horizontal=True,
        )  # fmt: skip
        fast = st.toggle(
            "Only a head on the stored vectors (seconds)", True, key="fast", bind="query-params",
            help="The network stays as it is, and a linear map of its vectors is trained. Without this, the network "
            "itself is trained on the pictures, which takes minutes to hours on a CPU.",
        )  # fmt: skip
        scratch = not fast and st.toggle(
            "Start from random weights", key="scratch", bind="query-params",
            help="Keeps the architecture only. It takes far more images and epochs to become any good.",
        )  # fmt: skip
        models = _startable(selection, fast=fast)
        if not models:
            st.warning(
                "No model here can be trained so. `python -m core models` says which there are and what to fetch."
            )
            return
        try:
            settings, name = _choose(objective, models, fast=fast, scratch=scratch)
            runs.check_free(name)
            st.markdown(_promise(selection, settings, models[settings.model]))
        except LikenessError as error:
            st.error(plain(str(error)), icon=":material/error:")
            return
        panels.job_button("Start training", arguments(selection.choice, settings, name))


def arguments(choice: DatasetChoice, settings: Settings, name: str) -> list[str]:
    """The command line that trains like this: everything that is not the default."""
    found = ["train", settings.objective, *choice.arguments, "--model", settings.model, "--name", name]
    scratch = settings.from_scratch
    found += [flag for flag, given in (("--fast", settings.fast), ("--from-scratch", scratch)) if given]
    usual = choose(settings.objective, settings.model, fast=settings.fast, from_scratch=scratch).as_json()
    for field, value in settings.as_json().items():
        if value != usual[field]:
            found += [_OPTIONS.get(field, "--" + field.replace("_", "-")), str(value)]
    return found


def _startable(selection: Selection, *, fast: bool) -> dict[str, Backbone]:
    """The backbones that training can start from; a head needs one that has embedded the images."""
    found = {}
    for name, model in {**selection.ready, **({} if fast else loaders.available_models())}.items():
        if isinstance(model, Backbone):
            try:
                check_start(model.spec, fast)
            except LikenessError:
                continue
            found[name] = model
    return found


def _choose(
    objective: str, models: Mapping[str, Backbone], *, fast: bool, scratch: bool
) -> tuple[Settings, str]:  # fmt: skip
    """Draw start model, name and settings.

    Raises:
        LikenessError: a setting makes no sense.
    """
    if st.session_state.get("start") not in models:  # another kind of training may start from others
        st.session_state.pop("start", None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        start = st.selectbox("Start from", list(models), key="start", bind="query-params", width=280)
        usual = runs.free_name(f"{start}_{objective}")
        name = st.text_input("Name of the new model", usual, key=f"_name-{usual}", width=280)
    each = "/".join(str(number) for number in SIAMESE.values())
    protocol = st.toggle(
        f"Balanced subset, {each} images a class", key="protocol", bind="query-params",
        help="The protocol of earlier work on Siamese networks: as many images of every class for training, "
        "validation and test.",
    )  # fmt: skip
    shape = {"fast": fast, "from_scratch": scratch}
    with st.expander("More settings"):
        given = _draw_fields(choose(objective, start, **shape))
    return choose(objective, start, **shape, protocol="siamese" if protocol else "", **given), name.strip()


def _draw_fields(defaults: Settings) -> dict[str, Any]:
    """The settings that have an effect, three in a row."""
    given: dict[str, Any] = {}
    # Kinds of training with defaults of their own have fields of their own.
    kind = f"_{defaults.objective}-{'scratch' if defaults.from_scratch else defaults.fast}"
    columns, place = st.columns(3), 0
    for name in _FIELDS:
        if _matters(name, defaults, given.get("loss")):
            with columns[place % 3]:
                given[name] = _draw_field(name, getattr(defaults, name), f"{kind}-{name}")
            place += 1
    return given


def _matters(name: str, settings: Settings, loss: str | None) -> bool:
    if name in ("mining", "margin"):
        return loss == "triplet"
    if name in ("frozen_epochs", "augmentation"):
        return not settings.fast
    return {"loss": "triplet", "label_smoothing": "finetune"}.get(name, settings.objective) == settings.objective


def _draw_field(name: str, default: Any, key: str) -> Any:
    label, about = _FIELDS[name]
    if name in _CHOICES:
        return st.selectbox(
            label, _CHOICES[name], _CHOICES[name].index(default), key=key, help=about,
            format_func=lambda value: METRICS.get(value, literal(value.replace("_", "-"))),
        )  # fmt: skip
    if isinstance(default, int):
        return st.number_input(label, value=default, step=1, key=key, help=about)
    return st.number_input(label, value=default, step=default / 2, format="%g", key=key, help=about)


def _promise(selection: Selection, settings: Settings, model: Backbone) -> str:
    """How long it will take at most, and on how many images.

    Raises:
        LikenessError: the protocol asks for more images than there are.
    """
    whole = selection.dataset
    data = balanced(whole) if settings.protocol else whole
    train, val = len(data.rows("train")), len(data.rows("val"))
    with st.spinner("Timing the model"):
        latency = measure(model).p50
    seconds = estimate(settings, train, val, len(whole), latency, os.cpu_count() or 1, runs.runs())
    return (
        f"About **{panels.duration(seconds)}** for at most {count(settings.epochs, 'epoch')} on this machine: "
        f"{count(train, 'training image')}, {count(val, 'validation image')}."
    )
