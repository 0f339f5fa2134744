"""A model trained from the page, watched, left alone, and found again, in a real browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import Server, serve, settle
from tests.workplace import Workplace

_LONG = 240_000


@pytest.fixture
def train_server(workplace: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The dashboard on a copy of the workplace's cache."""
    place = tmp_path_factory.mktemp("train") / "cache"
    shutil.copytree(workplace.cache, place)
    with serve(place) as running:
        yield running


@pytest.mark.slow
def test_from_the_form_to_a_model_beside_the_others(
    train_server: Server, new_page: Callable[..., Page], page: Page
) -> None:
    page.goto(f"{train_server.url}/train")
    settle(page)
    expect(page.get_by_text("Nothing has been trained yet")).to_be_visible()
    page.get_by_text("triplet", exact=True).first.click()
    settle(page)
    name = page.get_by_role("textbox", name="Name of the new model")
    name.fill("mine")
    name.press("Enter")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible(timeout=_LONG)

    # Closing the window loses nothing: another one sees the run.
    page.close()
    other = new_page()
    other.goto(f"{train_server.url}/train")
    expect(other.get_by_text(re.compile(r"P@5 \d\.\d+ on test")).first).to_be_visible(timeout=_LONG)
    settle(other)
    other.goto(train_server.url)
    settle(other)
    expect(other.get_by_test_id("stSidebar").get_by_text("mine", exact=True).first).to_be_visible()
