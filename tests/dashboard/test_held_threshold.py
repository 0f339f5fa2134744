"""A threshold follows what suggests it, until it is set."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st

    from dashboard import held_threshold

    model = st.selectbox("model", ["a", "b"])
    suggested = {"a": 0.25, "b": 0.75}[model]
    used = held_threshold.current(suggested, model)
    st.button("set", on_click=held_threshold.put, args=(0.5,))
    held_threshold.draw_back(suggested)
    st.text(f"{used:.4f}")


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_function(_page)


def test_it_follows_until_it_is_set_and_again_when_asked(page: AppTest) -> None:
    assert page.run().text[0].value == "0.2500"
    page.selectbox[0].set_value("b").run()
    assert page.text[0].value == "0.7500"
    page.button[0].click().run()
    assert page.text[0].value == "0.5000"
    assert page.query_params["t"] == "0.500000"
    page.button[1].click().run()
    assert page.text[0].value == "0.7500"
    assert "t" not in page.query_params


def test_what_was_set_for_one_model_stays_with_it(page: AppTest) -> None:
    page.run().button[0].click().run()
    page.selectbox[0].set_value("b").run()
    assert page.text[0].value == "0.7500"
    assert "t" not in page.query_params
    page.selectbox[0].set_value("a").run()
    assert page.text[0].value == "0.5000"
    page.button[1].click().run()
    assert page.text[0].value == "0.2500"


def test_another_page_does_not_make_it_forget(page: AppTest) -> None:
    page.run().button[0].click().run()
    page.query_params.clear()  # as when a page is opened
    assert page.run().text[0].value == "0.5000"
    assert page.query_params["t"] == "0.500000"


@pytest.mark.parametrize(("said", "used"), [("0.3", "0.3000"), ("x", "0.2500"), ("nan", "0.2500"), ("9", "1.0000")])
def test_a_link_sets_it_where_it_names_a_similarity(said: str, used: str, page: AppTest) -> None:
    page.query_params["t"] = said
    assert page.run().text[0].value == used
