"""The triplet page's controls: who decides, and from which similarity, or up to which distance, two match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from core.backbones import Backbone
from core.judges import Judge
from core.metrics.distance import to_cosines, to_distances
from core.metrics.grid import DECIMALS
from core.models import Model
from dashboard import held_threshold, loaders
from dashboard.selection import Selection

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
    """Draw the controls of the threshold, which follows the suggestion until the slider is moved.

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
    return Setting(_slider(basis, suggested[basis], decider, distances=distances), basis, distances)


def _unit(model: Model) -> bool:
    """Whether the threshold is set as a distance."""
    if not isinstance(model, Backbone):
        return False
    unit = st.segmented_control(
        "Threshold as", [SIMILARITY, DISTANCE], default=SIMILARITY, key="unit", bind="query-params", required=True,
        help="Of vectors of length 1, d² = 2 - 2s, so both say the same.",
    )  # fmt: skip
    return unit == DISTANCE


def _slider(basis: str, suggested: float, decider: Judge, *, distances: bool) -> float:
    """The threshold in use, as a similarity; the other unit stands below."""
    threshold = held_threshold.current(suggested, (decider.model.name, basis, suggested))
    low = min(float(decider.val.levels[1]), threshold)
    key, value, ends = "_similarity", threshold, held_threshold.ends(low, 1.0)
    if distances:
        key, value, ends = "_distance", _distance(threshold), held_threshold.ends(0.0, _distance(low))
    said = "Two match up to a distance of" if distances else "Two match from a similarity of"
    st.session_state[key] = value
    st.slider(said, *ends, step=held_threshold.STEP, format="%.4f", key=key, on_change=_move, args=(key,))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_both(decider.model, threshold))
        if threshold != suggested:
            held_threshold.draw_back(suggested)
    return threshold


def _both(model: Model, threshold: float) -> str:
    """A threshold in both units."""
    if not isinstance(model, Backbone):
        return (
            f"Similarity s ≥ **{threshold:.4f}**. The score of a fusion or of a pair head is no cosine and has no "
            "Euclidean distance. Let a single model decide to set one."
        )
    distance = float(to_distances(threshold))
    return f"Similarity s ≥ **{threshold:.4f}** is Euclidean distance d ≤ **{distance:.4f}**, as d² = 2 − 2s."  # noqa: RUF001


def _distance(similarity: float) -> float:
    """So exact that it converts back to the same point of the grid."""
    return round(float(to_distances(similarity)), DECIMALS + 1)


def _move(key: str) -> None:
    """Callback: use the threshold that was set; the link holds a similarity in either unit."""
    value = float(st.session_state[key])
    held_threshold.put(float(to_cosines(value)) if key == "_distance" else value)
