"""Where a pair falls among pairs whose classes are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core.records import Dataset
from core.verify import SplitPairs
from dashboard import comparison_charts, loaders, panels, threshold
from dashboard.pair import Bench, Pair
from dashboard.pair_picker import compare_here

_SHOWN = 6


def draw(pair: Pair, bench: Bench, dataset: Dataset) -> None:
    """The pair's score on the distributions of validation pairs, and the pairs nearest to it."""
    known = loaders.pairs(dataset, bench.decider.model, "val")
    score = pair.found.decision.score
    st.header("Where the pair falls")
    fmr, fnmr = known.verification.level_rates
    panels.chart(
        comparison_charts.placed(known.verification, bench.decider.threshold, score),
        pd.DataFrame({"threshold": known.verification.levels, "fmr": fmr, "fnmr": fnmr}),
        "placed",
        f"Distributions of the scores of same and of different validation pairs; this pair scores {score:.4f}",
    )
    _draw_nearest(known, pair, dataset)


def _draw_nearest(known: SplitPairs, pair: Pair, dataset: Dataset) -> None:
    itself = np.flatnonzero(np.isin(dataset.ids, [look.key for look in pair.whole])).tolist()
    nearest = loaders.nearest_pairs(known, pair.found.decision.score, _SHOWN, but=itself)
    alike = int((dataset.labels[nearest.rows[:, 0]] == dataset.labels[nearest.rows[:, 1]]).sum())
    st.markdown(f"**The known pairs that score nearest to it**: {alike} of {len(nearest)} are of one class.")
    threshold.draw_pairs(dataset, nearest, "nearest", "No pair is known.", compare_here)
