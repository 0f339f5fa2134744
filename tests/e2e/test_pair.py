"""Two images compared, in a real browser with the real classifier and detector."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.bad_images import bad_images
from tests.e2e.browser import Server, serve, settle
from tests.workplace import ROOT, Workplace

A, B = "plain/03.png", "square_*_/02.png"
_SAID = "Among pairs scoring like this"
_LONG = 120_000  # the first picture waits for two exports


@pytest.fixture(scope="module")
def cache(workplace: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, which may fill up with exports."""
    place = tmp_path_factory.mktemp("pair") / "cache"
    shutil.copytree(workplace.cache, place)
    return place


@pytest.fixture(scope="module")
def pair_server(cache: Path) -> Iterator[Server]:
    with serve(cache) as running:
        yield running


@pytest.fixture
def link(pair_server: Server) -> str:
    return f"{pair_server.url}/pair?a={quote(A)}&b={quote(B)}"


def answer(page: Page) -> str:
    """The sentence, without the ligatures of the font."""
    page.wait_for_selector(f"h2:has-text('{_SAID}')", timeout=_LONG)
    settle(page)
    return page.locator("h2").filter(has_text=_SAID).inner_text().replace("≥", ">=")


@pytest.mark.slow
def test_the_page_and_the_command_agree(link: str, cache: Path, workplace: Workplace, page: Page) -> None:
    page.goto(link)
    said = answer(page)
    files, result = [str(workplace.pictures / path) for path in (A, B)], cache.parent / "pair.json"
    run = subprocess.run(
        [sys.executable, "-m", "core", "compare", *files, "--json", str(result)], cwd=ROOT, check=True, text=True,
        env={**os.environ, "LIKENESS_CACHE": str(cache), "LIKENESS_WEIGHTS": ""}, capture_output=True,
    )  # fmt: skip
    assert run.stdout.splitlines()[0] == said
    images = page.locator("img[alt^='First image: '], img[alt^='Second image: ']")
    assert images.count() == 2
    found = re.findall(r"Found: (.+)$", images.first.get_attribute("alt") or "")
    boxes = [box for box in json.loads(result.read_text())["boxes"] if box["image"] == "a"]
    assert found == [", ".join(f"{box['label']} {box['confidence']:.0%}" for box in boxes) or "nothing"]


def test_both_uploads_at_once_are_compared_and_their_link_shows_them_again(
    pair_server: Server, workplace: Workplace, page: Page
) -> None:
    page.goto(f"{pair_server.url}/pair?a_from=Upload&b_from=Upload")
    settle(page)
    inputs = page.locator('input[type="file"]')
    for place, path in enumerate((A, B)):
        inputs.nth(place).set_input_files(workplace.pictures / path)
    said = answer(page)
    page.wait_for_url("**&b=**")
    page.goto(page.url)
    assert answer(page) == said


def test_hostile_files_get_a_message_and_the_page_lives_on(
    pair_server: Server, workplace: Workplace, page: Page
) -> None:
    page.goto(f"{pair_server.url}/pair?a_from=Upload&b={quote(B)}")
    settle(page)
    for name, data in list(bad_images().items())[::9]:
        file = {"name": name, "mimeType": "image/jpeg", "buffer": data}
        with page.expect_response(lambda answer: "/upload_file/" in answer.url and answer.request.method == "PUT"):
            page.locator('input[type="file"]').set_input_files(file)  # type: ignore[arg-type]
        settle(page)  # the message of the file before is there until then
        expect(page.get_by_text("First image: this file cannot be used")).to_be_visible()
    page.locator('input[type="file"]').set_input_files(workplace.pictures / A)
    answer(page)


def test_a_known_pair_and_an_error_of_the_threshold_page_are_a_click_away(
    pair_server: Server, link: str, page: Page
) -> None:
    page.goto(link)
    answer(page)
    before = page.url
    page.locator('[class*="st-key-compare-"] button:visible').first.click()
    page.wait_for_function(f"location.href !== {before!r}")
    answer(page)
    page.goto(f"{pair_server.url}/threshold?t=0.999")
    settle(page)
    page.get_by_role("link", name="Compare").first.click()
    page.wait_for_url("**/pair?**a=**")
    answer(page)


def test_the_keyboard_is_enough(link: str, page: Page) -> None:
    page.goto(link)
    first = answer(page)
    page.get_by_label("Its path, or the end of it").first.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("square_*_/05.png")
    page.keyboard.press("Enter")
    page.wait_for_url("**05.png**")
    assert answer(page) != first
    page.get_by_role("switch", name="Compare the crops").focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("Cropping moves the score").or_(page.get_by_text("nothing found")).first).to_be_visible()
