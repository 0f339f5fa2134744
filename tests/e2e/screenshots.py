"""Makes the pictures in ``docs/`` that the README shows: ``make screenshots``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from core.backbones import available
from core.paths import cache_dir
from tests.e2e.browser import ROOT, chromium, serve, settle

_QUERY = "mammals/cat.png"
_TRAINED = "efficientnet_lite0_triplet"
_VIEWS = {
    "overview": ("/?dataset=demo", "light", 1150),
    "overview-dark": ("/?dataset=demo", "dark", 1150),
    "retrieval": (f"/retrieval?dataset=demo&image={_QUERY}", "light", 1250),
    "threshold": ("/threshold?dataset=demo&model=efficientnet_lite0", "light", 1500),
    "per_class": ("/per_class?dataset=demo", "light", 1500),
    "pair": (f"/pair?dataset=demo&a={_QUERY}&b=mammals/tiger.png", "light", 1500),
    "triplet": (f"/triplet?dataset=demo&a={_QUERY}&b=mammals/dog.png&c=vehicles/bus.png", "light", 1300),
    "fusion": ("/fusion?dataset=demo", "light", 1200),
    "map": (f"/map?dataset=demo&map=efficientnet_lite0&beside={_TRAINED}&image={_QUERY}", "light", 1500),
    "data": ("/data?dataset=demo&part=Label+suspects", "light", 1200),
    "train": ("/train?dataset=demo", "light", 1500),
}


def main() -> None:
    """Embed the demo and train a model on it where needed, then photograph each view."""
    cache = cache_dir()
    _run("embed", "--dataset", "demo", "--models", "all", "--labels")
    if _TRAINED not in available():
        _run("train", "triplet", "--fast", "--dataset", "demo", "--model", "efficientnet_lite0", "--name", _TRAINED)
    _run("project", "--dataset", "demo")
    target = ROOT / "docs"
    target.mkdir(exist_ok=True)
    with serve(cache) as server, chromium() as browser:
        for name, (path, scheme, height) in _VIEWS.items():
            page = browser.new_page(viewport={"width": 1280, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(server.url + path)
            settle(page)
            page.wait_for_timeout(1500)
            page.screenshot(path=target / f"{name}.png")
            print(Path("docs") / f"{name}.png")
            page.close()
        report = cache / "report.html"
        _run("report", "--dataset", "demo", "--out", str(report))
        page = browser.new_page(viewport={"width": 1280, "height": 1500})
        page.goto(report.as_uri())
        page.screenshot(path=target / "report.png")
        page.close()


def _run(*arguments: str) -> None:
    command = [sys.executable, "-m", "core", *arguments, "--offline"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "LIKENESS_WEIGHTS": ""}, check=True)


if __name__ == "__main__":
    main()
