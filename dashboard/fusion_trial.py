"""The fusion page's answer: what the weights do, in words and in charts."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.part_scores import PartScores
from core.thresholds import Objective
from core.trial import Trial
from dashboard import fusion_charts, panels
from dashboard.text import count, plain, share


def draw_answer(found: Trial | None, objective: Objective, single: str, alone: Trial | None, test: PartScores) -> None:
    """What the weights do on test, beside the best model alone, and what that rests on."""
    if found is None:
        st.warning(
            f"With these weights no threshold keeps {objective} on validation. Ask for less, or weigh anew.",
            icon=":material/warning:",
        )
        return
    st.markdown(_sentence(found, objective, single, alone))
    st.caption(_basis(test))


def _sentence(found: Trial, objective: Objective, single: str, alone: Trial | None) -> str:
    title = objective.yardstick.title
    text = (
        f"At **{found.threshold:.4f}** these weights wrongly match **{share(found.fmr)}** of different pairs and miss "
        f"**{share(found.fnmr)}** of same pairs, on test images that had no say in the choice: {title} "
        f"**{found.value:.4f}**."
    )
    if alone is None:
        return text
    return (
        f"{text} **{plain(single)}**, the best model alone by validation, wrongly matches {share(alone.fmr)} and "
        f"misses {share(alone.fnmr)}: {title} {alone.value:.4f}."
    )


def _basis(scores: PartScores) -> str:
    if scores.complete:
        return f"Counted on all {count(sum(scores.pairs), 'test pair')}."
    seen = len(scores.same) + len(scores.different)
    return (
        f"From {count(seen, 'test pair')} of {sum(scores.pairs):,}, drawn at random. Numbers from all pairs come when "
        "the fusion is taken apart below, and on every page once it is saved."
    )


def draw_charts(found: Trial, single: str, alone: Trial | None) -> None:
    """The curve beside that of the best model alone, and how the sums are distributed."""
    curve = found.test
    data = pd.DataFrame({"threshold": curve.thresholds, "fmr": curve.fmr, "fnmr": curve.fnmr})
    first, second = st.tabs(["ROC", "Scores"])
    with first:
        st.caption("All thresholds on test pairs; a ring marks the one that was chosen on validation.")
        panels.chart(
            fusion_charts.roc(found, single, alone), data, "fusion-roc",
            f"ROC curve: recall against false match rate of the weighted sum, and of {single} alone",
        )  # fmt: skip
    with second:
        st.caption("Weighted sums of test pairs; the line is the threshold.")
        panels.chart(
            fusion_charts.distributions(found), data, "fusion-scores",
            "Distributions of the weighted sums of same and of different pairs",
        )  # fmt: skip
