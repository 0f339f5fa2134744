"""Better embeddings from labelled images: start a training, watch it, and compare what came of it."""

import streamlit as st

from core import jobs
from core.errors import LikenessError
from core.training.runs import runs
from dashboard import panels, selection, training, training_history, training_run
from dashboard.text import plain

chosen = selection.current()
st.title("Train")
st.markdown(
    "Training draws images of one class together and holds different ones apart. The best epoch on validation images "
    "becomes a model like any other, judged once on test images beside the model it started from."
)
try:
    running = training_run.under_way()
    if not chosen.ready:
        panels.nothing_embedded(chosen)
    elif not panels.job_runs() and running is None:
        training.draw_form(chosen)
    busy = running is not None or bool(jobs.running())
    if busy:
        training_run.draw_running(running.name if running else None, chosen.dataset)
    training_history.draw(runs(), chosen, busy=busy)
except LikenessError as error:
    st.error(plain(str(error)), icon=":material/error:")
