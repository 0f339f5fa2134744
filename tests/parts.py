"""Two models and a classifier that have looked at small pictures: all that can be added up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.embed import embed
from core.fusion import LABELS, Fusion
from core.fusion_parts import fusion_of
from core.metrics.grid import similarity
from core.records import Dataset
from core.store import EmbeddingStore
from core.vectors import split_rows, stored_vectors
from tests import pictures
from tests.fakes import fake, install

A, B, CLASSES = fake("fake-a", dim=24), fake("fake-b", dim=12, crop=24), fake("fake-classes", dim=1000)


@dataclass(frozen=True)
class Workbench:
    """A dataset of three classes, 24 images each, and everything that can be added up for it."""

    dataset: Dataset
    parts: Fusion
    store: EmbeddingStore


@pytest.fixture
def workbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """Made anew for each test."""
    install(monkeypatch)
    dataset, store = pictures.load(pictures.paint(tmp_path / "shapes", 24)), EmbeddingStore()
    embed(dataset, [A, B, CLASSES], store)
    return Workbench(dataset, fusion_of(dataset, [A, B], store, "min-max", CLASSES), store)


def slow_scores(bench: Workbench, part: str, split: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """What one part says of every pair of a split, pair by pair, and whether the pair is of one class."""
    data, rows = bench.dataset, split_rows(bench.dataset, split).tolist()
    scores, same = [], []
    for i, a in enumerate(rows):
        for b in rows[i + 1 :]:
            same.append(bool(data.labels[a] == data.labels[b]))
            if part == LABELS:
                assert bench.parts.labels is not None
                chances = stored_vectors(data, CLASSES, bench.store)[[a, b]] ** 2
                first, second = (chances @ bench.parts.labels.groups.share).argmax(1)
                scores.append(float(first == second))
            else:
                one = next(one for one in bench.parts.components if one.backbone.name == part)
                vectors = stored_vectors(data, one.backbone, bench.store)
                scores.append(float(one.normaliser(similarity(vectors[a], vectors[b]))))
    return np.array(scores), np.array(same)
