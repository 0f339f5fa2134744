"""The threshold page in each of its states."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.calibration import METHODS
from core.thresholds import OBJECTIVES
from dashboard.text import literal
from tests.pages.conftest import texts
from tests.workplace import CLASSES, HOSTILE

Open = Callable[..., AppTest]


def test_it_says_what_the_threshold_does_on_test(app: Open) -> None:
    page = app("threshold")
    assert not page.exception
    assert "you wrongly match" in texts(page)
    table = page.dataframe[0].value
    assert table["metric"].tolist()[:2] == ["False match rate", "False non-match rate"]
    assert f"At **{page.slider[0].value:.4f}**" in texts(page)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_has_an_answer(objective: str, app: Open) -> None:
    page = app("threshold", objective=OBJECTIVES[objective].title, min_precision="0.3")
    assert not page.exception
    assert page.selectbox(key="objective").value == objective
    assert not page.error
    assert page.slider


def test_doubtful_pairs_can_be_left_to_a_person(app: Open) -> None:
    page = app("threshold", part="Accept, review, reject", review="true", auto_fmr="0.01", auto_fnmr="0.01")
    assert not page.exception
    assert "a person looks at" in texts(page) or "nothing has to be looked at" in texts(page)
    page.toggle(key="review").set_value(False).run()
    assert "Let a person look at doubtful pairs" in texts(page)


@pytest.mark.parametrize("method", METHODS)
def test_probabilities_are_said_and_judged(method: str, app: Open) -> None:
    page = app("threshold", part="Probability", calibration=method)
    assert not page.exception
    assert "is of one class with probability" in texts(page)
    assert "Brier score" in texts(page)


def test_thresholds_by_class_come_with_a_verdict(app: Open) -> None:
    page = app("threshold", part="By class")
    assert not page.exception
    assert re.search(r"Nothing to gain|Thresholds by class", texts(page))
    table = page.dataframe[-1].value
    assert len(table) == 3
    assert set(table["class"]) == {literal(name) for name in CLASSES}


def test_samples_of_pairs_and_triplets(app: Open) -> None:
    page = app("threshold", part="Sampled pairs")
    assert not page.exception
    assert "balanced test pairs" in texts(page)
    table = page.dataframe[-1].value
    assert table["pairs"].str.endswith("triplets").sum() == 1
    page.number_input(key="sample_seed").set_value(7).run()
    assert "seed 7" in texts(page)


def test_recall_at_rates_that_the_pairs_cannot_support_is_not_said(app: Open) -> None:
    tables = [table.value for table in app("threshold").dataframe]
    tar = next(table for table in tables if "FAR" in table)
    assert tar["TAR (recall) on test"].str.startswith("needs").any()


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


def test_without_vectors_it_says_what_to_do(app: Open, empty: Path) -> None:
    page = app("threshold", cache=empty)
    assert not page.exception
    assert "No model has embedded these images yet" in texts(page)


def test_every_error_can_be_compared(app: Open) -> None:
    page = app("threshold", t="0.999")
    links = [link.proto.query_string for link in page.get("page_link")]
    assert links
    assert all("a=" in link and "b=" in link for link in links)
