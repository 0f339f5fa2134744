"""The threshold page's thresholds by class, and the verdict on whether they pay."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.class_thresholds import ClassThresholds, Verdict
from core.thresholds import Objective
from dashboard import panels
from dashboard.text import literal


def draw(found: ClassThresholds, objective: Objective, common: float) -> None:
    """The verdict in words, then every class."""
    st.markdown(_sentence(found.verdict, objective))
    st.caption(
        "The class of a pair's known image, the reference, decides which threshold is used. Classes with fewer than 30 "
        f"same-class pairs in validation keep the common threshold, {common:.4f}."
    )
    frame = pd.DataFrame(
        [
            (literal(one.label), one.threshold, one.own, *one.pairs, one.common[0], one.by_class[0], one.common[1],
             one.by_class[1])
            for one in found.classes
        ],
        columns=["class", "threshold", "own", "val pairs", "test pairs", "FMR common", "FMR own", "FNMR common",
                 "FNMR own"],
    )  # fmt: skip
    number = st.column_config.NumberColumn
    rates = {name: number(format="%.4f") for name in frame.columns if name.startswith(("FMR", "FNMR"))}
    st.dataframe(
        frame, hide_index=True,
        column_config={
            "threshold": number(format="%.4f", help="Chosen on validation for the same objective."),
            "own": st.column_config.CheckboxColumn(help="Whether validation has enough pairs for one of its own."),
            "val pairs": number(format="localized", help="Same-class pairs in validation."),
            "test pairs": number(format="localized", help="Same-class pairs in test."),
            **rates,
        },
        alt="Threshold of each class, and error rates on test with it and with the common one",
    )  # fmt: skip
    panels.download(frame, "class_thresholds", "Thresholds by class as CSV")


def _sentence(verdict: Verdict, objective: Objective) -> str:
    change = (
        f"{verdict.judged} on test goes from {verdict.common:.4f} to {verdict.by_class:.4f} "
        f"({verdict.gain.value:+.4f} [{verdict.gain.low:+.4f}, {verdict.gain.high:+.4f}])"
    )
    if verdict.broken:
        return (
            f"Thresholds by class **do not pay**: on test they break the limit {objective} by more than the common one "
            f"does. {change}."
        )
    if verdict.pays is None:
        return f"**Nothing to gain that test could show**: {change}. Keep the common threshold."
    return f"Thresholds by class **{'pay' if verdict.pays else 'do harm'}**: {change}, positive is better."
