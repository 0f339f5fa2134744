"""From which similarity on two images count as the same class: chosen on validation, reported on test."""

import pandas as pd
import streamlit as st

from core.errors import LikenessError
from core.policy import Policy
from core.thresholds import outcome
from dashboard import loaders, pair_charts, panels, selection, threshold
from dashboard.text import plain

_SHOWN = 8

chosen = selection.current()
st.title("Threshold")
if not chosen.ready:
    panels.nothing_embedded(chosen)
    st.stop()
try:
    model = st.segmented_control(
        "Model", chosen.models, default=chosen.models[0], key="model", bind="query-params", required=True,
        on_change=lambda: st.session_state.update(t=None),
    )  # fmt: skip
    backbone = chosen.ready[model if model in chosen.models else chosen.models[0]]
    val, test = (loaders.pairs(chosen.dataset, backbone, split) for split in ("val", "test"))
    setting = threshold.settings(val.verification)
except LikenessError as error:
    st.error(plain(str(error)), icon=":material/error:")
    st.stop()

t, base_rate, objective = setting.threshold, setting.base_rate, setting.objective
on_val, on_test = (outcome(pairs.verification, t, objective, base_rate) for pairs in (val, test))
st.markdown(threshold.sentence(setting, on_val, on_test))
left, right = st.columns([3, 2])
with left:
    threshold.draw_table(on_val, on_test)
with right:
    threshold.draw_confusion(on_test)
    policy = Policy.of(chosen.dataset, backbone, objective, base_rate, setting.choice, on_val, on_test, t)
    st.download_button(
        "policy.json", policy.as_text(), "policy.json", "application/json", icon=":material/download:",
        type="primary", on_click="ignore", help="Model, threshold and how they were chosen. An engineer decides with "
        "it in code: Policy.load(path).decide(image_a, image_b).",
    )  # fmt: skip
shown = test.verification
fmr, fnmr = shown.level_rates
data = pd.DataFrame({"threshold": shown.levels, "fmr": fmr, "fnmr": fnmr})
figures = {
    "Scores": (pair_charts.distributions(shown, t), "Distributions of the scores of same and of different pairs"),
    "Metrics": (pair_charts.metrics(shown, t, base_rate), "Precision, recall, F1 and accuracy at each threshold"),
    "ROC": (pair_charts.roc(shown, t), "ROC curve: recall against false match rate"),
    "Precision-recall": (pair_charts.precision_recall(shown, t, base_rate), "Precision against recall"),
    "DET": (pair_charts.det(shown, t), "DET curve: false non-match rate against false match rate, logarithmic"),
    "Cost": (
        pair_charts.cost(shown, t, base_rate, objective.cost_fp, objective.cost_fn),
        "Expected cost of a pair at each threshold",
    ),
}
for start in (0, 3):
    for name, column in zip(list(figures)[start : start + 3], st.columns(3), strict=True):
        with column:
            st.caption(f"{name}, all test pairs")
            panels.chart(figures[name][0], data, name.lower(), figures[name][1], threshold.take)

matches, misses = loaders.pair_errors(test).at(t, _SHOWN)
st.subheader("Worst false matches")
threshold.draw_pairs(chosen.dataset, matches, "match", "No different pair of test images scores this high.")
st.subheader("Worst false non-matches")
threshold.draw_pairs(chosen.dataset, misses, "miss", "No same pair of test images scores below the threshold.")
