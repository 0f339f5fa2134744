"""Which classes are hard for which models, and the images behind it."""

import streamlit as st

from core.errors import LikenessError
from core.evaluate import Protocol
from dashboard import class_answers, heatmap, loaders, panels, selection
from dashboard.text import plain

chosen = selection.current()
st.title("Per-class quality")
if not chosen.ready:
    panels.nothing_embedded(chosen)
    st.stop()
try:
    view = heatmap.controls(chosen.dataset, chosen.models)
    found = loaders.evaluation(chosen.dataset, chosen.models, Protocol(view.split))
    table = loaders.class_table(found, view.metric.name)
    shown = table if view.baseline is None else loaders.class_table(found, view.metric.name, view.baseline)
except LikenessError as error:
    st.error(plain(str(error)), icon=":material/error:")
    st.stop()

st.markdown(heatmap.sentence(table, shown, view))
above = st.container()
st.header("Behind a cell")
label, model = heatmap.choose_cell(table)
with above:
    heatmap.draw(table, shown, view, (label, model))
    panels.provenance(found)
class_answers.draw(found, model, label, view.cutoff)
