"""How long a page takes to answer: a real server, a dataset of many images, everything cached.

    python benchmarks/page_rerun.py [--count N] [--pages threshold overview ...] [--keep FOLDER]

Measured for each page:

- open: in Chromium, from the address to the last change of the page; first of a new server, whose results are on disk,
  then in a second window;
- script: over the websocket that browsers use, from the request to the last message of the run. On the threshold page
  each run has the slider at another value; elsewhere the page is run again as it is, with images chosen where it takes
  any;
- sentence (threshold page): in Chromium, from the key that moves the slider until the sentence with the new number has
  been painted;
- at rest (threshold page): from that key to the last change of the page, its charts included.

The budget is for the 95th percentile of every page's script. Exits with 1 if any is above it, or if a sentence has
another false match rate than core for its threshold.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from itertools import accumulate, cycle, islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from playwright.sync_api import Browser, Page

from benchmarks.page_dataset import CLASSES, MODEL, prepare
from benchmarks.page_session import PageSession, page_session
from core.backbones import available
from core.metrics.verification import Verification
from core.paths import cache_dir
from core.projection import project
from core.records import Dataset
from core.store import EmbeddingStore
from core.verify import verify
from dashboard.text import share
from tests.e2e.browser import ROOT, Server, chromium, serve

CORES = len(os.sched_getaffinity(0))
BUDGETS_MS = {10_000: 200.0, 100_000: 400.0}  # by the most images that each is for
SLIDER_PAGE, SLIDER = "threshold", "Threshold"
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))
ADDRESSES = {  # of other pages: the name alone
    "overview": ("", ""),
    "retrieval": ("retrieval", "image=000000.jpg"),
    "pair": ("pair", "a=000000.jpg&b=000001.jpg"),
    "triplet": ("triplet", "a=000000.jpg&b=000001.jpg&c=000002.jpg"),
    "map": ("map", f"map={MODEL}&image=000000.jpg&classes=true"),
    "data": ("data", f"part=Label+suspects&looks={MODEL}"),
    SLIDER_PAGE: (SLIDER_PAGE, f"model={MODEL}"),
}
KEYS = (*["ArrowRight"] * 3, "PageUp", *["ArrowRight"] * 3, "PageDown")
STEPS = (*[0.0001] * 3, 0.1, *[0.0001] * 3, -0.1)
WARM_UP = 8
PATIENCE_MS = 900_000
QUIET_MS = 500
SENTENCE = re.compile(r"At (-?\d\.\d+) you wrongly match (\d+\.\d%)")

# Keeps the times of the last key, of the painting of a changed sentence after it, and of the page's last change.
WATCH = """
(() => {
    const sentence = () => [...document.querySelectorAll('.stMain p')]
        .map(one => one.textContent).find(text => text.includes('you wrongly match'));
    const watch = window.watch = {sentence, last: 0};
    addEventListener('keydown', event => Object.assign(watch, {
        pressed: event.timeStamp, before: sentence(), changed: false, painted: null
    }), true);
    new MutationObserver(() => {
        watch.last = performance.now();
        if (watch.before && !watch.changed && sentence() !== watch.before) {
            watch.changed = true;
            requestAnimationFrame(() => setTimeout(() => watch.painted = performance.now()));
        }
    }).observe(document, {subtree: true, childList: true, characterData: true});
})();
"""
AT_REST = f"""
document.querySelector('.stMain h1') && performance.now() - watch.last > {QUIET_MS}
    && document.querySelector('[data-testid="stApp"]').dataset.testScriptState === 'notRunning'
"""


@dataclass(frozen=True)
class Move:
    """A key press on the slider: milliseconds until the sentence was painted and until the page was at rest."""

    sentence_ms: float
    rest_ms: float
    threshold: float
    text: str


def opened(browser: Browser, server: Server, name: str) -> tuple[Page, float]:
    """A new window with a page, and milliseconds from its address to the last change of the page."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.add_init_script(WATCH)
    page.goto(server.url + "/{}?{}".format(*ADDRESSES.get(name, (name, ""))), timeout=PATIENCE_MS)
    page.wait_for_function(AT_REST, timeout=PATIENCE_MS, polling=100)
    return page, float(page.evaluate("watch.last"))


