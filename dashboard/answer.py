"""The answer in a paragraph, and the report that gives the evidence for it."""

from __future__ import annotations

import streamlit as st

from core.answer_words import Sentence, Strong, sentences
from core.errors import LikenessError
from dashboard import loaders, panels
from dashboard.selection import Selection, is_public
from dashboard.text import plain


def draw(selection: Selection) -> bool:
    """The paragraph and the report, or why there is neither; and the job under way. Tells whether there is one."""
    try:
        found = loaders.answer(selection.dataset, selection.models)
    except LikenessError as error:
        st.info(f"No answer in short. {plain(str(error))}", icon=":material/info:")
        return panels.job_runs()
    with st.container(border=True):
        st.markdown(" ".join(map(_markdown, sentences(found))))
    busy = panels.job_runs()
    _draw_report(selection, busy)
    return busy


def _draw_report(selection: Selection, busy: bool) -> None:
    """The report to download; where there is none, the button that makes it, unless a job is under way."""
    whole = loaders.dataset(selection.choice)
    path = loaders.report_file(whole, selection.models)
    if path.is_file():
        st.download_button(
            "Download the report", path.read_bytes, "report.html", "text/html", icon=":material/download:",
            key="report", on_click="ignore", help="One HTML file for somebody else: this answer, then the evidence. "
            "It opens from disk, asks for nothing and prints well.",
        )  # fmt: skip
    elif is_public():
        st.caption("A public demo makes no report. Where you run Likeness yourself, a button here makes one.")
    elif not busy:
        models = ["--models", ",".join(selection.models)]
        panels.job_button("Make the report", ["report", "--out", str(path), *selection.choice.arguments, *models])
    if len(whole) != len(selection.dataset):
        st.caption("The report is about all images, the marked ones too.")


def _markdown(sentence: Sentence) -> str:
    return "".join(f"**{plain(part.text)}**" if isinstance(part, Strong) else plain(part) for part in sentence)
