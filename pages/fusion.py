"""Several models added up: weights by hand or learned, what they do at once, and whether adding up pays."""

import pandas as pd
import streamlit as st

from core.errors import LikenessError
from core.fusion import Fusion
from core.trial import best_single, trial
from dashboard import ablation, fusing, fusion_charts, fusion_saving, fusion_trial, loaders, panels, selection
from dashboard.objectives import choose_base_rate, choose_objective
from dashboard.text import plain

chosen = selection.current()
st.title("Score fusion")
if not chosen.ready:
    panels.nothing_embedded(chosen)
    st.stop()
try:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        parts = fusing.choose_parts(chosen)
        val, test = (loaders.part_scores(chosen.dataset, parts, split) for split in ("val", "test"))
        objective = choose_objective()
        base_rate = choose_base_rate(val.base_rate)
    fusing.draw_labels(chosen, parts)
    decider = loaders.deciding(chosen.dataset, fusing.backbones(chosen))
    usual = decider if isinstance(decider, Fusion) else None
    single = best_single(val, objective, base_rate)
    answer = st.container()
    left, right = st.columns([2, 3])
    with left:
        weights = fusing.choose_weights(
            parts, fusing.presets(parts, usual, single),
            lambda: fusing.learn(chosen, parts, objective, base_rate),
        )  # fmt: skip
        if usual is not None:
            st.caption(f"Default: {plain(usual.origin)}.")
    fused, alone = (trial(val, test, one, objective, base_rate) for one in (weights, {single: 1.0}))
    with answer:
        fusion_trial.draw_answer(fused, objective, single, alone, test)
    with right:
        panels.chart(
            fusion_charts.weights(weights), pd.DataFrame(weights.items(), columns=["part", "weight"]), "weights",
            "Stacked bar: the weight of each part",
        )  # fmt: skip
        if fused is not None:
            fusion_trial.draw_charts(fused, single, alone)
    st.header("What each part is worth")
    ablation.draw(chosen, parts, weights, usual, objective, base_rate)
    st.header("Saved fusions")
    fusion_saving.draw(parts, weights)
except LikenessError as error:
    st.error(plain(str(error)), icon=":material/error:")
