"""How long from `streamlit run` to the first page: a new server, everything cached, a browser that is open already.

    python benchmarks/startup.py [--count N] [--repeats N] [--keep FOLDER]

The clock starts before the process does and stops when Chromium shows the overview: once its title, once the sentence
of the leaderboard. The same is measured, in turn, of a script that shows nothing but a title: what Streamlit and the
browser take by themselves. Memory is the server's, resident, after that. Exits with 1 if the median of the first is
above 2.5 s, the memory above 400 MB, or if torch is loaded.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from playwright.sync_api import Browser

from benchmarks.page_dataset import prepare
from core.paths import cache_dir
from tests.e2e.browser import chromium, serve, settle

CORES = len(os.sched_getaffinity(0))
SECONDS, MEGABYTES = 2.5, 400.0
FIRST, LEADERBOARD = "h1", "text=similar images are of the right class"


def start(browser: Browser) -> tuple[float, float, float, bool]:
    """Seconds to the first words and to the leaderboard, megabytes, and whether torch was loaded."""
    page = browser.new_context().new_page()
    page.set_default_timeout(300_000)  # the first one computes
    started = time.perf_counter()
    with serve(cache_dir(), PYTHONDONTWRITEBYTECODE="") as server:  # compiled once, as wherever it has run before
        page.goto(server.url)
        page.wait_for_selector(FIRST)
        first = time.perf_counter() - started
        page.wait_for_selector(LEADERBOARD)
        whole = time.perf_counter() - started
        settle(page)
        found = first, whole, server.memory_mb(), server.modules_loaded("libtorch")
    page.context.close()
    return found


def start_empty(browser: Browser, script: Path) -> float:
    """Seconds to the first words of a script of two lines."""
    script.write_text('import streamlit as st\nst.title("Nothing")\n', "utf-8")
    page = browser.new_context().new_page()
    started = time.perf_counter()
    with serve(cache_dir(), str(script)) as server:
        page.goto(server.url)
        page.wait_for_selector(FIRST)
        seconds = time.perf_counter() - started
    page.context.close()
    return seconds


def main() -> int:
    """Measure and print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="how many images (default: 10,000)")
    parser.add_argument("--repeats", type=int, default=5, help="how often the server is started (default: 5)")
    parser.add_argument("--keep", type=Path, help="a folder for images and cache, used again by the next run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, chromium() as browser:
        dataset = prepare((options.keep or Path(temporary)).absolute() / str(options.count), options.count)
        start(browser)  # computes what is not cached yet
        start_empty(browser, script := Path(temporary) / "empty.py")
        runs, empty = [], []
        for _ in range(options.repeats):
            runs.append(start(browser))
            empty.append(start_empty(browser, script))
    first, whole, memory, _ = np.median(np.array(runs, float), axis=0)
    print(f"{len(dataset):,} images, {CORES} cores, median of {options.repeats}")
    print(f"{'':32}{'median':>9}{'max':>9}{'budget':>9}")
    worst = np.array(runs, float).max(axis=0)
    print(f"{'first page, s':32}{first:9.2f}{worst[0]:9.2f}{SECONDS:9.2f}")
    print(f"{'its leaderboard, s':32}{whole:9.2f}{worst[1]:9.2f}")
    print(f"{'an empty page of Streamlit, s':32}{np.median(empty):9.2f}{max(empty):9.2f}")
    print(f"{'memory of the server, MB':32}{memory:9.0f}{worst[2]:9.0f}{MEGABYTES:9.0f}")
    torch = any(run[3] for run in runs)
    print(f"torch is {'LOADED' if torch else 'not loaded'}")
    return int(first > SECONDS or memory > MEGABYTES or torch)


if __name__ == "__main__":
    sys.exit(main())
