"""How far the triplet page's answer can be trusted: test triplets of both kinds, at any threshold."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.at_least_two import SIZE, TripletReport, TripletScores, draw_mixed, most
from core.judges import Judge
from core.metrics.grid import to_thresholds
from core.metrics.verification import Estimate
from core.models import Model
from core.records import Dataset
from dashboard import loaders, panels, triplet_charts
from dashboard.text import count, interval, share

_MOST = 10_000
_RATES = {"precision": "Precision", "recall": "Recall", "f1": "F1"}


@dataclass(frozen=True)
class Trial:
    """Test triplets to draw: how many and with which seed; validation gives as many, or as many as it can."""

    dataset: Dataset
    size: int
    val_size: int
    seed: int

    def scores(self, model: Model, split: str) -> TripletScores:
        """The triplets of ``val`` or ``test``, as a model scores them."""
        return loaders.triplets(self.dataset, model, split, self.val_size if split == "val" else self.size, self.seed)

    def triplet_accuracy(self, model: Model) -> Estimate:
        """Of the test triplets that hold a match, how often the one of its class is nearer to the anchor."""
        return loaders.triplet_accuracy(self.dataset, model, "test", (self.size + 1) // 2, self.seed)


def settings(dataset: Dataset) -> Trial:
    """The controls for the triplets.

    Raises:
        LikenessError: validation or test cannot give both kinds of triplets.
    """
    able = {split: most(dataset, split) for split in ("val", "test")}
    for split, number in able.items():
        if number < 2:
            draw_mixed(dataset, split, 2)  # says why
    with st.popover("Test triplets", icon=":material/tune:"):
        size = st.number_input(
            "Number of triplets", 2, min(_MOST, able["test"]), min(SIZE, able["test"]), key="triplets",
            bind="query-params", help="Half of them hold one pair of one class, the others are of three classes.",
        )  # fmt: skip
        seed = st.number_input("Seed", 0, None, 0, key="seed", bind="query-params",
                               help="Another seed draws other triplets. All models see the same ones.")  # fmt: skip
    return Trial(dataset, int(size), min(int(size), able["val"]), int(seed))


def draw(trial: Trial, judge: Judge, threshold: float, models: Mapping[str, Model]) -> None:
    """The report at the threshold in use, its curves, and every model beside the others."""
    test = trial.scores(judge.model, "test")
    best = trial.scores(judge.model, "val").best_threshold()
    found = test.report(threshold)
    st.markdown(sentence(found, trial))
    _draw_report(found)
    st.markdown(two_thresholds(test, judge, best))
    table = pd.DataFrame({"threshold": to_thresholds(test.levels), **triplet_charts.drawn(test)})
    panels.chart(
        triplet_charts.curves(test, threshold, best), table, "triplet-curves",
        "Lines: precision, recall and F1 of at least two match, against the threshold",
    )  # fmt: skip
    _draw_models(model_table(trial, models))


def sentence(found: TripletReport, trial: Trial) -> str:
    """What the threshold does on test triplets, in plain words."""
    recall, kept = found.kinds["match"].recall, found.kinds["no match"].recall
    return (
        f"At **{found.threshold:.4f}**, {_share(found.accuracy)} of {count(trial.size, 'test triplet')} "
        f"(seed {trial.seed}; half hold a match) are told right: {_share(recall)} of the matches are found, and "
        f"{_share(Estimate(1 - kept.value, 1 - kept.high, 1 - kept.low))} of the others are called one wrongly. "
        f"Where a match is found, the most alike pair is the right one in {_share(found.pair_found)}."
    )


def two_thresholds(test: TripletScores, judge: Judge, best: float) -> str:
    """Why single pairs and three images want different thresholds, and what either does on test."""
    pair = judge.threshold
    order = "higher than" if pair > best else "lower than" if pair < best else "the same as"
    for_pairs, for_three = (_cell(test.report(one).kinds["match"].f1) for one in (pair, best))
    return (
        f"The threshold chosen for single pairs, {pair:.4f}, is {order} the one chosen for three images, {best:.4f}, "
        f"both for F1 on validation. Here it reaches an F1 of {for_pairs}, the other {for_three}. Three images have "
        "three chances to match wrongly, which asks for a higher threshold; but half of these triplets hold a match, "
        f"while {share(judge.val.base_rate)} of the pairs are of one class, which asks for a lower one."
    )


def _draw_report(found: TripletReport) -> None:
    table = report_table(found)
    shown = [{"": row[""], **{title: _limits(row, rate) for rate, title in _RATES.items()}, "Support": row["support"]}
             for row in table.to_dict("records")]  # fmt: skip
    st.dataframe(pd.DataFrame(shown), hide_index=True, alt="Classification report of the test triplets")
    panels.download(table, "triplet-report", "Report as CSV")


def report_table(found: TripletReport) -> pd.DataFrame:
    """The rows of scikit-learn's ``classification_report``, with the limits of 95% intervals where there are some."""
    total = sum(kind.support for kind in found.kinds.values())
    rows: list[dict[str, object]] = []
    for name, kind in found.kinds.items():
        ends = [_ends(rate, getattr(kind, rate)) for rate in _RATES]
        rows.append({"": name, **ends[0], **ends[1], **ends[2], "support": kind.support})
    rows.append({"": "accuracy", **_ends("f1", found.accuracy), "support": total})
    for name in ("macro", "weighted"):
        rows.append({"": f"{name} avg", **found.average(weighted=name == "weighted"), "support": total})
    return pd.DataFrame(rows)


