"""A threshold that follows a suggestion until somebody sets it; what was set stands in the link.

No slider is bound to the link: its limits depend on the model, and a bound slider with new limits takes up what the
link said before.
"""

from __future__ import annotations

from math import ceil, floor, isfinite

import streamlit as st

from core.metrics.grid import DECIMALS, to_bins, to_thresholds

_LINK = "t"
STEP = 0.0001


def current(suggested: float, followed: object) -> float:
    """The threshold in the link, a point of the grid; the suggestion where there is none.

    ``followed`` is all that the suggestion depends on: when it changes, the threshold follows again.
    """
    if st.session_state.setdefault("_followed", followed) != followed:
        st.session_state["_followed"] = followed
        follow()
    try:
        said = float(st.query_params[_LINK])
    except (KeyError, ValueError):
        return suggested
    return float(to_thresholds(to_bins(said))) if isfinite(said) else suggested


def ends(low: float, high: float) -> tuple[float, float]:
    """Limits of a slider that moves in steps, around these: whole steps, so that it stops at what it shows."""
    return floor(low / STEP) / 10_000, ceil(high / STEP) / 10_000


def put(threshold: float) -> None:
    """Callback: use this threshold."""
    st.query_params[_LINK] = f"{threshold:.{DECIMALS}f}"


def follow() -> None:
    """Callback: let the threshold follow the suggestion again."""
    st.query_params.pop(_LINK, None)


def draw_back(suggested: float) -> None:
    """A button that lets the threshold follow again."""
    st.button(f"Back to the optimum, {suggested:.4f}", on_click=follow, icon=":material/undo:", type="tertiary")
