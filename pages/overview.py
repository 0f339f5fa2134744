"""What the dataset is, and which model retrieves best on it."""

import pandas as pd
import streamlit as st

from core.errors import LikenessError
from core.evaluate import Protocol
from core.records import SPLITS
from dashboard import charts, leaderboard, leaks, loaders, panels, ranking, selection, significance
from dashboard.text import count, literal, plain

chosen = selection.current()
dataset = chosen.dataset
sizes = [f"{len(dataset.rows(split)):,} {split}" for split in SPLITS]

st.title(plain(dataset.title))
st.markdown(
    f"{count(len(dataset), 'image')} in {count(len(dataset.classes), 'class', 'classes')} ({', '.join(sizes)})"
    + (f"; {count(len(dataset.skipped), 'file')} skipped, listed below." if dataset.skipped else ".")
)

st.subheader("Which model retrieves best")
if not chosen.ready:
    panels.nothing_embedded(chosen)
else:
    splits = [split for split in ("test", "val", "train") if len(dataset.rows(split))]
    split = st.segmented_control(
        "Queries from", splits, default=splits[0], key="queries", bind="query-params", required=True,
        help="Each image of this split asks the training images for its class. Choose on val, report on test.",
    )  # fmt: skip
    try:
        found = loaders.evaluation(dataset, chosen.models, Protocol(split or splits[0]))
    except LikenessError as error:  # such as classes that are all in one split
        st.error(plain(str(error)), icon=":material/error:")
    else:
        st.markdown(leaderboard.sentence(found))
        leaderboard.draw(found)
        leaderboard.draw_overlap(found)
        leaderboard.draw_training(found)
        panels.provenance(found)
        panels.chart(
            charts.accuracy_against_latency(leaderboard.points(found), "P@5"),
            leaderboard.table(found),
            "leaderboard",
            "Bubble chart: P@5 of each model with its interval against milliseconds for one image; area is size",
        )
        significance.draw(found)
        ranking.draw(found)
        leaks.draw(found)
    panels.embed_missing(chosen)
panels.without_weights()

st.subheader("The images")
counts = {split: [len(dataset.rows(split, label)) for label in dataset.classes] for split in SPLITS}
names = [literal(label) for label in dataset.classes]
left, right = st.columns([2, 3])
with left:
    panels.chart(
        charts.class_counts(names, counts),
        pd.DataFrame({"class": names, **counts}),
        "classes",
        "Bar chart: images of each class by split",
    )
with right:
    label = st.selectbox(
        "Samples of", ["every class", *dataset.classes], format_func=literal, key="samples", bind="query-params"
    )
    only = None if label == "every class" else label
    with st.container(horizontal=True, gap="small"):
        for row in loaders.sample_rows(dataset.fingerprint, 0, 30, only, dataset):
            with st.container(width=108, gap=None):
                panels.picture(dataset, row, 104)
                st.caption(plain(str(dataset.labels[row])))

if dataset.skipped:
    with st.expander(f"{count(len(dataset.skipped), 'skipped file')}"):
        st.dataframe(
            pd.DataFrame([(literal(s.path), literal(s.reason)) for s in dataset.skipped], columns=["file", "reason"]),
            hide_index=True,
        )
