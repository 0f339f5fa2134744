"""From which similarity on two images count as the same class: chosen on validation, reported on test."""

import streamlit as st

from core.errors import LikenessError
from core.policy import Policy
from core.threshold_report import report
from core.thresholds import choose
from dashboard import class_thresholds, curves, loaders, panels, probability, review, sampled, selection, threshold
from dashboard.text import plain

chosen = selection.current()
st.title("Threshold")
if not chosen.ready:
    panels.nothing_embedded(chosen)
    st.stop()
try:
    model = st.segmented_control(
        "Model", chosen.models, default=chosen.models[0], key="model", bind="query-params", required=True
    )
    backbone = chosen.ready[model if model in chosen.models else chosen.models[0]]
    val, test = (loaders.pairs(chosen.dataset, backbone, split) for split in ("val", "test"))
    setting = threshold.settings(val.verification, (chosen.dataset.fingerprint, backbone.name))
    found = report(
        val.verification, test.verification, setting.objective, loaders.calibration(val, setting.method),
        setting.base_rate, setting.threshold, setting.band,
    )  # fmt: skip
except LikenessError as error:
    st.error(plain(str(error)), icon=":material/error:")
    st.stop()

st.markdown(threshold.sentence(found))
left, right = st.columns([5, 3])
with left:
    threshold.draw_table(found)
with right:
    threshold.draw_confusion(found.test)
    threshold.draw_tar(test.verification)
    st.download_button(
        "policy.json", Policy.of(chosen.dataset, backbone, found).as_text, "policy.json", "application/json",
        icon=":material/download:", type="primary", on_click="ignore", help="Model, threshold, probabilities and how "
        "they were chosen. An engineer decides with it in code: Policy.load(path).decide(image_a, image_b).",
    )  # fmt: skip

tabs = st.tabs(
    ["Curves and errors", "Accept, review, reject", "Probability", "By class", "Sampled pairs"], key="part",
    bind="query-params", on_change="rerun",
)  # fmt: skip
if tabs[0].open:
    with tabs[0]:
        curves.draw(test.verification, found)
        curves.draw_errors(test, found.threshold)
if tabs[1].open:
    with tabs[1]:
        review.draw(found.review, found.base_rate)
if tabs[2].open:
    with tabs[2]:
        probability.draw(val, test, setting.method, found)
if tabs[3].open:
    with tabs[3]:
        class_thresholds.draw(
            loaders.by_class(val, test, found.objective, found.choice.threshold, found.base_rate), found.objective,
            found.choice.threshold,
        )  # fmt: skip
if tabs[4].open:
    with tabs[4]:
        seed = sampled.seed()
        results, thresholds = {}, {}
        for name in chosen.models:
            ends = [loaders.pairs(chosen.dataset, chosen.ready[name], split) for split in ("val", "test")]
            thresholds[name] = choose(ends[0].verification, found.objective, found.base_rate).threshold
            results[name] = loaders.sampled(ends[1], thresholds[name], seed)
        sampled.draw(results, thresholds)
