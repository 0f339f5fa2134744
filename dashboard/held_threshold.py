"""A threshold that follows a suggestion until somebody sets it; what was set stands in the link.

No slider is bound to the link: its limits depend on the model, and a bound slider with new limits takes up what the
link said before.
"""

from __future__ import annotations

from collections.abc import Hashable
from math import ceil, floor, isfinite

import streamlit as st

from core.metrics.grid import DECIMALS, to_bins, to_thresholds

_LINK, _FOLLOWED, _HELD = "t", "_followed", "_held"
STEP = 0.0001


def current(suggested: float, followed: Hashable) -> float:
    """The threshold in the link, a point of the grid; where there is none, what was set before, else the suggestion.

    ``followed`` is all that the suggestion depends on. What was set belongs to it: when it changes, the threshold
    follows again, and when it comes back, as on return from another page, so does the threshold.
    """
    if st.session_state.setdefault(_FOLLOWED, followed) != followed:
        st.session_state[_FOLLOWED] = followed
        st.query_params.pop(_LINK, None)
    held: dict[Hashable, float] = st.session_state.setdefault(_HELD, {})
    said = _said()
    if said is not None:
        held[followed] = said
    elif followed in held:
        put(held[followed])
    return held.get(followed, suggested)


def _said() -> float | None:
    """What the link says, if that is a number."""
    try:
        said = float(st.query_params[_LINK])
    except (KeyError, ValueError):
        return None
    return float(to_thresholds(to_bins(said))) if isfinite(said) else None


def ends(low: float, high: float) -> tuple[float, float]:
    """Limits of a slider that moves in steps, around these: whole steps, so that it stops at what it shows."""
    return floor(low / STEP) / 10_000, ceil(high / STEP) / 10_000


def put(threshold: float) -> None:
    """Callback: use this threshold."""
    st.query_params[_LINK] = f"{threshold:.{DECIMALS}f}"


def follow() -> None:
    """Callback: let the threshold follow the suggestion again."""
    st.query_params.pop(_LINK, None)
    st.session_state[_HELD].pop(st.session_state[_FOLLOWED], None)


def draw_back(suggested: float) -> None:
    """A button that lets the threshold follow again."""
    st.button(f"Back to the optimum, {suggested:.4f}", on_click=follow, icon=":material/undo:", type="tertiary")
