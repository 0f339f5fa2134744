"""The images as points, like ones close together: one model's view, or two side by side."""

import streamlit as st

from core.errors import LikenessError
from dashboard import map as maps_of
from dashboard import map_lists, map_point, map_preview, map_selection, pair_picker, panels, selection
from dashboard.text import count, plain

chosen = selection.current()
st.title("Embedding map")
if not chosen.ready:
    panels.nothing_embedded(chosen)
    st.stop()
try:
    view = maps_of.controls(chosen)
    maps = maps_of.load(chosen, view)
    if not maps:
        st.stop()
    shown = maps[0].dataset
    if len(shown) < len(chosen.dataset):
        st.warning(
            f"The map shows a sample of {count(len(shown), 'image')} of {len(chosen.dataset):,}, drawn by class.",
            icon=":material/filter_alt:",
        )
    st.markdown(maps_of.sentence(maps, chosen.dataset))
    picture, lists = st.container(), st.container()
    with lists:
        st.header("Look at an image")
        st.markdown("Click a point, or choose here. A new photo is placed where its like are.")
        asked = pair_picker.choose(chosen, map_selection.IMAGE, "Image", gallery_open=False)
        row, seen = (None, None) if asked is None else map_point.look(maps, chosen.dataset, asked, view.settings)
        if asked is not None and seen is not None:
            map_point.draw(maps, asked, row, seen)
    selected = map_selection.selected(shown)
    similar = None
    if seen is not None and view.colour == maps_of.SIMILARITY:
        similar = [map_point.similarities(one, row, found) for one, found in zip(maps, seen, strict=True)]
    with picture:
        maps_of.draw(
            maps, view, similar, None if seen is None else [one.lit for one in seen], selected, map_selection.version(),
            lambda chart: map_selection.take(chart, maps[0]),
        )  # fmt: skip
        if selected is not None:
            map_selection.draw(maps, selected)
    map_lists.draw(maps)
    map_preview.draw(shown, maps[0].rows.get, lambda row: pair_picker.take(map_selection.IMAGE, str(shown.paths[row])))
except LikenessError as error:
    st.error(plain(str(error)), icon=":material/error:")
