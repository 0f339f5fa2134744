"""The two pictures of the pair page: what was found in them, which regions agree, and their labels."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from PIL import Image

from core.compare import Look
from core.label_groups import LabelGroups
from core.labelling import Labelling, label_words
from core.records import Dataset
from dashboard import loaders, pair_pictures
from dashboard.pair import TITLES, Bench, Pair, Setting
from dashboard.pair_picker import Query
from dashboard.text import count, literal, plain

_METHODS = {"detr": "found by DETR", "activation map": "by an activation map", "none": "nothing found: whole picture"}


def draw(pair: Pair, bench: Bench, setting: Setting, dataset: Dataset) -> None:
    """Both pictures side by side."""
    pictures = _evidence(pair, bench) if setting.evidence else [seen.picture for seen in pair.whole]
    sides = zip(TITLES.values(), pair.asked, pictures, pair.looks, st.columns(2), strict=True)
    for title, query, picture, seen, column in sides:
        with column:
            _draw_picture(title, query, picture, setting, dataset)
            _draw_labels(seen, bench.labelling)


def _draw_picture(title: str, query: Query, picture: Image.Image, setting: Setting, dataset: Dataset) -> None:
    found = loaders.detection(query.data)
    objects = ", ".join(f"{box.label} {box.confidence:.0%}" for box in found.boxes)
    name = "uploaded photo" if query.row is None else f"{dataset.labels[query.row]}, {dataset.paths[query.row]}"
    st.image(
        pair_pictures.with_boxes(picture, found, cropped=setting.cropped),
        alt=literal(f"{title}: {name}. Found: {objects or 'nothing'}"),
    )
    boxes = f"**{plain(objects)}** " if objects else ""
    st.caption(f"{plain(name)}. Boxes: {boxes}{_METHODS[found.method]}.", help=plain(found.note))


def _evidence(pair: Pair, bench: Bench) -> list[Image.Image]:
    """Both pictures with the evidence of a model, which is chosen here, laid over them."""
    offered = {one.name: one for one in bench.networks if one.spec.output == "features"}
    name = st.selectbox("Evidence of", list(offered), key="evidence_of", bind="query-params", width=260)
    backbone = offered[name if name in offered else next(iter(offered))]
    found = loaders.agreement(pair.looks[0], pair.looks[1], backbone)
    st.caption(plain(found.method))
    return [
        pair_pictures.with_evidence(whole.picture, heat, backbone.spec.preprocessing, seen.part)
        for whole, seen, heat in zip(pair.whole, pair.looks, found.heats, strict=True)
    ]


def _draw_labels(seen: Look, said: Labelling) -> None:
    """The most probable labels, each with the group it speaks for."""
    rows = [
        f"{place}. {plain(label.name)} **{label.probability:.1%}**" + _group(said.groups, label.index)
        for place, label in enumerate(seen.labels, 1)
    ]
    st.markdown("\n".join(rows))


def _group(groups: LabelGroups | None, label: int) -> str:
    return "" if groups is None else f" :gray[→ {plain(groups.classes[int(groups.share[label].argmax())])}]"


def draw_labels(pair: Pair, said: Labelling) -> None:
    """Whether the labels match, and the mapping by which they do."""
    if pair.found.label_match is not None:
        st.markdown(plain(label_words(pair.found.label_match)))
    if said.missing:
        st.caption(plain(said.missing))
    if said.groups is None:
        return
    rows = [(row.imagenet_class, literal(row.group), row.share, row.mass) for row in said.groups.table()]
    with st.expander(f"How {count(len(rows), 'label')} go with the classes of this dataset"):
        st.caption(
            "Learned from the training images: of all the probability that the classifier gave to a label, the share "
            "that fell on images of each class. A picture belongs to the class for which all its labels speak most."
        )
        st.dataframe(
            pd.DataFrame(rows, columns=["label", "class", "share", "training images"]), hide_index=True,
            column_config={"share": st.column_config.NumberColumn(format="percent"),
                           "training images": st.column_config.NumberColumn(format="%.1f")},
            alt="The classes of the dataset that labels speak for",
        )  # fmt: skip
