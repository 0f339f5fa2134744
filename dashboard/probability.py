"""The threshold page's probabilities: how they are made, and whether they mean what they say."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.calibration import METHODS
from core.threshold_report import ThresholdReport
from core.verify import SplitPairs
from dashboard import calibration_charts, loaders, panels
from dashboard.text import share


def settings() -> str:
    """Draw the choice of how a score becomes a probability."""
    methods = list(METHODS)
    chosen = st.segmented_control(
        "Probabilities fitted by", methods, default=methods[0], key="calibration", bind="query-params", required=True,
        help="**isotonic**: the best step function that never falls. **logistic**: one smooth S-curve; steadier with "
        "few pairs. Fitted on validation, judged on test, corrected to the base rate by Bayes' rule.",
    )  # fmt: skip
    return chosen or methods[0]


def draw(val: SplitPairs, test: SplitPairs, method: str, found: ThresholdReport) -> None:
    """The reliability diagram, and the curve from scores to probabilities."""
    judged = loaders.quality(val, method, test, found.base_rate)
    at_threshold = float(found.calibration(found.threshold, found.base_rate))
    st.markdown(
        f"A pair that scores **{found.threshold:.4f}** is of one class with probability **{share(at_threshold)}**, at "
        f"a base rate of {found.base_rate:.4f}. On test pairs the Brier score is {judged.brier:.4f} and the expected "
        f"calibration error {judged.ece:.4f}; 0 is best for both."
    )
    left, right = st.columns(2)
    points = pd.DataFrame(
        [(p.predicted, p.observed, *(p.interval or (None, None)), p.pairs) for p in judged.points],
        columns=["predicted", "observed", "low", "high", "pairs"],
    )
    with left:
        st.caption("Reliability on test: on the line, a probability means what it says")
        panels.chart(
            calibration_charts.reliability(judged.points), points, "reliability",
            "Reliability diagram: observed share of same-class pairs against predicted probability",
        )  # fmt: skip
    with right:
        st.caption("From similarity to probability")
        levels = val.verification.levels
        levels = levels[1:-1]  # the ends lie where no score is
        curve = pd.DataFrame({"similarity": levels, "probability": found.calibration(levels, found.base_rate)})
        panels.chart(
            calibration_charts.probability(curve["similarity"], curve["probability"], found.threshold), curve,
            "probability", "Curve: probability of one class at each similarity",
        )  # fmt: skip
