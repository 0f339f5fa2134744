"""The browser and the server of the end-to-end tests; skipped, with the reason, where no Chromium is found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.browser import CHROMIUM, Server, chromium, serve
from tests.workplace import Workplace, workplace

__all__ = ["workplace"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and skip them without a browser."""
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker(pytest.mark.e2e)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium found: install the package chromium"))


@pytest.fixture(scope="session")
def server(workplace: Workplace) -> Iterator[Server]:
    """The dashboard on the workplace's cache."""
    with serve(workplace.cache) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh window."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()
