"""The most similar images of the dataset for any photo, from up to four models side by side."""

import time

import streamlit as st

from core import images
from core.errors import LikenessError
from core.search import Filters
from dashboard import hits, loaders, panels, query, selection
from dashboard.text import literal, plain

_MODELS = 4

chosen = selection.current()
st.title("Top-5 retrieval")
if not chosen.ready:
    panels.nothing_embedded(chosen)
    st.stop()

with st.container(border=True):
    asked = query.choose(chosen)
with st.container(horizontal=True, vertical_alignment="bottom"):
    k = st.slider("How many", 1, 20, 5, key="k", bind="query-params")
    labels = ["every class", *chosen.dataset.classes]
    only = st.selectbox("Only of class", labels, format_func=literal, key="only", bind="query-params")
filters = Filters(None if only == "every class" else only)

if asked is None:
    st.info("Choose an image above and every model shows what it finds most similar.", icon=":material/info:")
    st.stop()

models = [name for name in chosen.models if not asked.words or query.takes_words(chosen.ready[name])]
if not models:
    st.warning("Only CLIP can search by words. Choose it in the sidebar.")
    st.stop()
try:
    hits.draw_query(chosen.dataset, asked)
    for name in models[:_MODELS]:
        searcher = loaders.searcher(chosen.dataset, chosen.ready[name])
        started = time.perf_counter()
        if asked.words:
            vector = loaders.text_encoder(searcher.backbone.fingerprint, searcher.backbone)(asked.words)
            found = searcher.by_vector(vector, int(k), filters)
        else:
            found = searcher.by_image(asked.data, int(k), filters)
        hits.draw(chosen.dataset, name, found, asked, time.perf_counter() - started)
except images.UnreadableImage as error:
    st.error(f"This file cannot be used: {plain(str(error))}.", icon=":material/broken_image:")
except LikenessError as error:
    st.error(plain(str(error)), icon=":material/error:")
if len(models) > _MODELS:
    st.caption(f"The first {_MODELS} of {len(models)} chosen models are shown; choose others in the sidebar.")
