"""Three images: do at least two belong to the same class, and how far can the answer be trusted?"""

import streamlit as st

from core.errors import LikenessError
from dashboard import loaders, pair, panels, selection, triplet, triplet_setting, triplet_trust
from dashboard.text import plain

chosen = selection.current()
st.title("Triplet check")
if not chosen.ready:
    panels.nothing_embedded(chosen)
    st.stop()
images, answer, trust = st.container(), st.container(), st.container()
try:
    with answer:
        decider = pair.choose_decider(chosen)
    models = triplet_setting.models(chosen, decider)
    judges = {name: loaders.judge(loaders.pairs(chosen.dataset, model, "val")) for name, model in models.items()}
except LikenessError as error:
    st.error(plain(str(error)), icon=":material/error:")
    st.stop()

suggested = {triplet_setting.PAIRS: {name: judge.threshold for name, judge in judges.items()}}
trial = None
with trust:
    st.header("How far to trust it")
    try:
        trial = triplet_trust.settings(chosen.dataset)
        suggested[triplet_setting.TRIPLETS] = {
            name: trial.scores(model, "val").best_threshold() for name, model in models.items()
        }
    except LikenessError as error:
        st.info(plain(str(error)), icon=":material/info:")

needed = {network.name: network for model in models.values() for network in model.networks}
with images:
    pictures = triplet.choose(chosen, list(needed.values()), drawable=trial is not None)
with answer:
    used = triplet_setting.settings(judges[decider], {basis: found[decider] for basis, found in suggested.items()})
    if pictures is None:
        st.info("Choose three images above: do at least two show the same class?", icon=":material/info:")
    else:
        triplet.draw(pictures, judges, suggested[used.basis], used)
if trial is not None:
    with trust:
        triplet_trust.draw(trial, judges[decider], used.threshold, models)
