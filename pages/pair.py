"""Do two images show the same class? With all that speaks for it and against."""

from dataclasses import replace

import streamlit as st

from core.errors import LikenessError
from dashboard import loaders, pair, pair_known, pair_sides, panels, selection
from dashboard.text import plain

chosen = selection.current()
st.title("Pair comparison")
if not chosen.ready:
    panels.nothing_embedded(chosen)
    st.stop()
asked = pair.choose(chosen)
try:
    setting = pair.settings(chosen)
    bench = pair.prepare(chosen, setting.decider)
    compared = pair.examine(asked, bench, cropped=setting.cropped)
except LikenessError as error:
    st.error(plain(str(error)), icon=":material/error:")
    st.stop()

if None in asked:
    st.info("Choose two images above: do they show the same class?", icon=":material/info:")
if compared is None:
    st.stop()

pair.draw_answer(compared, bench, chosen.dataset)
pair_sides.draw(compared, bench, setting, chosen.dataset)
pair_sides.draw_labels(compared, bench.labelling)
classifier = bench.labelling.classifier
if bench.labelling.groups is None and classifier is not None:
    panels.embed_missing(replace(chosen, pending={classifier.name: loaders.missing(chosen.dataset, classifier)}))
st.header("What each model says")
pair.draw_models(compared, bench)
pair_known.draw(compared, bench, chosen.dataset)
