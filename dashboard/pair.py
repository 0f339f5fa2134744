"""The pair page's parts: two images, who decides, and the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import streamlit as st

from core.backbones import Backbone
from core.compare import Comparison, Look, compare, sentence
from core.default_fusion import NAME as DEFAULT
from core.errors import UnreadableImage
from core.fusion import Fusion
from core.judges import Judge
from core.labelling import Labelling
from core.records import Dataset
from dashboard import comparison_charts, loaders, pair_picker, panels
from dashboard.pair_picker import Query
from dashboard.selection import Selection
from dashboard.text import literal, plain

TITLES = {"a": "First image", "b": "Second image"}
# A word, a mark and a colour, so that none of them has to be seen.
_BADGES: dict[bool, tuple[str, str, Literal["green", "gray"]]] = {
    True: ("Match", ":material/check_circle:", "green"),
    False: ("No match", ":material/cancel:", "gray"),
}


@dataclass(frozen=True)
class Setting:
    """What the analyst has set: who decides, whether crops are compared, and whether evidence is shown."""

    decider: str
    cropped: bool
    evidence: bool


@dataclass(frozen=True)
class Bench:
    """What two pictures are compared with, loaded.

    Attributes:
        judges: the models that the sidebar names.
        decider: what decides.
        labelling: who gives labels.
        networks: every network that has to look.
    """

    judges: dict[str, Judge]
    decider: Judge
    labelling: Labelling
    networks: list[Backbone]


@dataclass(frozen=True)
class Pair:
    """Two images that were compared.

    Attributes:
        asked: what was chosen.
        whole: what networks see in the whole pictures.
        looks: what they see in what was compared: the same, or the crops.
        found: what is said of that.
        before: what is said of the whole pictures.
    """

    asked: list[Query]
    whole: list[Look]
    looks: list[Look]
    found: Comparison
    before: Comparison


def choose(selection: Selection) -> list[Query | None]:
    """Draw the choice of both images, and return what is chosen."""
    found = []
    for (key, title), column in zip(TITLES.items(), st.columns(2), strict=True):
        with column, st.container(border=True):
            found.append(pair_picker.choose(selection, key, title, gallery_open=False))
    return found


def choose_decider(selection: Selection) -> str:
    """Draw the choice of who decides; first comes what decides on the command line."""
    names = deciders(selection)
    picked = st.selectbox(
        "Decided by", names, format_func=literal, key="decider", bind="query-params", width=260,
        help="The default fusion adds up two models and the labels. Fusions that were saved can decide, pair heads, or "
        "one model alone.",
    )  # fmt: skip
    return picked if picked in names else names[0]


def settings(selection: Selection) -> Setting:
    """Draw the controls."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        decider = choose_decider(selection)
        cropped = st.toggle(
            "Compare the crops", key="crop", bind="query-params",
            help="Compare what was detected in each picture instead of the whole pictures.",
        )  # fmt: skip
        evidence = st.toggle(
            "Show evidence", key="evidence", bind="query-params",
            help="Which regions of the two pictures agree, in the eyes of one model.",
        )  # fmt: skip
    return Setting(decider, cropped, evidence)


def deciders(selection: Selection) -> list[str]:
    """What may decide; first what does where nothing is chosen, as in :func:`core.compare.deciding_model`."""
    single = [name for name in selection.models if isinstance(selection.ready[name], Backbone)]
    others = [name for name, model in selection.ready.items() if not isinstance(model, Backbone)]
    first = [DEFAULT] if len(selection.models) > 1 and single else selection.models[:1]
    return list(dict.fromkeys([*first, *others, *single]))


def prepare(selection: Selection, decider: str) -> Bench:
    """Load what is not loaded yet, and say so.

    Raises:
        LikenessError: validation lacks pairs, or a network cannot be loaded.
    """
    data, models = selection.dataset, {name: selection.ready[name] for name in selection.models}
    deciding = loaders.deciding(data, list(models.values())) if decider == DEFAULT else selection.ready[decider]
    said = loaders.labels_of(data, deciding)
    needed = {one.name: one for model in (*models.values(), deciding) for one in model.networks}
    if said.classifier is not None:
        needed[said.classifier.name] = said.classifier
    judges = {name: loaders.judge(loaders.pairs(data, model, "val")) for name, model in models.items()}
    decides = loaders.judge(loaders.pairs(data, deciding, "val"))
    _warm_up(list(needed.values()))
    return Bench(judges, decides, said, list(needed.values()))