def moves(page: Page, count: int) -> list[Move]:
    """What each key press on the slider took, each on a page at rest, after a few to warm up."""
    slider = page.locator(f'input[type="range"][aria-label="{SLIDER}"]')
    slider.focus()
    found = []
    for key in islice(cycle(KEYS), WARM_UP + count):
        page.keyboard.press(key)
        page.wait_for_function("watch.painted", timeout=PATIENCE_MS, polling=100)
        page.wait_for_function(AT_REST, timeout=PATIENCE_MS, polling=100)
        painted, last, text = page.evaluate(
            "[watch.painted - watch.pressed, watch.last - watch.pressed, watch.sentence()]"
        )
        found.append(Move(painted, last, float(slider.input_value()), text))
    return found[WARM_UP:]


def runs(session: PageSession, count: int) -> tuple[list[float], list[tuple[float, str]]]:
    """Milliseconds of each run of the script after a few to warm up, and thresholds with their sentences."""
    first = session.run()
    slider = first.sliders.get(SLIDER)
    if slider is None:
        return [session.run().ms for _ in range(WARM_UP + count)][WARM_UP:], []
    steps = islice(cycle(STEPS), WARM_UP + count)
    # The optimum may lie between two steps of the slider; from there on it moves as the browser's does.
    start = round((slider.value or slider.default)[0], 4)
    values = [round(value, 4) for value in accumulate(steps, initial=start)][1:]
    found = [session.run(slider, value) for value in values]
    return [run.ms for run in found][WARM_UP:], list(zip(values, ["\n".join(run.texts) for run in found], strict=True))


def wrong(pairs: Verification, said: list[tuple[float, str]]) -> list[str]:
    """The sentences that have another threshold, or another false match rate than core for it."""
    found = []
    for threshold, text in said:
        match = SENTENCE.search(text.replace("*", "").replace("\\", ""))
        if not match or match.groups() != (f"{threshold:.4f}", share(pairs.rates(threshold)[0])):
            found.append(f"{threshold}: {match[0] if match else 'no sentence'}")
    return found


def line(name: str, values: list[float], budget: float | None = None) -> bool:
    """Print a row of the table; whether the 95th percentile is within the budget, if there is one."""
    median, high, most = np.percentile(values, [50, 95, 100])
    print(f"{name:34}{median:9.0f}{high:9.0f}{most:9.0f}{'' if budget is None else f'{budget:9.0f}'}", flush=True)
    return budget is None or bool(high <= budget)


def measure(dataset: Dataset, server: Server, browser: Browser, name: str, count: int) -> bool:
    """Print what a page takes; whether it keeps its budget and says what is so."""
    budget = BUDGETS_MS[min(BUDGETS_MS, key=lambda most: (most < len(dataset), most))]
    line(f"{name}: first open", [opened(browser, server, name)[1]])
    page, again = opened(browser, server, name)
    line(f"{name}: open again", [again])
    if name != SLIDER_PAGE:
        page.context.close()
    with page_session(server.url, *ADDRESSES.get(name, (name, ""))) as session:
        times, said = runs(session, count)
    kept = line(f"{name}: script", times, budget)
    if name != SLIDER_PAGE:
        return kept
    moved = moves(page, count)
    line(f"{name}: sentence", [move.sentence_ms for move in moved])
    line(f"{name}: at rest", [move.rest_ms for move in moved])
    page.context.close()
    said += [(move.threshold, move.text) for move in moved]
    odd = wrong(verify(dataset, available()[MODEL], EmbeddingStore(), "test").verification, said)
    print(f"{len(said) - len(odd)} of {len(said)} sentences have the false match rate of core", *odd[:3], sep="\n  ")
    return kept and not odd


def main() -> int:
    """Measure and print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="how many images (default: 10,000)")
    parser.add_argument("--pages", nargs="+", default=PAGES, help="which pages (default: all)")
    parser.add_argument("--reruns", type=int, default=48, help="of each page (default: 48)")
    parser.add_argument("--keep", type=Path, help="a folder for images and cache, used again by the next run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        dataset = prepare((options.keep or Path(temporary)).absolute() / str(options.count), options.count)
        project(dataset, available()[MODEL], EmbeddingStore())
        with serve(cache_dir()) as server, chromium() as browser:  # computes what is not cached yet
            for name in options.pages:
                opened(browser, server, name)[0].context.close()
        load = os.getloadavg()[0]
        print(f"{len(dataset):,} images, {CLASSES} classes, {options.reruns} reruns, {CORES} cores, load {load:.1f}")
        print(f"{'milliseconds':34}{'median':>9}{'p95':>9}{'max':>9}{'budget':>9}")
        with serve(cache_dir()) as server, chromium() as browser:
            kept = [measure(dataset, server, browser, name, options.reruns) for name in options.pages]
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main())
