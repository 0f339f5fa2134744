"""Controls that several pages share: what a threshold is to be good at, and where it will be used."""

from __future__ import annotations

import streamlit as st

from core.thresholds import OBJECTIVES, Objective


def choose_objective() -> Objective:
    """Draw the choice of an objective, and the numbers it needs.

    Raises:
        LikenessError: the numbers make no sense.
    """
    name = st.selectbox(
        "Objective", list(OBJECTIVES), format_func=lambda name: OBJECTIVES[name].title, key="objective",
        bind="query-params", width=230,
        help="\n\n".join(f"**{kind.title}**: {kind.definition}" for kind in OBJECTIVES.values()),
    )  # fmt: skip
    limit, costs = None, (1.0, 1.0)
    if name == "fmr":
        limit = st.number_input("Largest FMR", 0.0001, 0.5, 0.01, format="%.4f", step=0.005, key="max_fmr",
                                bind="query-params", width=150)  # fmt: skip
    elif name == "precision":
        limit = st.number_input("Least precision", 0.01, 0.9999, 0.95, format="%.4f", step=0.01, key="min_precision",
                                bind="query-params", width=150)  # fmt: skip
    elif name == "cost":
        costs = (
            st.number_input("Cost of a false match", 0.0, None, 1.0, key="cost_fp", bind="query-params",
                            width=170),
            st.number_input("Cost of a false non-match", 0.0, None, 1.0, key="cost_fn", bind="query-params",
                            width=190),
        )  # fmt: skip
    return Objective(name or "f1", limit, *costs)


def choose_base_rate(usual: float) -> float:
    """Draw the choice of a base rate; ``usual`` is that of the validation pairs, and of others it starts anew."""
    if st.session_state.setdefault("_usual", usual) != usual:
        st.session_state["_usual"], st.session_state["base_rate"] = usual, round(usual, 4)
    return st.number_input(
        "Base rate", 0.0001, 0.9999, round(usual, 4), format="%.4f", step=0.01, key="base_rate", bind="query-params",
        width=150,
        help="The share of same-class pairs where the threshold will be used. Precision, F1, accuracy and cost hold "
        f"for it. Among the pairs of the validation images it is {usual:.4f}.",
    )  # fmt: skip
