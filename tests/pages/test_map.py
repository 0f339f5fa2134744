"""The map page in each of its states."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from core.backbones import available
from core.datasets import load_dataset
from core.projection import Settings, project
from core.records import Dataset
from core.store import EmbeddingStore
from tests.pages.conftest import OTHER, shown_chart, texts
from tests.workplace import HOSTILE, MODEL, Workplace

App = Callable[..., AppTest]


@pytest.fixture
def mapped(two_models: Path, workplace: Workplace) -> Path:
    """A cache with two models, and a map of each."""
    store, dataset = EmbeddingStore(two_models), load_dataset(str(workplace.pictures))
    for name in (MODEL, OTHER):
        project(dataset, available()[name], store, Settings())
    return two_models


@pytest.fixture
def dataset(workplace: Workplace) -> Dataset:
    """The pictures."""
    return load_dataset(str(workplace.pictures))


def keys(page: AppTest, number: int) -> set[float]:
    """The ``customdata`` of all points of a chart."""
    import base64

    found: set[float] = set()
    for trace in shown_chart(page, number)["data"]:
        if "customdata" in trace:
            raw = trace["customdata"]
            found |= set(np.frombuffer(base64.b64decode(raw["bdata"]), raw["dtype"]).tolist())
    return found


def test_without_vectors_the_page_says_what_to_do(app: App, workplace: Workplace, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    shutil.copy(workplace.cache / "recent.json", empty)
    page = app("map", cache=empty)
    assert "No model has embedded these images yet" in texts(page)
    assert not page.exception


def test_a_map_that_was_not_drawn_is_drawn_by_a_job(
    app: App, two_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(jobs, "start", lambda arguments: started.append(list(arguments)) or "1-a")
    page = app("map", cache=two_models, map=MODEL, beside=OTHER, dimensions="3", near="8")
    assert "has not been drawn with these settings yet" in texts(page)
    next(button for button in page.button if button.label == "Draw the maps").click().run()
    (arguments,) = started
    assert arguments[0] == "project"
    told = dict(zip(arguments[1::2], arguments[2::2], strict=True))
    assert told["--models"] == f"{MODEL},{OTHER}"
    assert (told["--dimensions"], told["--neighbours"], told["--min-dist"]) == ("3", "8", "0.1")


def test_a_public_demo_draws_nothing_new(app: App, two_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(jobs.PUBLIC_VARIABLE, "1")
    page = app("map", cache=two_models)
    assert "This is a public demo" in texts(page)
    assert not [button for button in page.button if "Draw" in button.label]


def test_two_maps_show_the_same_images_and_how_far_to_trust_them(app: App, mapped: Path, dataset: Dataset) -> None:
    page = app("map", cache=mapped, map=MODEL, beside=OTHER)
    assert not page.exception
    said = texts(page)
    assert said.count("Trustworthiness 0.") == 2
    assert "means nothing" in said
    wanted = {float(int(key[:12], 16)) for key in dataset.ids.tolist()}
    assert keys(page, 0) == keys(page, 1) == wanted
    names = {trace.get("name") for trace in shown_chart(page, 0)["data"]}
    assert names == {"&lt;img src=x onerror=wi…", "plain", "square_*_"}
    assert HOSTILE not in said


@pytest.mark.parametrize(
    ("colour", "wanted"),
    [("split", {"train", "val", "test"}), ("right or wrong", {"right", "wrong"}), ("suspects", {"neither"})],
)
def test_colours_say_what_was_asked_for(app: App, mapped: Path, colour: str, wanted: set[str]) -> None:
    page = app("map", cache=mapped, map=OTHER, colour=colour)
    assert not page.exception
    assert wanted <= {trace.get("name") for trace in shown_chart(page, 0)["data"]}


def test_an_image_has_its_neighbours_and_a_link_to_compare(app: App, mapped: Path, dataset: Dataset) -> None:
    page = app("map", cache=mapped, map=MODEL, image="plain/03.png", colour="similarity")
    assert not page.exception
    said = texts(page)
    assert f"Nearest to **{MODEL}**" in said.replace("\\", "")
    row = int(np.flatnonzero(np.char.endswith(dataset.paths, "plain/03.png"))[0])
    vectors = EmbeddingStore(mapped).load(available()[MODEL].fingerprint)
    values = vectors.values[vectors.rows(dataset.ids)]
    scores = np.sort(np.delete(values @ values[row], row))[::-1][:5]
    for score in scores:
        assert f"{score:.3f}" in said
    data = shown_chart(page, 0)["data"]
    assert data[0]["marker"]["colorscale"]


def test_similarity_without_an_image_asks_for_one(app: App, mapped: Path) -> None:
    page = app("map", cache=mapped, colour="similarity")
    assert "Choose an image below" in texts(page)
    assert not page.exception


def test_a_selection_is_told_and_shown(app: App, mapped: Path, dataset: Dataset) -> None:
    page = app("map", cache=mapped, map=MODEL, beside=OTHER)
    plain = dataset.rows(label="plain")
    page.session_state["_map_selected"] = frozenset(dataset.ids[plain].tolist())
    page.run()
    assert not page.exception
    said = texts(page)
    assert f"{len(plain)} selected images" in [one.value for one in page.header]
    assert f"{len(plain)} **plain**" in said
    assert f"To **{MODEL}**" in said.replace("\\", "")
    tiles = [button for button in page.button if button.key and button.key.startswith("tile-selected-")]
    assert {int(button.key.rsplit("-", 1)[1]) for button in tiles} == set(plain.tolist())
    chosen = shown_chart(page, 1)["data"][1]
    assert chosen["name"] == "plain"
    next(button for button in page.button if button.label == "Clear the selection").click().run()
    assert not [one for one in page.header if "selected" in one.value]


def test_three_dimensions_and_class_names(app: App, two_models: Path, dataset: Dataset) -> None:
    project(dataset, available()[MODEL], EmbeddingStore(two_models), Settings(3))
    page = app("map", cache=two_models, map=MODEL, dimensions="3", classes="true")
    assert not page.exception
    spec = shown_chart(page, 0)
    assert spec["data"][0]["type"] == "scatter3d"
    assert len(spec["layout"]["scene"]["annotations"]) == 3


def test_above_the_most_that_are_shown_a_banner_says_so(
    app: App, two_models: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core import projection

    monkeypatch.setattr(projection.shown_rows, "__defaults__", (0, 20))
    project(dataset, available()[MODEL], EmbeddingStore(two_models), Settings())
    page = app("map", cache=two_models, map=MODEL)
    assert not page.exception
    assert "a sample of 20 images of" in texts(page)
    assert len(keys(page, 0)) == 20
