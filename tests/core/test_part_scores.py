"""Scores of parts are those of pairs looked at one by one, and curves count them."""

from __future__ import annotations

import numpy as np
import pytest

from core import part_scores as module
from core.errors import LikenessError
from core.fusion import LABELS
from core.part_scores import PartScores, part_scores
from core.store import EmbeddingStore
from tests.parts import Workbench, slow_scores, workbench

__all__ = ["workbench"]


def test_every_pair_is_scored_by_every_part(workbench: Workbench) -> None:
    found = part_scores(workbench.dataset, workbench.parts, workbench.store, "test")
    assert found.names == ("fake-a", "fake-b", LABELS)
    assert found.complete
    for column, name in enumerate(found.names):
        scores, same = slow_scores(workbench, name, "test")
        assert np.sort(found.same[:, column]) == pytest.approx(np.sort(scores[same]), abs=5e-6)
        assert np.sort(found.different[:, column]) == pytest.approx(np.sort(scores[~same]), abs=5e-6)
    assert found.pairs == (same.sum(), (~same).sum())
    assert found.base_rate == same.mean()


def test_the_parts_of_one_pair_stand_in_one_row(workbench: Workbench) -> None:
    found = part_scores(workbench.dataset, workbench.parts, workbench.store, "test")
    slow = [slow_scores(workbench, name, "test") for name in found.names]
    same = slow[0][1]
    rows = np.stack([scores for scores, _ in slow], axis=1)[same]
    distances = np.abs(found.same[:, None, :] - rows[None]).max(axis=2)
    assert distances.min(axis=1).max() < 5e-6


@pytest.mark.parametrize("weights", [{"fake-a": 1.0}, {"fake-a": 0.6, "fake-b": 0.3, LABELS: 0.1}, {LABELS: 1.0}])
def test_a_curve_counts_the_weighted_sums(weights: dict[str, float], workbench: Workbench) -> None:
    found = part_scores(workbench.dataset, workbench.parts, workbench.store, "val")
    curve = found.curve(weights)
    scores = sum(weight * slow_scores(workbench, name, "val")[0] for name, weight in weights.items())
    same = slow_scores(workbench, LABELS, "val")[1]
    assert (curve.fmr[0], curve.fnmr[0], curve.fmr[-1], curve.fnmr[-1]) == (1, 0, 0, 1)
    for threshold, fmr, fnmr in zip(curve.thresholds, curve.fmr, curve.fnmr, strict=True):
        if np.abs(scores - threshold).min() > 1e-5:  # a pair on a threshold may fall to either side of it
            assert fmr == pytest.approx((scores[~same] >= threshold).mean())
            assert fnmr == pytest.approx((scores[same] < threshold).mean())


def test_many_pairs_are_sampled_half_and_half_and_always_alike(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_PAIRS", 30)
    monkeypatch.setattr(module, "SAMPLE", 16)
    first, again = (part_scores(workbench.dataset, workbench.parts, workbench.store, "test") for _ in range(2))
    assert not first.complete
    assert (len(first.same), len(first.different)) == (8, 8)
    assert (first.same == again.same).all()
    assert (first.different == again.different).all()
    for column, name in enumerate(first.names):
        scores, same = slow_scores(workbench, name, "test")
        assert np.abs(first.same[:, column, None] - scores[same]).min(axis=1).max() < 5e-6
        assert np.abs(first.different[:, column, None] - scores[~same]).min(axis=1).max() < 5e-6


def test_a_sample_knows_how_many_pairs_it_stands_for(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = part_scores(workbench.dataset, workbench.parts, workbench.store, "test")
    monkeypatch.setattr(module, "_MOST_PAIRS", 30)
    monkeypatch.setattr(module, "SAMPLE", 16)
    found = part_scores(workbench.dataset, workbench.parts, workbench.store, "test")
    assert (found.pairs, found.base_rate) == (whole.pairs, whole.base_rate)
    assert found.base_rate != len(found.same) / (len(found.same) + len(found.different))


@pytest.mark.parametrize("score", [0.29, 0.3, 0.57, 0.58, 0.999, 1.0, 0.0])
def test_a_score_on_a_threshold_reaches_it(score: float) -> None:
    one = np.array([[score]], np.float32)
    curve = PartScores(("a",), one, one, (1, 1)).curve({"a": 1.0})
    place = round(score * 2000)
    assert curve.thresholds[place] == pytest.approx(score)
    assert (curve.fnmr[place], curve.fmr[place]) == (0, 1)
    assert (curve.fnmr[place + 1], curve.fmr[place + 1]) == (1, 0)


def test_what_cannot_be_scored_is_named(workbench: Workbench) -> None:
    data = workbench.dataset
    rest = data.take(np.flatnonzero(data.splits != "test"))
    with pytest.raises(LikenessError, match="has no images in 'test'"):
        part_scores(rest, workbench.parts, workbench.store, "test")
    with pytest.raises(LikenessError, match="fake-a has not embedded"):
        part_scores(data, workbench.parts, EmbeddingStore(workbench.store.folder / "empty"), "test")
    test = data.splits == "test"
    first = [int(np.flatnonzero(test & (data.labels == name))[0]) for name in data.classes]
    with pytest.raises(LikenessError, match="no two images of one class in 'test'"):
        part_scores(data.take(np.array(first)), workbench.parts, workbench.store, "test")
    one_class = data.take(np.flatnonzero(test & (data.labels == "circle")))
    with pytest.raises(LikenessError, match="no two images of two classes in 'test'"):
        part_scores(one_class, workbench.parts, workbench.store, "test")


def test_fewer_of_one_kind_leave_room_for_the_other(workbench: Workbench) -> None:
    found = part_scores(workbench.dataset, workbench.parts, workbench.store, "test")
    alike = len(found.same)
    thin = found.thinned(2 * alike + 10)
    assert (len(thin.same), len(thin.different)) == (alike, alike + 10)
    assert found.thinned(10**9).complete
    few = PartScores(("a",), np.zeros((90, 1), np.float32), np.zeros((5, 1), np.float32), (90, 5)).thinned(40)
    assert (len(few.same), len(few.different)) == (35, 5)
