"""The triplet page in each of its states."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import uploads
from core.cli import main
from dashboard.triplet_setting import DISTANCE, PAIRS, TRIPLETS
from tests import pictures
from tests.bad_images import bad_images
from tests.fakes import install
from tests.pages.conftest import texts
from tests.workplace import HOSTILE, MODEL, Workplace

Open = Callable[..., AppTest]
LINK = {"a": "plain/03.png", "b": "square_*_/02.png", "c": "plain/05.png"}


def used(page: AppTest) -> float:
    """The threshold that the page says it uses, as a similarity."""
    found = re.search(r"Similarity s ≥ \*\*(-?[\d.]+)\*\*", texts(page))
    assert found
    return float(found[1])


def test_with_nothing_chosen_it_says_what_to_do_and_how_far_to_trust_it(app: Open) -> None:
    page = app("triplet")
    assert not page.exception
    assert "Choose three images above" in texts(page)
    assert "test triplets (seed 0; half hold a match) are told right" in texts(page)
    report = next(table.value for table in page.dataframe if "Support" in table.value)
    assert report[""].tolist() == ["match", "no match", "accuracy", "macro avg", "weighted avg"]
    assert report["Support"].tolist() == [3, 3, 6, 6, 6]


def test_a_link_opens_three_images_with_the_answer(app: Open) -> None:
    page = app("triplet", **LINK)
    assert not page.exception
    assert re.search(r"## (Yes|No)", texts(page))
    assert f"Decided by {MODEL}" in texts(page).replace("\\", "")
    pairs = next(table.value for table in page.dataframe if "pair" in table.value)
    assert pairs["pair"].tolist() == ["A and B", "A and C", "B and C"]
    assert (pairs["answer"] == "same").tolist() == (pairs["similarity"] >= used(page)).tolist()
    assert pairs["distance"].tolist() == pytest.approx(((2 - 2 * pairs["similarity"]) ** 0.5).tolist())


def test_the_dataset_says_whether_it_is_right(app: Open) -> None:
    page = app("triplet", **LINK, t="1.0")
    assert "No: no two match" in texts(page).replace("\\", "")
    assert "plain, square_*_, plain, so this is wrong" in texts(page).replace("\\", "")


def test_the_same_image_three_times_matches(app: Open) -> None:
    page = app("triplet", a=LINK["a"], b=LINK["a"], c=LINK["a"])
    assert "Yes: all three match" in texts(page).replace("\\", "")


def test_two_of_three_matches_are_called_a_contradiction(app: Open) -> None:
    page = app("triplet", **LINK)
    scores = sorted(next(table.value for table in page.dataframe if "pair" in table.value)["similarity"])
    page = app("triplet", **LINK, t=f"{(scores[0] + scores[1]) / 2:.4f}")
    assert "Where two pairs are of one class, so is the third" in texts(page)


def test_a_threshold_is_the_same_as_a_similarity_and_as_a_distance(app: Open) -> None:
    page = app("triplet", **LINK)
    chosen = used(page)
    page.button_group(key="unit").set_value(DISTANCE).run()
    assert not page.exception
    assert page.slider(key="_distance").value == pytest.approx((2 - 2 * chosen) ** 0.5, abs=1e-4)
    assert used(page) == chosen
    assert not any(button.label.startswith("Back to") for button in page.button)
    page.slider(key="_distance").set_value(1.0).run()
    assert used(page) == 0.5
    page.button_group(key="unit").set_value("Similarity").run()
    assert page.slider(key="_similarity").value == 0.5
    next(button for button in page.button if button.label.startswith("Back to")).click().run()
    assert used(page) == chosen


def test_the_threshold_can_follow_triplets(app: Open) -> None:
    page = app("triplet", **LINK)
    said = texts(page)
    pairs, three = re.findall(r"chosen for (?:single pairs, |three images, )([\d.]+)", said)
    assert used(page) == pytest.approx(float(pairs), abs=1e-4)
    page.button_group(key="basis").set_value(TRIPLETS).run()
    assert used(page) == pytest.approx(float(three), abs=1e-4)
    page.button_group(key="basis").set_value(PAIRS).run()
    assert used(page) == pytest.approx(float(pairs), abs=1e-4)


def test_another_suggestion_takes_the_place_of_a_threshold_that_was_set(app: Open) -> None:
    page = app("triplet", **LINK, t="0.99")
    assert used(page) == 0.99
    page.button_group(key="basis").set_value(TRIPLETS).run()
    assert used(page) != 0.99
    assert page.slider(key="_similarity").value == pytest.approx(used(page), abs=1e-4)


def test_number_and_seed_of_the_triplets_are_in_the_link(app: Open) -> None:
    page = app("triplet", triplets="4", seed="7")
    assert not page.exception
    assert "of 4 test triplets (seed 7;" in texts(page)


@pytest.mark.parametrize(
    "link", [{"triplets": "99999999"}, {"seed": "-1"}, {"t": "nan"}, {"t": "x"}, {"basis": "x"},
             {"decider": "nobody"}, {"unit": "miles"}, {"t": "1e9"}],
)  # fmt: skip
def test_a_link_that_makes_no_sense_opens_all_the_same(link: dict[str, str], app: Open) -> None:
    page = app("triplet", **LINK, **link)
    assert not page.exception
    assert -1 <= used(page) <= 1
    assert re.search(r"## (Yes|No)", texts(page))


def test_a_triplet_of_test_images_is_drawn(app: Open) -> None:
    page = app("triplet")
    next(button for button in page.button if button.label == "Draw a test triplet").click().run()
    assert not page.exception
    assert re.search(r"## (Yes|No)", texts(page))
    assert all(page.text_input(key=f"{key}_path").value for key in "abc")


def test_every_bad_file_gives_a_message_and_the_page_lives_on(app: Open, workplace: Workplace) -> None:
    files = bad_images()
    page = app("triplet", a=LINK["a"], c=LINK["c"], b_from="Upload")
    for name, data in files.items():
        page.file_uploader[0].set_value([(f"{name}.jpg", data, "image/jpeg")])
        page.run()
        assert not page.exception, name
        assert "This file cannot be used" in texts(page), name
        assert "Choose three images above" in texts(page), name
    page.file_uploader[0].set_value(
        [("photo.png", (workplace.pictures / "plain" / "05.png").read_bytes(), "image/png")]
    )
    page.run()
    assert "This file cannot be used" not in texts(page)
    assert re.search(r"## (Yes|No)", texts(page))
    assert "The dataset calls them" not in texts(page)  # of an upload the class is not known


def test_a_link_to_an_upload_shows_it_again(app: Open, workplace: Workplace) -> None:
    app("triplet")
    key = uploads.keep((workplace.pictures / "plain" / "07.png").read_bytes())
    assert re.search(r"## (Yes|No)", texts(app("triplet", a=LINK["a"], b=LINK["b"], c=key)))
    assert "no longer kept" in texts(app("triplet", a=LINK["a"], b=LINK["b"], c="0" * 32))


def test_names_never_become_markup(app: Open) -> None:
    page = app("triplet", a=f"{HOSTILE}/01.png", b=f"{HOSTILE}/02.png", c=LINK["c"])
    assert not page.exception
    assert HOSTILE not in texts(page)
    assert re.search(r"## (Yes|No)", texts(page))


def test_without_vectors_it_says_what_to_do(app: Open, empty: Path) -> None:
    page = app("triplet", cache=empty)
    assert not page.exception
    assert "No model has embedded these images yet" in texts(page)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"circle": 20, "cross": 20}, "a triplet without a match needs three"),
        ({"circle": 20}, "All images are of one class"),
    ],
)
def test_too_few_classes_are_said_in_words(
    counts: dict[str, int], said: str, app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    monkeypatch.setenv("LIKENESS_CACHE", str(tmp_path / "few-cache"))
    assert main(["embed", "--dataset", str(pictures.paint(tmp_path / "few", counts)), "--models", MODEL]) == 0
    page = app("triplet", cache=tmp_path / "few-cache", a="circle/0001.png", b="circle/0002.png", c="circle/0003.png")
    assert not page.exception
    assert said in texts(page).replace("\\", "")
    assert bool(re.search(r"## (Yes|No)", texts(page))) == (len(counts) > 1)


def test_a_pair_head_decides_without_distances(app: Open, paired: Path) -> None:
    page = app("triplet", cache=paired, **LINK, models=[MODEL], decider="tuned_pairs")
    assert not page.exception
    assert not page.error
    said = texts(page).replace("\\", "")
    assert "Decided by tuned_pairs." in said
    assert "The score of a fusion or of a pair head is no cosine" in said
    pairs = next(table.value for table in page.dataframe if "pair" in table.value)
    assert "distance" not in pairs
    assert pairs["similarity"].between(0, 1).all()
