"""The threshold page's curves, with the one threshold in each, and the pairs that go wrong at it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.metrics.verification import Verification
from core.threshold_report import ThresholdReport
from core.verify import SplitPairs
from dashboard import held_threshold, loaders, pair_charts, panels, threshold

_SHOWN = 8


def draw(test: Verification, found: ThresholdReport) -> None:
    """Six charts; a click on a curve takes its threshold."""
    t, base_rate, objective = found.threshold, found.base_rate, found.objective
    fmr, fnmr = test.level_rates
    data = pd.DataFrame({"threshold": test.levels, "fmr": fmr, "fnmr": fnmr})
    figures = {
        "Scores": (pair_charts.distributions(test, t), "Distributions of the scores of same and of different pairs"),
        "Metrics": (pair_charts.metrics(test, t, base_rate), "Precision, recall, F1 and accuracy at each threshold"),
        "ROC": (pair_charts.roc(test, t), "ROC curve: recall against false match rate"),
        "Precision-recall": (pair_charts.precision_recall(test, t, base_rate), "Precision against recall"),
        "DET": (pair_charts.det(test, t), "DET curve: false non-match rate against false match rate, logarithmic"),
        "Cost": (
            pair_charts.cost(test, t, base_rate, objective.cost_fp, objective.cost_fn),
            "Expected cost of a pair at each threshold",
        ),
    }
    for start in (0, 3):
        for name, column in zip(list(figures)[start : start + 3], st.columns(3), strict=True):
            with column:
                st.caption(f"{name}, all test pairs")
                panels.chart(figures[name][0], data, name.lower(), figures[name][1], held_threshold.put)


def draw_errors(test: SplitPairs, t: float) -> None:
    """The worst pairs of each kind."""
    matches, misses = loaders.pair_errors(test).at(t, _SHOWN)
    st.header("Worst false matches")
    threshold.draw_pairs(test.dataset, matches, "match", "No different pair of test images scores this high.")
    st.header("Worst false non-matches")
    threshold.draw_pairs(test.dataset, misses, "miss", "No same pair of test images scores below the threshold.")
