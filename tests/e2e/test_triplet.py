"""The triplet page in a real browser."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.bad_images import bad_images
from tests.e2e.browser import Server, settle
from tests.workplace import HOSTILE, Workplace

_ANSWER = 'h2:has-text("Yes:"), h2:has-text("No:")'
_TWO = f"a={quote('plain/03.png')}&b={quote('square_*_/02.png')}"
_LINK = f"/triplet?{_TWO}&c={quote('plain/05.png')}"


def test_a_view_is_a_link_that_reopens_it(server: Server, page: Page) -> None:
    page.goto(server.url + _LINK)
    settle(page)
    page.get_by_role("radio", name="Euclidean distance").or_(
        page.get_by_role("button", name="Euclidean distance")
    ).first.click()
    page.wait_for_url("**unit=**")
    expect(page.get_by_text("Two match up to a distance of")).to_be_visible()  # the slider is another one now
    settle(page)
    page.get_by_role("slider").first.press("ArrowLeft")
    page.wait_for_url(re.compile(r"[?&]t="))
    settle(page)
    said, units = (page.locator(_ANSWER).inner_text(), page.get_by_text("is Euclidean distance").inner_text())
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    settle(page)
    assert page.locator(_ANSWER).inner_text() == said
    assert page.get_by_text("is Euclidean distance").inner_text() == units


def test_the_keyboard_alone_chooses_three_images_and_moves_the_threshold(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/triplet")
    settle(page)
    draw = page.get_by_role("button", name="Draw a test triplet")
    for _ in range(60):
        page.keyboard.press("Tab")
        if draw.evaluate("node => node === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.wait_for_selector(_ANSWER)
    settle(page)
    slider = page.get_by_role("slider").first
    for _ in range(60):
        page.keyboard.press("Tab")
        if slider.evaluate("node => node === document.activeElement"):
            break
    before = page.get_by_text("is Euclidean distance").inner_text()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile(r"[?&]t="))
    settle(page)
    assert page.get_by_text("is Euclidean distance").inner_text() != before
    expect(page.get_by_role("button", name="Back to")).to_be_visible()


@pytest.mark.slow
def test_hostile_files_get_a_message_and_the_page_lives_on(server: Server, workplace: Workplace, page: Page) -> None:
    for name, data in list(bad_images().items())[::8]:
        page.goto(f"{server.url}/triplet?{_TWO}&c_from=Upload")
        settle(page)
        file = {"name": name, "mimeType": "image/jpeg", "buffer": data}
        page.locator('input[type="file"]').set_input_files(file)  # type: ignore[arg-type]
        expect(page.get_by_text("This file cannot be used")).to_be_visible()
    page.locator('input[type="file"]').set_input_files(workplace.pictures / "plain" / "05.png")
    page.wait_for_selector(_ANSWER)
    settle(page)
    said = page.locator(_ANSWER).inner_text()
    page.goto(page.url)
    settle(page)
    assert page.locator(_ANSWER).inner_text() == said


def test_names_are_text_and_a_narrow_window_does_not_scroll_sideways(server: Server, page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto(f"{server.url}/triplet?{_TWO}&c={quote(HOSTILE + '/01.png')}")
    settle(page)
    expect(page.locator(_ANSWER)).to_be_visible()
    expect(page.get_by_text(HOSTILE, exact=True).locator("visible=true").first).to_be_visible()
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 400
