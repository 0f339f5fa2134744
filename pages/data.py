"""What the images are: counts, sizes, skipped files, duplicates, doubtful labels; and what is computed of them."""

import streamlit as st

from core.errors import LikenessError
from core.evaluate import Protocol
from dashboard import data, data_jobs, data_lists, leaks, loaders, panels, selection
from dashboard.selection import is_public
from dashboard.text import plain

chosen = selection.current()
dataset = chosen.dataset
st.title("Data")
said, models = data.sentence(dataset), list(data_lists.lookers(chosen).values())
place = st.empty()
place.markdown(said + data.findings(dataset, models))
tabs = st.tabs(
    ["Images", "Skipped files", "Duplicates", "Label suspects", "Outliers", "Jobs and cache"], key="part",
    bind="query-params", on_change="rerun",
)  # fmt: skip
try:
    if tabs[0].open:
        with tabs[0]:
            data.draw_images(dataset)
    if tabs[1].open:
        with tabs[1]:
            data.draw_skipped(dataset)
    if tabs[2].open:
        with tabs[2]:
            if is_public():
                st.caption("This is a public demo, which computes nothing new.")
            elif model := data_lists.choose_model(chosen):
                with panels.progress() as progress:
                    found = loaders.duplicates(dataset, model, progress)
                data_lists.draw_duplicates(found)
                st.header("What leaks do to the numbers")
                split = data_lists.choose_queries(dataset)
                leaks.draw_effect(loaders.evaluation(dataset, chosen.models, Protocol(split)), found)
    if tabs[3].open:
        with tabs[3]:
            if model := data_lists.choose_model(chosen):
                near = data_lists.neighbours(dataset, model)
                data_lists.draw_suspects(dataset, loaders.suspects(dataset, model, near), model.name)
    if tabs[4].open:
        with tabs[4]:
            if model := data_lists.choose_model(chosen):
                near = data_lists.neighbours(dataset, model)
                data_lists.draw_outliers(dataset, loaders.far_images(dataset, model, near), model.name)
    if tabs[5].open:
        with tabs[5]:
            st.header("Jobs")
            data_jobs.draw_jobs(chosen)
            st.header("Cache")
            data_jobs.draw_cache()
    place.markdown(said + data.findings(dataset, models))  # with what has just been looked for
except LikenessError as error:
    st.error(plain(str(error)), icon=":material/error:")
