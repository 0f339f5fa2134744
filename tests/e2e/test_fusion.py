"""Models added up by hand, learned, taken apart and saved, in a real browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import Server, serve, settle
from tests.workplace import Workplace, run_core

_OTHER = "efficientnet_lite0"
_LONG = 120_000
_SLIDERS = '[class*="st-key-w-"] input[type="range"]'
# Whether the first slider shows this, and all of them one.
_ADDED_UP = f"""first => {{
    const shown = [...document.querySelectorAll('{_SLIDERS}')].map(slider => +slider.value);
    return Math.abs(shown[0] - first) < 1e-6 && Math.abs(shown.reduce((a, b) => a + b) - 1) < 1e-6;
}}"""


@pytest.fixture(scope="module")
def fusion_server(workplace: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The dashboard on a copy of the workplace's cache, in which a second model has embedded the pictures."""
    place = tmp_path_factory.mktemp("fusion") / "cache"
    shutil.copytree(workplace.cache, place)
    run_core(place, "embed", "--dataset", str(workplace.pictures), "--models", _OTHER)
    with serve(place) as running:
        yield running


def weights(page: Page) -> list[float]:
    """What the sliders of the two models show."""
    return [float(one.input_value()) for one in page.locator(_SLIDERS).all()]


def test_from_sliders_to_a_model_on_the_threshold_page(fusion_server: Server, page: Page) -> None:
    page.goto(f"{fusion_server.url}/fusion")
    settle(page)
    slider = page.locator(_SLIDERS).first
    before = weights(page)
    slider.press("ArrowLeft")
    page.wait_for_url(re.compile("w-"))
    settle(page)
    after = weights(page)
    assert after[0] == pytest.approx(before[0] - 0.01)
    assert sum(after) == pytest.approx(1)
    for key, moved in (("ArrowLeft", after[0] - 0.01), ("Home", 0.0), ("End", 1.0)):
        slider.press(key)
        page.wait_for_function(_ADDED_UP, arg=moved)  # the slider moves at once, the others when the page has run
        settle(page)

    page.get_by_role("button", name="Learn").click()
    expect(page.get_by_text("On validation")).to_be_visible(timeout=_LONG)
    page.get_by_role("button", name="Equal").click()
    settle(page)
    assert weights(page) == [0.5, 0.5]
    page.get_by_role("button", name="Take it apart").click()
    expect(page.get_by_text("the best single model by validation: F1 on test is")).to_be_visible(timeout=_LONG)

    page.get_by_role("textbox", name="Save as").fill("mine")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("These weights are saved as")).to_be_visible()
    expect(page.get_by_test_id("stSidebar").get_by_text("mine", exact=True).first).to_be_visible()
    page.get_by_role("link", name="Threshold").click()
    settle(page)
    page.get_by_role("radio", name="mine").or_(page.get_by_role("button", name="mine", exact=True)).first.click()
    page.wait_for_url("**model=mine**")
    expect(page.get_by_text("you wrongly match")).to_be_visible()