def model_table(trial: Trial, models: Mapping[str, Model]) -> pd.DataFrame:
    """One row a model: triplet accuracy, and what its own threshold, the best on validation triplets, does on test."""
    rows = []
    for name, model in models.items():
        best = trial.scores(model, "val").best_threshold()
        found = trial.scores(model, "test").report(best)
        rows.append({
            "model": name, **_ends("triplet accuracy", trial.triplet_accuracy(model)), "threshold": best,
            **_ends("F1", found.kinds["match"].f1), **_ends("accuracy", found.accuracy),
            **_ends("right pair", found.pair_found),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _draw_models(table: pd.DataFrame) -> None:
    st.markdown("**Every model, at its own threshold for three images**")
    rates = ("triplet accuracy", "F1", "accuracy", "right pair")
    shown = [
        {"model": row["model"], "threshold": f"{row['threshold']:.4f}", **{name: _limits(row, name) for name in rates}}
        for row in table.to_dict("records")
    ]
    st.dataframe(
        pd.DataFrame(shown), hide_index=True, column_config=_MEANING, alt="Triplet accuracy and F1 of every model"
    )
    panels.download(table, "triplet-models", "Models as CSV")


_MEANING = {
    "triplet accuracy": st.column_config.TextColumn(
        help="Of the test triplets with a match, how often the anchor is nearer to the image of its class (positive) "
        "than to the other (negative). Needs no threshold."
    ),
    "threshold": st.column_config.TextColumn(help="The similarity with the best F1 on validation triplets."),
    "F1": st.column_config.TextColumn(help="Of saying that at least two match."),
    "right pair": st.column_config.TextColumn(help="Of the matches found, how often the most alike pair is the one."),
}


def _ends(name: str, found: Estimate) -> dict[str, float]:
    return {name: found.value, f"{name} low": found.low, f"{name} high": found.high}


def _limits(row: Mapping[Hashable, object], name: str) -> str:
    """A value of a table with its interval, if it has either."""
    value, low, high = (row.get(f"{name}{end}") for end in ("", " low", " high"))
    if pd.isna(value):
        return ""
    return f"{value:.3f}" if pd.isna(low) else f"{value:.3f} [{low:.3f}\N{EN DASH}{high:.3f}]"


def _cell(found: Estimate) -> str:
    return f"{found.value:.3f} [{found.low:.3f}\N{EN DASH}{found.high:.3f}]"


def _share(found: Estimate) -> str:
    return f"{share(found.value)} {interval(found.low, found.high)}"
