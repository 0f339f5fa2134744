"""The per-class page in each of its states."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from core.per_class import CLASS_METRICS
from dashboard.text import figure_text, literal, plain
from tests.pages.conftest import OTHER, shown_chart, texts
from tests.workplace import CLASSES, HOSTILE, MODEL, Workplace, run_core

Open = Callable[..., AppTest]
PAGE = "per_class"


@pytest.fixture
def few_queries(workplace: Workplace, tmp_path: Path) -> Path:
    """A cache that last saw the same pictures with one test image of two classes and none of the third."""
    cache, pictures = tmp_path / "few", tmp_path / "split"
    shutil.copytree(workplace.cache, cache)
    for label in CLASSES:
        files = sorted((workplace.pictures / label).glob("[0-9]*.png"))
        for split, part in (("val", files[:3]), ("test", files[3:4] if label != HOSTILE else []), ("train", files[4:])):
            for file in part:
                target = pictures / split / label / file.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
    run_core(cache, "embed", "--dataset", str(pictures), "--models", MODEL)
    return cache


def outlined(page: AppTest) -> list[str]:
    """Class and model of the cell that has an outline."""
    figure = shown_chart(page, 0)
    shape = figure["layout"]["shapes"][0]
    markers = figure["data"][1]
    places = zip(markers["x"], markers["customdata"], strict=True)
    row = int(shape["y0"] + 0.5) * len(set(markers["x"]))
    return next(cell for x, cell in list(places)[row:] if x == shape["x0"] + 0.5)


def test_it_says_which_class_is_hardest_and_shows_what_is_behind_it(app: Open) -> None:
    page = app(PAGE)
    assert not page.exception
    assert "Hardest class by P@5: **" in texts(page)
    assert "Worst queries" in texts(page)
    hardest = shown_chart(page, 0)["data"][1]["customdata"][0]
    assert outlined(page) == hardest
    assert page.selectbox(key="class").placeholder == f"the hardest: {literal(hardest[0])}"


def test_one_model_is_compared_with_none(app: Open) -> None:
    page = app(PAGE)
    assert "Embed these images with a second model" in texts(page)
    assert "differ most" not in texts(page)
    assert not {"baseline", "against"} & {box.key for box in page.selectbox}


@pytest.mark.parametrize("title", ["P@k", "hit@1", "R-precision", "MAP@R", "Recall", "EER"])
def test_every_metric_has_a_link(title: str, app: Open, two_models: Path) -> None:
    page = app(PAGE, cache=two_models, class_metric=title)
    assert not page.exception
    assert not page.error
    metric = CLASS_METRICS[{"P@k": "precision_at_5"}.get(title, page.selectbox(key="class_metric").value)]
    assert f"Hardest class by {metric.title}: **" in texts(page)
    assert "The models differ most on" in texts(page)
    assert bool(page.slider) == (title == "P@k")
    # The model that sees nothing is never the better one.
    figure = shown_chart(page, 0)
    column = figure["layout"]["xaxis"]["ticktext"].index(OTHER.replace("_", "_<br>", 1))
    sums = [sum(float(row[place]) for row in figure["data"][0]["text"]) for place in (column, 1 - column)]
    assert (sums[0] > sums[1]) == (metric.better == "lower")


def test_the_cut_off_is_in_the_link_and_behind_the_cell(app: Open) -> None:
    page = app(PAGE, cutoff="2")
    assert page.slider(key="cutoff").value == 2
    assert "Hardest class by P@2" in texts(page)
    assert "each with its 2 most similar images" in texts(page)


def test_queries_of_validation_can_ask(app: Open) -> None:
    page = app(PAGE)
    assert "queries test" in texts(page)
    page.session_state["queries"] = "val"
    page.run()
    assert not page.exception
    assert "queries val" in texts(page)


@pytest.mark.parametrize("sort", ["spread", "name", "support"])
def test_classes_are_sorted(sort: str, app: Open, two_models: Path) -> None:
    page = app(PAGE, cache=two_models, sort=sort)
    cells = shown_chart(page, 0)["data"][1]["customdata"]
    names = [label for label, _ in cells[::2]]
    assert sorted(names) == sorted(CLASSES)
    if sort != "spread":
        assert names == sorted(CLASSES)  # all classes have as many queries


@pytest.mark.parametrize("label", CLASSES)
def test_a_cell_is_chosen_by_a_click_and_by_a_link(label: str, app: Open, two_models: Path) -> None:
    page = app(PAGE, cache=two_models, **{"class": literal(label), "class_model": OTHER})
    assert not page.exception
    assert outlined(page) == [label, OTHER]
    clicked = app(PAGE, cache=two_models)
    # What the callback does with the customdata of a marker; AppTest clicks no chart.
    clicked.session_state["class"], clicked.session_state["class_model"] = label, OTHER
    clicked.run()
    assert outlined(clicked) == [label, OTHER]
    assert texts(clicked) == texts(page)


def test_differences_to_a_baseline(app: Open, two_models: Path) -> None:
    page = app(PAGE, cache=two_models, baseline=MODEL, class_metric="MAP@R")
    assert not page.exception
    assert f"Of 3 differences to **{plain(MODEL)}**, 0 are better" in texts(page)
    assert f"A cell is its model less {plain(MODEL)}" in texts(page)
    cells, markers = shown_chart(page, 0)["data"]
    assert {model for _, model in markers["customdata"]} == {OTHER}
    assert all(text.startswith(("+", "-")) for row in cells["text"] for text in row)


def test_where_one_model_is_right_and_another_wrong(app: Open, two_models: Path) -> None:
    page = app(PAGE, cache=two_models, **{"class": "plain", "class_model": MODEL})
    assert page.selectbox(key="against").value == OTHER
    assert f"{plain(MODEL)} alone is right for" in texts(page)
    page.selectbox(key="class_model").select(OTHER).run()
    assert not page.exception
    assert page.selectbox(key="against").value == MODEL
    assert f"{plain(OTHER)} alone is right for" in texts(page)


def test_every_picture_leads_to_its_search(app: Open, workplace: Workplace) -> None:
    page = app(PAGE)
    links = [element.proto for element in page.get("page_link")]
    assert len(links) >= 2
    for link in links:
        (path,) = parse_qs(link.query_string)["image"]
        assert (workplace.pictures / path).is_file()
    assert any(":green[✓]" in link.label for link in links)


def test_a_wrong_answer_can_be_compared_with_its_query(app: Open, two_models: Path, workplace: Workplace) -> None:
    page = app(PAGE, cache=two_models, **{"class": "plain", "class_model": OTHER})
    links = [parse_qs(link.proto.query_string) for link in page.get("page_link") if link.proto.label == "Compare"]
    assert links
    for link in links:
        assert link["a"][0].startswith("plain/")
        assert not link["b"][0].startswith("plain/")
        assert (workplace.pictures / link["b"][0]).is_file()


def test_a_class_without_queries_says_so(app: Open, few_queries: Path) -> None:
    page = app(PAGE, cache=few_queries, **{"class": literal(HOSTILE)})
    assert not page.exception
    assert "1 class has no queries that count" in texts(page)
    assert "Nothing was retrieved: no query is of class" in texts(page)
    assert page.get("page_link") == []
    assert shown_chart(page, 0)["layout"]["yaxis"]["ticktext"][-1].endswith("(0)")


def test_queries_without_pairs_have_no_pair_metrics(app: Open, few_queries: Path) -> None:
    page = app(PAGE, cache=few_queries, class_metric="EER")
    assert not page.exception
    assert "make no pair of one class" in page.error[0].value


def test_names_never_become_markup(app: Open) -> None:
    page = app(PAGE, **{"class": literal(HOSTILE)})
    assert not page.exception
    words = [*page.markdown, *page.caption, *page.info]
    assert any(plain(HOSTILE) in element.value for element in words)
    assert not any(HOSTILE in element.value for element in words)
    assert not any(HOSTILE in link.proto.label + link.proto.help for link in page.get("page_link"))
    figure = shown_chart(page, 0)
    assert any(figure_text(HOSTILE)[:20] in label for label in figure["layout"]["yaxis"]["ticktext"])
    assert not any("<img" in text for text in (*figure["layout"]["yaxis"]["ticktext"], *figure["data"][1]["text"]))


def test_without_vectors_it_says_what_to_do(app: Open, empty: Path) -> None:
    page = app(PAGE, cache=empty)
    assert not page.exception
    assert "No model has embedded these images yet" in texts(page)
