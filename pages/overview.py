"""What the dataset is, and which model retrieves best on it."""

import streamlit as st

from core.errors import LikenessError
from core.evaluate import Protocol
from core.records import SPLITS
from dashboard import answer, charts, leaderboard, leaks, loaders, panels, ranking, selection, significance
from dashboard.navigation import DATA
from dashboard.pair_picker import link_to
from dashboard.text import count, plain

chosen = selection.current()
dataset = chosen.dataset
sizes = [f"{len(dataset.rows(split)):,} {split}" for split in SPLITS]

st.title(plain(dataset.title))
st.markdown(
    f"{count(len(dataset), 'image')} in {count(len(dataset.classes), 'class', 'classes')} ({', '.join(sizes)})"
    + (f"; {count(len(dataset.skipped), 'file')} skipped." if dataset.skipped else ".")
)

busy = bool(chosen.ready) and answer.draw(chosen)

st.header("Which model retrieves best")
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
    if not busy:
        panels.offer_missing(chosen)
panels.without_weights()

st.header("The images")
st.page_link(
    DATA, label="Samples, sizes, skipped files, duplicates and doubtful labels are on the data page",
    icon=":material/folder_open:", query_params=link_to(),
)  # fmt: skip
