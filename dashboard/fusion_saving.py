"""The fusion page's saving: a fusion under a name is a model on every page."""

from __future__ import annotations

import streamlit as st

from core import fusions
from core.errors import LikenessError
from core.fusion import Fusion, reweighted
from dashboard import loaders
from dashboard.fusing import Weights
from dashboard.selection import is_public
from dashboard.text import plain


def draw(parts: Fusion, weights: Weights) -> None:
    """Keep the fusion under a name, and those that are kept."""
    if is_public():
        st.caption("This is a public demo, which saves nothing.")
    else:
        with st.form("save", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input(
                "Save as",
                key="_fusion_name",
                placeholder="my-fusion",
                width=260,
                help="Letters, digits, dots, dashes and underscores. A fusion of that name is replaced.",
            )
            st.form_submit_button("Save", type="primary", icon=":material/save:", on_click=_save, args=(parts, weights))
    if problem := st.session_state.pop("_fusion_problem", None):
        st.error(plain(problem))
    name, saved = st.session_state.get("_fusion_saved", ("", None))
    if saved == weights and name in loaders.available_models():
        st.success(
            f"These weights are saved as **{plain(name)}**, a model on every page from now on. The threshold page "
            "writes its policy.json.",
            icon=":material/check:",
        )
    _draw_saved()


def _draw_saved() -> None:
    for name, model in loaders.available_models().items():
        if isinstance(model, Fusion):
            with st.container(horizontal=True, vertical_alignment="center"):
                sums = " + ".join(f"{weight:.2f} {plain(part)}" for part, weight in model.weights.items())
                st.markdown(f"**{plain(name)}**: {sums}", help=plain(model.origin) or None)
                if not is_public():
                    st.button("Remove", key=f"remove-{name}", icon=":material/delete:", type="tertiary",
                              on_click=_remove, args=(name,))  # fmt: skip


def _save(parts: Fusion, weights: Weights) -> None:
    name = str(st.session_state["_fusion_name"]).strip()
    try:
        fusions.save(reweighted(parts, weights, name, "weights set in the dashboard"))
    except LikenessError as error:
        st.session_state["_fusion_problem"] = str(error)
        return
    loaders.forget()
    st.session_state["_fusion_saved"] = name, weights
    if name not in st.session_state.get("models", [name]):
        st.session_state["models"] = [*st.session_state["models"], name]


def _remove(name: str) -> None:
    fusions.remove(name)
    loaders.forget()
