"""The threshold page's sampled protocols: how far small balanced sets of pairs can be trusted."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from core.sampled import SampleResult
from dashboard import panels, sample_charts
from dashboard.text import interval, plain, share

_RATES = {"accuracy": "Accuracy", "precision": "Precision", "recall": "Recall", "f1": "F1"}
Results = Mapping[str, tuple[list[SampleResult], SampleResult]]


def seed() -> int:
    """The control for the seed of the samples."""
    return int(
        st.number_input("Seed", 0, None, 0, key="sample_seed", bind="query-params", width=110,
                        help="Another seed draws other pairs. All models see the same ones.")
    )  # fmt: skip


def draw(found: Results, thresholds: Mapping[str, float]) -> None:
    """What each number of pairs would have said of each model, then the triplets."""
    first = next(iter(found))
    small, large = found[first][0][0], found[first][0][-1]
    a, b = small.rates["accuracy"], large.rates["accuracy"]
    st.markdown(
        f"From {len(small.sample)} balanced test pairs (seed {small.sample.seed}), the accuracy of "
        f"**{plain(first)}** would be said to be {share(a.value)} {interval(a.low, a.high)}; from {len(large.sample)}, "
        f"{share(b.value)} {interval(b.low, b.high)}. Half of the pairs are of one class, so precision and F1 hold for "
        "a base rate of 0.5. Each model is judged at its own threshold for the objective."
    )
    rate = st.segmented_control(
        "Draw", list(_RATES), default="accuracy", format_func=_RATES.__getitem__, key="sample_rate",
        bind="query-params", required=True,
    )  # fmt: skip
    panels.chart(
        sample_charts.against_pairs({name: pairs for name, (pairs, _) in found.items()}, rate or "accuracy",
                                    _RATES[rate or "accuracy"]),
        table(found, thresholds), "sampled-pairs", "Lines: a rate of each model against the number of sampled pairs",
    )  # fmt: skip
    st.dataframe(_readable(found, thresholds), hide_index=True, alt="Rates of each model on each number of pairs")


def table(found: Results, thresholds: Mapping[str, float]) -> pd.DataFrame:
    """One row a model, sample and rate."""
    rows = []
    for name, (pairs, triplets) in found.items():
        for result, kind in [*((one, "pairs") for one in pairs), (triplets, "triplets")]:
            for rate, estimate in result.rates.items():
                rows.append({
                    "model": name, "kind": kind, "size": len(result.sample), "seed": result.sample.seed,
                    "threshold": thresholds[name] if kind == "pairs" else None, "rate": rate, "value": estimate.value,
                    "low": estimate.low, "high": estimate.high,
                })  # fmt: skip
    return pd.DataFrame(rows)


def _readable(found: Results, thresholds: Mapping[str, float]) -> pd.DataFrame:
    rows = []
    for name, (pairs, triplets) in found.items():
        cells = {"model": name, "threshold": f"{thresholds[name]:.4f}"}
        rows += [{**cells, "pairs": f"{len(one.sample)}", **{title: _cell(one, rate) for rate, title in _RATES.items()}}
                 for one in pairs]  # fmt: skip
        right = _cell(triplets, "triplet_accuracy")
        rows.append({"model": name, "threshold": "none", "pairs": f"{len(triplets.sample)} triplets",
                     "Accuracy": f"{right} nearer to the positive"})  # fmt: skip
    return pd.DataFrame(rows).fillna("")


def _cell(result: SampleResult, rate: str) -> str:
    found = result.rates[rate]
    return f"{found.value:.3f} [{found.low:.3f}\N{EN DASH}{found.high:.3f}]"
