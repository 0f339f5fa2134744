"""Opens the app without a browser."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from core import evaluate
from core.backbones import available
from core.latency import Latency
from core.store import EmbeddingStore
from tests.fakes import install
from tests.pair_heads import checkpoint
from tests.workplace import MODEL, ROOT, Workplace, workplace

__all__ = ["workplace"]
OTHER = "efficientnet_lite0"


@pytest.fixture(scope="session", autouse=True)
def _packages_looked_through_once() -> Iterator[None]:
    """Whenever an app starts, Streamlit looks through all installed packages for components, most of a second long."""
    once = functools.cache(manifest_scanner.scan_component_manifests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", once)
        yield


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache in which no model has embedded anything. Shared, since drawing the demo dataset takes a few seconds."""
    return tmp_path_factory.mktemp("empty")


@pytest.fixture
def app(workplace: Workplace, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., AppTest]]:
    """Opens the app: ``app("retrieval", image="plain/00.png")`` is a page and its link."""
    monkeypatch.setenv("LIKENESS_CACHE", str(workplace.cache))

    def open_page(page: str = "overview", cache: Path | None = None, **link: str | list[str]) -> AppTest:
        if cache is not None:
            monkeypatch.setenv("LIKENESS_CACHE", str(cache))
        test = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=60)
        for name, value in link.items():
            test.query_params[name] = value
        return (test if page == "overview" else test.switch_page(f"../pages/{page}.py")).run()

    st.cache_data.clear()
    st.cache_resource.clear()
    yield open_page
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def own(workplace: Workplace, tmp_path: Path) -> Path:
    """A copy of the workplace's cache that a test may change."""
    place = tmp_path / "own"
    shutil.copytree(workplace.cache, place)
    return place


@pytest.fixture
def two_models(workplace: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache in which a second model, which sees nothing, has embedded the pictures too."""
    place = tmp_path / "two"
    shutil.copytree(workplace.cache, place)
    store, models = EmbeddingStore(place), available()
    keys = sorted(store.keys(models[MODEL].fingerprint))
    noise = np.random.default_rng(0).standard_normal((len(keys), models[OTHER].spec.dim))
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    store.append(models[OTHER].fingerprint, keys, noise.astype(np.float32))
    latencies = {MODEL: Latency(8.0, 9.0, "here"), OTHER: Latency(2.0, 3.0, "here")}
    monkeypatch.setattr(evaluate, "measure", lambda backbone: latencies[backbone.name])
    return place


@pytest.fixture
def paired(workplace: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache in which a checkpoint with a pair head, ``tuned``, has embedded the pictures too."""
    place = tmp_path / "paired"
    shutil.copytree(workplace.cache, place)
    monkeypatch.setenv("LIKENESS_CACHE", str(place))
    checkpoint(place / "checkpoints", "tuned", available()[MODEL].spec.dim)
    store, models = EmbeddingStore(place), available()
    vectors = store.load(models[MODEL].fingerprint)
    store.append(models["tuned"].fingerprint, vectors.keys.tolist(), vectors.values)
    monkeypatch.setattr(evaluate, "measure", lambda backbone: Latency(8.0, 9.0, "here"))
    install(monkeypatch)
    return place


def shown_chart(page: AppTest, number: int) -> dict[str, Any]:
    """A Plotly figure of the page, as the browser gets it."""
    found: dict[str, Any] = json.loads(page.get("plotly_chart")[number].proto.spec)
    return found


def texts(test: AppTest) -> str:
    """All that a page says in words."""
    elements = [*test.markdown, *test.caption, *test.info, *test.warning, *test.error, *test.title, *test.success]
    return "\n".join(element.value for element in elements)
