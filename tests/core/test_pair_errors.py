"""The worst pairs, against a naive loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core import pair_errors as module
from core.datasets import load_dataset
from core.embed import embed
from core.pair_errors import find_pair_errors
from core.store import EmbeddingStore
from core.vectors import class_codes, stored_vectors
from core.verify import verify
from tests import pictures
from tests.core.metrics.pair_data import all_pairs
from tests.fakes import fake, install

A = fake("fake-a", dim=24)


@pytest.mark.parametrize("kept", [5, 40, 100_000])
def test_they_are_the_worst_in_order(kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    monkeypatch.setattr(module, "KEPT", kept)
    monkeypatch.setattr(module, "SCORES_AT_ONCE", 200)
    dataset = load_dataset(str(pictures.paint(tmp_path / "shapes", {"circle": 14, "cross": 14, "square": 14})))
    store = EmbeddingStore()
    embed(dataset, [A], store)
    found = find_pair_errors(verify(dataset, A, store, "all"), store)
    scores, same = all_pairs(stored_vectors(dataset, A, store), class_codes(dataset))
    assert found.false_matches.scores == pytest.approx(np.sort(scores[~same])[::-1][:kept])
    assert found.false_non_matches.scores == pytest.approx(np.sort(scores[same])[:kept])
    labels = dataset.labels
    assert all(labels[a] != labels[b] for a, b in found.false_matches.rows)
    assert all(labels[a] == labels[b] for a, b in found.false_non_matches.rows)
    threshold = float(np.median(scores))
    matches, misses = found.at(threshold, 6)
    assert len(matches) <= 6
    assert (matches.scores >= threshold).all()
    assert (misses.scores < threshold).all()
    assert max(np.unique(matches.rows, return_counts=True)[1]) <= 2