def _warm_up(needed: Sequence[Backbone]) -> None:
    """Load networks; with a bar, if this visitor has not waited for them yet."""
    warm: set[str] = st.session_state.setdefault("_warm", set())
    if all(network.fingerprint in warm for network in needed):
        return
    with panels.progress() as report:
        for done, network in enumerate(needed, 1):
            report(f"Loading {network.name}", done, len(needed))
            loaders.runner(network)
            warm.add(network.fingerprint)


def examine(asked: Sequence[Query | None], bench: Bench, *, cropped: bool) -> Pair | None:
    """Look at the images that are chosen, with a message for each that is none, and compare them if there are two."""
    chosen, whole = [], []
    for query, title in zip(asked, TITLES.values(), strict=True):
        seen = None if query is None else _look(query, title, bench)
        if query is not None and seen is not None:
            chosen.append(query)
            whole.append(seen)
    if len(whole) < len(TITLES):
        return None
    found = before = compare(whole[0], whole[1], bench.judges, bench.decider, bench.labelling.groups)
    looks = whole
    if cropped:
        looks = [
            loaders.look(query.data, bench.networks, bench.labelling.classifier, loaders.detection(query.data))
            for query in chosen
        ]
        found = compare(looks[0], looks[1], bench.judges, bench.decider, bench.labelling.groups)
    return Pair(chosen, whole, looks, found, before)


def _look(query: Query, title: str, bench: Bench) -> Look | None:
    try:
        return loaders.look(query.data, bench.networks, bench.labelling.classifier)
    except UnreadableImage as error:
        st.error(f"{title}: this file cannot be used: {plain(str(error))}.", icon=":material/broken_image:")
        return None


def draw_answer(pair: Pair, bench: Bench, dataset: Dataset) -> None:
    """The decision in words, who made it, and what crops and the dataset's labels say to it."""
    word, icon, colour = _BADGES[pair.found.decision.same]
    st.badge(word, icon=icon, color=colour)
    st.markdown(f"## {plain(sentence(pair.found))}")
    model, rows = bench.decider.model, [query.row for query in pair.asked if query.row is not None]
    asides = [f"Decided by {model.name}{f': {model.origin}' if isinstance(model, Fusion) and model.origin else ''}."]
    if pair.looks is not pair.whole:
        old, new = pair.before.decision, pair.found.decision
        asides.append(
            f"Cropping moves the score from {old.score:.4f} to {new.score:.4f} ({new.score - old.score:+.4f}); the "
            "threshold was chosen for whole pictures."
        )
    if len(rows) == len(pair.asked):
        first, second = (str(label) for label in dataset.labels[rows])
        right = pair.found.decision.same == (first == second)
        asides.append(f"The dataset calls them {first} and {second}, so this is {'right' if right else 'wrong'}.")
    st.caption(plain(" ".join(asides)))


def draw_models(pair: Pair, bench: Bench) -> None:
    """What each model says with its own threshold, and what a fused score is made of."""
    said = {pair.found.decided_by: pair.found.decision, **pair.found.models}
    rows = [
        (literal(name), one.score, one.threshold, "✓ same" if one.same else "✗ different", one.probability)
        for name, one in said.items()
    ]
    st.dataframe(
        pd.DataFrame(rows, columns=["model", "similarity", "same from", "verdict", "P(same)"]), hide_index=True,
        column_config={
            "model": st.column_config.TextColumn(help="What decides comes first."),
            "similarity": st.column_config.NumberColumn(format="%.4f"),
            "same from": st.column_config.NumberColumn(
                format="%.4f", help="The model's own threshold: the best F1 on validation."
            ),
            "P(same)": st.column_config.NumberColumn(
                format="%.3f",
                help=f"Where {bench.decider.base_rate:.1%} of pairs are of one class, as in validation.",
            ),
        },
        alt="What each model says of the pair",
    )  # fmt: skip
    parts = pair.found.contributions
    if parts:
        panels.chart(
            comparison_charts.contributions(parts, bench.decider.threshold),
            pd.DataFrame(parts.items(), columns=["part", "adds"]), "contributions",
            "Stacked bar: what each part adds to the fused score, against the threshold. "
            + ", ".join(f"{literal(name)} {value:.3f}" for name, value in parts.items()),
        )  # fmt: skip
