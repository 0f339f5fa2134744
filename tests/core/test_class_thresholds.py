"""Thresholds by class: rates against naive loops, and a verdict that does not see gains where there are none."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from core.class_thresholds import ClassThresholds, class_thresholds
from core.metrics.grid import to_bins
from core.records import Dataset
from core.store import EmbeddingStore
from core.thresholds import OBJECTIVES, Objective, choose
from core.verify import SplitPairs, verify
from tests.fakes import fake

A = fake("fake-a")


def dataset_of(spread: list[float], counts: tuple[int, int] = (30, 30), seed: int = 0) -> Dataset:
    """Classes of val and test images; class ``i`` scatters by ``spread[i]``, so that each wants its own threshold."""
    random = np.random.default_rng(seed)
    labels = np.repeat([f"class {i}" for i in range(len(spread))], sum(counts))
    splits = np.tile(np.repeat(["val", "test"], counts), len(spread))
    centres = np.eye(16)[: len(spread)]
    vectors = np.repeat(centres, sum(counts), axis=0)
    vectors = vectors + np.repeat(spread, sum(counts))[:, None] * random.standard_normal(vectors.shape)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = np.array([hashlib.sha256(vector.tobytes()).hexdigest()[:32] for vector in vectors])
    EmbeddingStore().append(A.fingerprint, ids.tolist(), vectors.astype(np.float32))
    return Dataset("ref", "Things", Path(), ids, ids, labels, splits)


def splits_of(dataset: Dataset) -> tuple[SplitPairs, SplitPairs]:
    val, test = (verify(dataset, A, EmbeddingStore(), split) for split in ("val", "test"))
    return val, test


def found_for(dataset: Dataset, objective: Objective, base_rate: float = 0.3) -> tuple[ClassThresholds, float]:
    val, test = splits_of(dataset)
    common = choose(val.verification, objective, base_rate).threshold
    return class_thresholds(val, test, EmbeddingStore(), objective, common, base_rate), common


def test_rates_are_those_of_a_naive_loop() -> None:
    dataset = dataset_of([0.1, 0.3, 0.5], (30, 9))
    found, common = found_for(dataset, Objective("f1"))
    rows = np.flatnonzero(dataset.splits == "test")
    stored = EmbeddingStore().load(A.fingerprint)
    vectors = stored.values[stored.rows(dataset.ids[rows])].astype(np.float64)
    bins = to_bins(vectors @ vectors.T)
    labels = dataset.labels[rows]
    for one in found.classes:
        for threshold, rates in ((common, one.common), (one.threshold, one.by_class)):
            limit = int(to_bins(threshold))
            same = [bins[i, j] < limit for i in range(len(rows)) for j in range(len(rows))
                    if i != j and labels[i] == labels[j] == one.label]  # fmt: skip
            different = [bins[i, j] >= limit for i in range(len(rows)) for j in range(len(rows))
                         if labels[i] == one.label != labels[j]]  # fmt: skip
            assert rates == (pytest.approx(np.mean(different)), pytest.approx(np.mean(same)))
        assert one.pairs == (30 * 29 // 2, 9 * 8 // 2)


def test_classes_that_scatter_unlike_gain_and_the_gain_is_the_difference() -> None:
    found, _ = found_for(dataset_of([0.05, 0.1, 0.3, 0.45]), Objective("accuracy"), 0.5)
    verdict = found.verdict
    assert verdict.gain.value == pytest.approx(verdict.by_class - verdict.common)
    assert verdict.pays is True
    assert len({one.threshold for one in found.classes}) == 4


def test_equal_classes_rarely_seem_to_gain() -> None:
    """The thresholds are noise of validation: on test they must not seem to pay in more than a few of 40 draws."""
    verdicts = [found_for(dataset_of([0.3] * 4, (12, 30), seed), Objective("youden"))[0].verdict for seed in range(40)]
    assert sum(verdict.pays is True for verdict in verdicts) <= 4
    assert sum(verdict.gain.value < 0 for verdict in verdicts) >= 20


@pytest.mark.slow
def test_the_interval_of_the_gain_is_as_wide_as_other_test_images_would_make_it() -> None:
    objective, gains, widths = Objective("accuracy"), [], []
    for seed in range(60):
        verdict = found_for(dataset_of([0.1, 0.25, 0.4], (100, 25), seed), objective, 0.5)[0].verdict
        gains.append(verdict.gain.value)
        widths.append(verdict.gain.high - verdict.gain.low)
    assert np.mean(widths) == pytest.approx(2 * 1.96 * np.std(gains), rel=0.3)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_has_a_verdict(name: str) -> None:
    limit = {"fmr": 0.02, "precision": 0.9}.get(name)
    found, _ = found_for(dataset_of([0.1, 0.3, 0.5]), Objective(name, limit, cost_fp=5))
    assert found.verdict.gain.low <= found.verdict.gain.value <= found.verdict.gain.high
    assert found.verdict.broken in ((True, False) if limit else (False,))


def test_a_class_with_few_pairs_keeps_the_common_threshold() -> None:
    found, common = found_for(dataset_of([0.1, 0.3], (8, 8)), Objective("f1"))
    assert [one.own for one in found.classes] == [False, False]
    assert [one.threshold for one in found.classes] == [common, common]
    assert found.verdict.pays is None
