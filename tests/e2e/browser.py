"""A real server and a real browser for the tests and for the README's pictures."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# WebGL, which maps of points are drawn with, in software: the last two say so.
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync", "--use-angle=swiftshader",
          "--enable-unsafe-swiftshader"]  # fmt: skip
expect.set_options(timeout=30_000)  # a busy machine takes longer than Playwright's 5 s


@dataclass(frozen=True)
class Server:
    """A running dashboard."""

    url: str
    pid: int

    def modules_loaded(self, name: str) -> bool:
        """Whether the process has mapped a shared library with this in its name."""
        return name in Path(f"/proc/{self.pid}/maps").read_text()

    def memory_mb(self) -> float:
        """Resident memory, in megabytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1000


@contextlib.contextmanager
def serve(cache: Path, script: str = "dashboard/app.py", **environment: str) -> Iterator[Server]:
    """``streamlit run`` of the dashboard, or of another script, on a free port with this cache."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port),
         "--server.address", "127.0.0.1"],
        cwd=ROOT, env={**os.environ, "LIKENESS_WEIGHTS": "", "LIKENESS_CACHE": str(cache), **environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                break
            time.sleep(0.02)
        yield Server(url, process.pid)
    finally:
        process.terminate()
        process.wait(60)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Headless Chromium, as the machine has it."""
    assert CHROMIUM is not None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        yield browser
        browser.close()


def settle(page: Page) -> None:
    """Wait until the page has been drawn and nothing runs any more."""
    page.wait_for_selector("h1", timeout=60_000)
    page.wait_for_timeout(200)
    page.wait_for_selector('[data-testid="stStatusWidget"]', state="detached", timeout=60_000)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=60_000)
    page.wait_for_function("!document.querySelector('[data-testid=\"stSkeleton\"]')", timeout=60_000)
    page.wait_for_timeout(100)
