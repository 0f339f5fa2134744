"""The triplet page's controls: who decides, and from which similarity, or up to which distance, two match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from core.fusion import Fusion
from core.judges import Judge
from core.metrics.distance import to_cosines, to_distances
from core.metrics.grid import DECIMALS
from core.models import Model
from dashboard import loaders, pair
from dashboard.selection import Selection
from dashboard.text import literal

SIMILARITY, DISTANCE = "Similarity", "Euclidean distance"
PAIRS, TRIPLETS = "single pairs", "three images"


@dataclass(frozen=True)
class Setting:
    """The threshold, a similarity, and what the one it follows was chosen for, :data:`PAIRS` or :data:`TRIPLETS`.

    ``distances`` says how the analyst wants to see scores.
    """

    threshold: float
    basis: str
    distances: bool


def choose_decider(selection: Selection) -> str:
    """Draw the choice of who decides; first comes what decides on the command line."""
    names = pair.deciders(selection)
    picked = st.selectbox(
        "Decided by", names, format_func=literal, key="by", bind="query-params", width=260,
        help="The default fusion adds up two models and the labels. Fusions that were saved can decide, or one model "
        "alone.",
    )  # fmt: skip
    return picked if picked in names else names[0]


def models(selection: Selection, decider: str) -> dict[str, Model]:
    """Who decides, then the models that the sidebar names, by name.

    Raises:
        LikenessError: validation lacks pairs to fit the default fusion on.
    """
    asked: dict[str, Model] = {name: selection.ready[name] for name in selection.models}
    fused = decider not in selection.ready
    first = loaders.deciding(selection.dataset, list(asked.values())) if fused else selection.ready[decider]
    return {decider: first, **{name: model for name, model in asked.items() if name != decider}}


def settings(decider: Judge, suggested: Mapping[str, float]) -> Setting:
    """Draw the controls of the threshold, which follows a suggestion until the slider is moved.

    Args:
        decider: what decides.
        suggested: thresholds by what they were chosen for.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        basis = st.segmented_control(
            "Threshold chosen for", list(suggested), default=PAIRS, key="basis", bind="query-params", required=True,
            help="On validation: the best F1 of single pairs, or of triplets with and without a match. The command "
            "line decides with the threshold for single pairs.",
        )  # fmt: skip
        distances = _unit(decider.model)
    basis = basis if basis in suggested else PAIRS
    return Setting(_slider(suggested[basis], decider, distances=distances), basis, distances)


def _unit(model: Model) -> bool:
    """Whether the threshold is set as a distance."""
    if isinstance(model, Fusion):
        return False
    unit = st.segmented_control(
        "Threshold as", [SIMILARITY, DISTANCE], default=SIMILARITY, key="unit", bind="query-params", required=True,
        on_change=_convert, help="Of vectors of length 1, d² = 2 - 2s, so both say the same.",
    )  # fmt: skip
    return unit == DISTANCE


def _slider(suggested: float, decider: Judge, *, distances: bool) -> float:
    """The threshold in use, as a similarity; the other unit stands below. Another suggestion takes its place."""
    made_for = (decider.model.name, suggested)
    if st.session_state.setdefault("_threshold_for", made_for) != made_for:
        st.session_state["_threshold_for"] = made_for
        _follow()
    key, start, low, high = "s", suggested, min(float(decider.val.levels[1]), suggested), 1.0
    if distances:
        key, start, low, high = "d", _distance(suggested), 0.0, _distance(low)
    if st.session_state.get(key) is None:
        st.session_state[key] = start
    st.session_state[key] = min(max(float(st.session_state[key]), low), high)
    said = "Two match up to a distance of" if distances else "Two match from a similarity of"
    value = float(st.slider(said, low, high, step=0.0001, format="%.4f", key=key, bind="query-params"))
    threshold = round(float(to_cosines(value)), DECIMALS) if distances else value
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_both(decider.model, threshold))
        if threshold != suggested:
            st.button(f"Back to {suggested:.4f}", on_click=_follow, icon=":material/undo:", type="tertiary")
    return threshold


def _both(model: Model, threshold: float) -> str:
    """A threshold in both units."""
    if isinstance(model, Fusion):
        return (
            f"Similarity s ≥ **{threshold:.4f}**. A fusion adds up normalised scores; the sum is no cosine and has no "
            "Euclidean distance. Let a single model decide to set one."
        )
    distance = float(to_distances(threshold))
    return f"Similarity s ≥ **{threshold:.4f}** is Euclidean distance d ≤ **{distance:.4f}**, as d² = 2 − 2s."  # noqa: RUF001


def _distance(similarity: float) -> float:
    """So exact that it converts back to the same point of the grid."""
    return round(float(to_distances(similarity)), DECIMALS + 1)


def _follow() -> None:
    """Let the threshold follow the suggestion again."""
    st.session_state.update(s=None, d=None)


def _convert() -> None:
    """Callback: keep the threshold when its unit changes."""
    if st.session_state["unit"] == DISTANCE:
        st.session_state["d"] = _distance(st.session_state["s"])
    else:
        st.session_state["s"] = round(float(to_cosines(st.session_state["d"])), DECIMALS)
