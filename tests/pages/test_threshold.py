"""The threshold page in each of its states."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.thresholds import OBJECTIVES
from tests.pages.conftest import texts
from tests.workplace import HOSTILE, Workplace, run_core

Open = Callable[..., AppTest]


def test_it_says_what_the_threshold_does_on_test(app: Open) -> None:
    page = app("threshold")
    assert not page.exception
    assert "you wrongly match" in texts(page)
    table = page.dataframe[0].value
    assert table["metric"].tolist()[:2] == ["False match rate", "False non-match rate"]
    assert page.slider[0].value == pytest.approx(page.session_state["t"])


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_has_an_answer(objective: str, app: Open) -> None:
    page = app("threshold", objective=OBJECTIVES[objective].title, min_precision="0.3")
    assert not page.exception
    assert page.selectbox(key="objective").value == objective
    assert not page.error
    assert page.slider


def test_the_slider_moves_everything_and_the_optimum_is_a_click_away(app: Open) -> None:
    page = app("threshold")
    best, before = page.slider[0].value, page.dataframe[0].value
    page.slider[0].set_value(page.slider[0].min).run()
    assert not page.exception
    after = page.dataframe[0].value
    assert after["test"][0] > before["test"][0] or after["test"][0] == 1
    next(button for button in page.button if "Back to the optimum" in button.label).click().run()
    assert page.slider[0].value == pytest.approx(best, abs=1e-4)


def test_the_link_keeps_the_threshold(app: Open) -> None:
    page = app("threshold", t="0.9")
    assert page.slider[0].value == pytest.approx(0.9)


def test_a_limit_that_cannot_be_kept_is_said_in_words(app: Open) -> None:
    page = app("threshold", objective="Least expected cost", cost_fp="0.0", cost_fn="0.0")
    assert not page.exception
    assert "Costs must be" in page.error[0].value


def test_names_never_become_markup(app: Open) -> None:
    page = app("threshold", t="0.5")
    assert not page.exception
    assert not any(HOSTILE in caption.value for caption in page.caption)


def test_without_vectors_it_says_what_to_do(app: Open, tmp_path: Path, workplace: Workplace) -> None:
    empty = tmp_path / "empty"
    run_core(empty, "models")
    page = app("threshold", cache=empty)
    assert not page.exception
    assert "No model has embedded these images yet" in texts(page)
