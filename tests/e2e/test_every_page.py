"""Every page, light and dark, on a desk and on a phone: it is drawn whole, it fits, and everybody can use it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import ROOT, Server, settle

_AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
_A, _B, _C = "mammals/cat.png", "mammals/tiger.png", "vehicles/bus.png"
_ADDRESSES = {  # of pages that show more when asked; of the others, the name alone
    "overview": "",
    "retrieval": f"retrieval?image={_A}",
    "pair": f"pair?a={_A}&b={_B}&evidence=true",
    "triplet": f"triplet?a={_A}&b={_B}&c={_C}",
    "map": f"map?map=efficientnet_lite0&image={_A}",
}
_SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
_RUN_AXE = """async () => (await axe.run()).violations
    .filter(one => ['serious', 'critical'].includes(one.impact))
    .flatMap(one => one.nodes.map(node => `${one.id}: ${node.html.slice(0, 200)}. ${node.failureSummary}`))"""


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "pages").glob("*.py")))
@pytest.mark.parametrize("width", [1440, 400])
def test_it_is_whole_fits_and_can_be_used_by_everybody(
    demo: Server, new_page: Callable[..., Page], name: str, width: int
) -> None:
    page = new_page(viewport={"width": width, "height": 900})
    page.goto(f"{demo.url}/{_ADDRESSES.get(name, name)}")
    for scheme in _SCHEMES:
        page.emulate_media(color_scheme=scheme)  # the page follows without being opened again
        settle(page)
        assert page.evaluate("getComputedStyle(document.querySelector('.stApp')).colorScheme") == scheme
        expect(page.locator("h1")).to_be_visible()
        expect(page.get_by_test_id("stException").or_(page.get_by_test_id("stAlertContentError"))).to_have_count(0)
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
        assert findings(page) == []


def findings(page: Page) -> list[str]:
    """What axe finds serious or critical, and why."""
    page.wait_for_function("document.getAnimations().length === 0")  # what fades in is pale until it has
    page.evaluate(_AXE)
    found: list[str] = page.evaluate(_RUN_AXE)
    return found
