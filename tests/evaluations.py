"""Evaluations of random vectors, without images or networks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from core import evaluate as module
from core.evaluate import Evaluation, Protocol, evaluate
from core.latency import Latency
from core.records import Dataset
from core.store import EmbeddingStore
from tests.fakes import fake

_TEST = Protocol()
_SPLITS = ("train", "test", "val")


def evaluated(
    monkeypatch: pytest.MonkeyPatch,
    sizes: Mapping[str, tuple[int, ...]],
    noise: dict[str, float],
    protocol: Protocol = _TEST,
) -> Evaluation:
    """Models that see every class as a direction with noise of their own; images of all classes are mixed.

    Args:
        monkeypatch: gives every model the same latency.
        sizes: train, test and, if wanted, val images of each class.
        noise: of each model: 0 retrieves perfectly, 3 badly.
        protocol: which split asks and which answers.
    """
    monkeypatch.setattr(module, "measure", lambda backbone: Latency(1.5, 2.5, "here"))
    rng = np.random.default_rng(0)
    labels = np.repeat(list(sizes), [sum(counts) for counts in sizes.values()])
    splits = np.concatenate([np.repeat(_SPLITS[: len(counts)], counts) for counts in sizes.values()])
    rows = np.arange(len(labels))
    mixed = rng.permutation(rows)
    paths, ids = (np.array([form.format(row) for row in rows]) for form in ("{:05}.png", "{:032x}"))
    dataset = Dataset("random", "random", Path("/nowhere"), ids, paths, labels[mixed], splits[mixed])
    centres = rng.standard_normal((len(sizes), 16))[np.searchsorted(dataset.classes, dataset.labels)]
    store = EmbeddingStore()
    for name, amount in noise.items():
        vectors = centres + amount * rng.standard_normal(centres.shape)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        store.append(fake(name).fingerprint, ids.tolist(), vectors.astype(np.float32))
    return evaluate(dataset, [fake(name) for name in noise], store, protocol)
