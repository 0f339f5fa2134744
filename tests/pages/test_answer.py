"""The answer at the top of the overview, and the report behind it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from core.answer import answer
from core.answer_words import as_text, sentences
from core.backbones import available
from core.datasets import load_dataset
from core.evaluate import Protocol, evaluate
from core.store import EmbeddingStore
from dashboard import loaders
from tests.pages.conftest import OTHER, texts
from tests.pictures import paint
from tests.workplace import HOSTILE, MODEL, Workplace, run_core

Open = Callable[..., AppTest]


def _plain(markdown: str) -> str:
    return markdown.replace("**", "").replace("\\", "")


def _paragraph(page: AppTest) -> str:
    return next(one.value for one in page.markdown if one.value.startswith("Use "))


def test_the_overview_says_what_core_says(app: Open, two_models: Path, workplace: Workplace) -> None:
    page = app(cache=two_models)
    assert not page.exception
    store, models = EmbeddingStore(two_models), available()
    dataset = load_dataset(str(workplace.pictures), known_failures=store.failures())
    val, test = (
        evaluate(dataset, [models[name] for name in (OTHER, MODEL)], store, Protocol(split))
        for split in ("val", "test")
    )
    assert _plain(_paragraph(page)) == as_text(sentences(answer(val, test)))
    assert page.markdown[0].value.startswith("36 images")
    assert page.markdown[1].value == _paragraph(page), "it comes before the leaderboard"


def test_the_answer_is_about_the_chosen_models(app: Open, two_models: Path) -> None:
    page = app(cache=two_models, models=[OTHER])
    assert "Use **efficientnet\\_lite0**, the only model that was compared\\." in _paragraph(page)


def test_no_name_becomes_markup(app: Open) -> None:
    assert HOSTILE not in _paragraph(app())


def test_near_duplicates_count_once_they_were_looked_for(
    app: Open, monkeypatch: pytest.MonkeyPatch, workplace: Workplace
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(loaders, "without_leaks", lambda *of: asked.append(of))
    app()
    assert asked == []
    page = app(leaks="true")
    page.run()
    assert len(asked) == 1
    assert not page.exception


def test_where_nothing_can_be_chosen_it_says_why_there_is_no_answer(app: Open, tmp_path: Path, own: Path) -> None:
    folder = tmp_path / "halves"
    for split in ("train", "test"):
        paint(folder / split, {"circle": 5, "cross": 5}, first=0 if split == "train" else 10)
    run_core(own, "embed", "--dataset", str(folder), "--models", MODEL)
    page = app(cache=own)
    assert not page.exception
    assert "No answer in short" in page.info[0].value
    assert "do not make pairs" in _plain(page.info[0].value)
    assert not [button for button in page.button if "report" in button.label]


@pytest.fixture
def apart(workplace: Workplace, tmp_path: Path) -> Path:
    """A copy of the cache, to write reports into."""
    shutil.copytree(workplace.cache, tmp_path / "apart")
    return tmp_path / "apart"


def test_the_button_makes_the_report_as_a_job(app: Open, apart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(jobs, "start", lambda arguments: started.append(list(arguments)) or "1-ab")
    page = app(cache=apart)
    next(button for button in page.button if button.label == "Make the report").click().run()
    ((command, out, where, dataset, *rest),) = started
    assert (command, out, dataset) == ("report", "--out", "--dataset")
    assert Path(where).parent == apart / "reports"
    assert rest[-2:] == ["--models", MODEL]


def test_a_report_that_was_made_is_offered(app: Open, apart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_CACHE", str(apart))
    page = app(cache=apart)
    path = _report_of(page)
    path.parent.mkdir()
    path.write_text("<!doctype html>")
    page = app(cache=apart)
    assert next(one.proto.label for one in page.get("download_button")) == "Download the report"
    assert "Make the report" not in [button.label for button in page.button]


def _report_of(page: AppTest) -> Path:
    selection = page.session_state["_selection"]
    return loaders.report_file(selection.dataset, selection.models)


def test_other_models_have_another_report(app: Open, two_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_CACHE", str(two_models))
    both, one = (_report_of(app(cache=two_models, models=names)) for names in ([MODEL, OTHER], [MODEL]))
    assert both != one


def test_a_public_demo_makes_no_report_but_says_so_and_shows_one_that_is_there(
    app: Open, apart: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_PUBLIC", "1")
    monkeypatch.setenv("LIKENESS_CACHE", str(apart))
    page = app(cache=apart)
    assert not [button for button in page.button if "report" in button.label]
    assert "A public demo makes no report" in texts(page)
    path = _report_of(page)
    path.parent.mkdir()
    path.write_text("<!doctype html>")
    page = app(cache=apart)
    assert "Download the report" in [one.proto.label for one in page.get("download_button")]
    assert "makes no report" not in texts(page)


def test_the_report_is_about_all_images_even_where_marked_ones_are_left_out(
    app: Open, apart: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = app(cache=apart)
    selection = page.session_state["_selection"]
    kept = selection.dataset.take(np.arange(1, len(selection.dataset)))
    monkeypatch.setattr("dashboard.selection._without_marked", lambda dataset: kept)
    page.run()
    assert not page.exception
    assert "The report is about all images" in texts(page)
