"""The fusion page's controls: what is added up, and with which weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import streamlit as st

from core.backbones import Backbone
from core.fusing import WAYS, Learned
from core.fusion import LABELS, Fusion
from core.fusion_parts import why_no_labels
from core.normalise import METHODS
from core.thresholds import Objective
from core.weight_search import hundredths, rebalanced
from dashboard import loaders, panels
from dashboard.selection import Selection
from dashboard.text import count, literal, plain

Weights = Mapping[str, float]


def backbones(selection: Selection) -> list[Backbone]:
    """The chosen models that can be added up: single networks, no fusions and no pair heads."""
    return [model for name in selection.models if isinstance(model := selection.ready[name], Backbone)]


def choose_parts(selection: Selection) -> Fusion:
    """Draw how models come to one scale and whether labels count; all that can be added up, with equal weights.

    Raises:
        LikenessError: there are no two parts, or validation lacks pairs.
    """
    method = st.segmented_control(
        "Scores brought to one scale by", list(METHODS), default="min-max", key="scale", bind="query-params",
        required=True, format_func=lambda name: METHODS[name].title,
        help="\n\n".join(f"**{one.title}**: {one.definition}" for one in METHODS.values()),
    )  # fmt: skip
    labels = st.toggle(
        "Label match", True, key="labels", bind="query-params",
        help="Whether two images have the same label counts as a part of its own: a classifier says what is in each, "
        "and ImageNet's classes are brought to those of the dataset.",
    )  # fmt: skip
    return loaders.fusion_parts(selection.dataset, backbones(selection), method or "min-max", labels=labels)


def draw_labels(selection: Selection, parts: Fusion) -> None:
    """How ImageNet's classes stand for those of the dataset; or why labels have no part, and what gives them one."""
    if parts.labels is not None:
        with st.expander("What label match takes for one label", icon=":material/label:"):
            st.caption(
                f"{parts.labels.classifier.name} says what is in a picture. Learned from the training images: which "
                "class each ImageNet class stands for, how surely, and on how many images, counted in probability."
            )
            rows = [
                (one.imagenet_class, literal(one.group), one.share, one.mass) for one in parts.labels.groups.table()
            ]
            st.dataframe(
                pd.DataFrame(rows, columns=["ImageNet class", "stands for", "share", "images"]), hide_index=True,
                column_config={"share": st.column_config.NumberColumn(format="percent"),
                               "images": st.column_config.NumberColumn(format="%.1f")},
                alt="ImageNet classes and the classes of the dataset that they stand for",
            )  # fmt: skip
        return
    classifier = loaders.classifier()
    if not st.session_state["labels"] or panels.job_runs():
        return
    reason = why_no_labels(selection.dataset, classifier, loaders.store())
    if reason is None:
        return
    st.info(f"Label match has no part. {plain(reason)}", icon=":material/label_off:")
    if classifier is not None and (missing := loaders.missing(selection.dataset, classifier)):
        label = f"Let {classifier.name} look at {count(missing, 'image')}"
        panels.start_button(label, selection, [classifier.name])


def presets(parts: Fusion, usual: Fusion | None, single: str) -> dict[str, Weights]:
    """Weights by title: what decides where nothing else was chosen, equal ones, and the best model alone."""
    found = {} if usual is None else {"Default": usual.weights}
    return {**found, "Equal": parts.weights, "Best single": {single: 1.0}}


def choose_weights(parts: Fusion, offered: Mapping[str, Weights], learner: Callable[[], Learned]) -> dict[str, float]:
    """Draw a slider for each part and the presets; weights that always add up to 1.

    Args:
        parts: what can be added up.
        offered: presets by title; the first is used until others are chosen.
        learner: learns weights, when asked.
    """
    names = list(parts.weights)
    with st.container(horizontal=True, vertical_alignment="center"):
        for title, preset in offered.items():
            st.button(title, on_click=_take, args=(names, preset), key=f"preset-{title}")
        pressed = st.button("Learn", icon=":material/school:", type="primary",
                            help="The weights that serve the objective best on validation: non-negative logistic "
                            "regression and grid search, whichever does better. Test images have no say.")  # fmt: skip
    if pressed:
        _learn(names, learner)
    _settle(names, next(iter(offered.values())))
    chosen = {
        name: float(st.slider(plain(name), 0.0, 1.0, step=0.01, format="%.2f", key=_key(name), bind="query-params",
                              on_change=_rebalance, args=(names, name)))
        for name in names
    }  # fmt: skip
    if round(100 * sum(chosen.values())) != 100:
        st.rerun()  # a link said so; the next run knows what it said, and settles it
    st.session_state["_weights"] = chosen
    return chosen


def learn(selection: Selection, parts: Fusion, objective: Objective, base_rate: float) -> Learned:
    """Weights that serve an objective best on validation; shows how far it is."""
    with panels.progress() as progress:
        return loaders.learned(selection.dataset, parts, objective, base_rate, progress)


def _learn(names: Sequence[str], learner: Callable[[], Learned]) -> None:
    found = learner()
    _take(names, found.fusion.weights)
    values = "; ".join(f"{WAYS[one.way]} reached {one.value:.4f}" for one in found.candidates)
    st.caption(f"On validation {values}. The better one is set below.")


def _take(names: Sequence[str], weights: Weights) -> None:
    """Callback: use these weights, as far as they are of these parts."""
    found = {name: weights.get(name, 0.0) for name in names}
    exact = found if any(found.values()) else dict.fromkeys(names, 1.0)
    st.session_state["_exact"] = exact  # sliders show hundredths; proportions must outlive many small moves
    st.session_state.update(_shown(exact))


def _settle(names: Sequence[str], usual: Weights) -> None:
    """See to it that the weights of these parts add up to 1, whatever models were chosen since."""
    keys = {name: _key(name) for name in names}
    known = {name: st.session_state[key] for name, key in keys.items() if st.session_state.get(key) is not None}
    exact = st.session_state.get("_exact", {})
    if not known:
        if not any(key in st.query_params for key in keys.values()):  # a link names all weights above 0 itself
            _take(names, st.session_state.get("_weights", usual))
    elif list(exact) != list(names) or _shown(exact) != {keys[name]: value for name, value in known.items()}:
        _take(names, known)


def _rebalance(names: Sequence[str], moved: str) -> None:
    """Callback: let the other parts share what the moved one leaves, as they did before."""
    _take(names, rebalanced(st.session_state["_exact"], moved, float(st.session_state[_key(moved)])))


def _shown(exact: Weights) -> dict[str, float]:
    """What the sliders show of exact weights, by their keys: hundredths that add up to 1."""
    shares = hundredths(list(exact.values()))
    return {_key(name): share / 100 for name, share in zip(exact, shares, strict=True)}


def _key(part: str) -> str:
    return "w-labels" if part == LABELS else f"w-{part}"
