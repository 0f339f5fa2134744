"""Recall and equal error of each class, against plain loops over the pairs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core import class_errors as module
from core.class_errors import class_errors, eer_thresholds
from core.evaluate import Evaluation
from core.metrics.item_errors import item_errors
from core.metrics.score_interval import mean_interval
from core.metrics.scorer import Cosine
from core.store import EmbeddingStore
from core.vectors import class_codes, stored_vectors
from core.verify import SplitPairs
from tests.core.metrics.pair_data import verified
from tests.evaluations import evaluated

# ``bee`` has one test image, and ``cat`` none.
SIZES = {"ant": (6, 9), "bee": (12, 1), "cat": (20, 0), "dog": (9, 14), "eel": (3, 2)}
THRESHOLD = 0.3


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    return evaluated(monkeypatch, SIZES, {"model": 1.0})


@pytest.fixture
def pairs(found: Evaluation) -> SplitPairs:
    kept = found.models["model"].pairs
    assert kept is not None
    return kept


def scores_of(pairs: SplitPairs, code: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of the pairs within a class, and of those of one of its images with one of another class."""
    vectors = stored_vectors(pairs.dataset, pairs.backbone, EmbeddingStore()).astype(np.float64)[pairs.rows]
    codes = class_codes(pairs.dataset)[pairs.rows]
    inside, outside = np.flatnonzero(codes == code), np.flatnonzero(codes != code)
    same = [vectors[i] @ vectors[j] for i in inside for j in inside if i < j]
    return np.array(same), np.array([vectors[i] @ vectors[j] for i in inside for j in outside])


def test_recall_is_the_share_of_the_class_s_pairs_called_the_same(pairs: SplitPairs) -> None:
    errors = class_errors(pairs, THRESHOLD, EmbeddingStore())
    np.testing.assert_array_equal(errors.codes, class_codes(pairs.dataset)[pairs.rows])
    for code, label in enumerate(pairs.dataset.classes):
        values = errors.recall[errors.codes == code]
        same, _ = scores_of(pairs, code)
        if label == "bee":
            assert np.isnan(values).all()
        elif label != "cat":
            assert values.mean() == pytest.approx((same >= THRESHOLD).mean())


def test_eer_is_where_both_error_rates_of_the_class_are_closest(pairs: SplitPairs) -> None:
    errors = class_errors(pairs, THRESHOLD, EmbeddingStore())
    for code, label in enumerate(pairs.dataset.classes):
        values = errors.eer[errors.codes == code]
        if label in ("bee", "cat"):
            assert np.isnan(values).all()
            continue
        same, different = scores_of(pairs, code)
        rates = [((different >= t).mean(), (same < t).mean()) for t in np.unique(np.concatenate([same, different]))]
        fmr, fnmr = min(rates, key=lambda pair: abs(pair[0] - pair[1]))
        # The search knows the rates at 500 levels only; so few pairs make steps that are larger than that.
        assert values.mean() == pytest.approx((fmr + fnmr) / 2, abs=0.02)
        at = eer_thresholds(pairs.verification)[code]
        assert values.mean() == pytest.approx(((different >= at).mean() + (same < at).mean()) / 2)


def test_thresholds_of_equal_error_are_the_lowest_of_the_best_levels(pairs: SplitPairs) -> None:
    levels = pairs.verification.levels
    for code, chosen in enumerate(eer_thresholds(pairs.verification)):
        same, different = scores_of(pairs, code)
        if not len(same) or not len(different):
            assert chosen == levels[0]
            continue
        gaps = [abs((different >= level).mean() - (same < level).mean()) for level in levels]
        assert chosen == levels[int(np.argmin(np.round(gaps, 12)))]


def test_it_is_computed_once_for_each_threshold_and_kept(pairs: SplitPairs, monkeypatch: pytest.MonkeyPatch) -> None:
    store = EmbeddingStore()
    first = class_errors(pairs, THRESHOLD, store)
    other = class_errors(pairs, 0.5, store)
    monkeypatch.setattr(module, "item_errors", None)
    again = class_errors(pairs, THRESHOLD, store)
    for name in ("codes", "recall", "eer"):
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name))
    assert not np.array_equal(other.recall, first.recall, equal_nan=True)
    np.testing.assert_array_equal(other.eer, first.eer)


def test_a_damaged_result_is_computed_again(pairs: SplitPairs) -> None:
    store = EmbeddingStore()
    first = class_errors(pairs, THRESHOLD, store)
    (kept,) = (store.folder / "class_errors").glob("*.safetensors")
    data = bytearray(kept.read_bytes())
    data[-5] ^= 255
    kept.write_bytes(bytes(data))
    np.testing.assert_array_equal(class_errors(pairs, THRESHOLD, store).eer, first.eer)


def test_intervals_hold_the_truth_of_the_class() -> None:
    """20 images of each of 6 classes, 40 times: 95% intervals of recall and EER hold those of far more images."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((6, 16))

    def draw(each: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        codes = np.arange(6 * each) % 6
        vectors = centres[codes] + 1.2 * random.standard_normal((len(codes), 16))
        vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        equal = eer_thresholds(verified(vectors, codes, draws=0))
        errors = item_errors(Cosine(vectors), codes, np.column_stack([np.full(6, THRESHOLD), equal]))
        return codes, np.stack([1 - errors.miss_values(0), (errors.miss_values(1) + errors.match_values(1)) / 2])

    codes, values = draw(500)
    truth = [[kind[codes == code].mean() for code in range(6)] for kind in values]
    held: list[list[bool]] = [[], []]
    for _ in range(40):
        codes, values = draw(20)
        for kind in (0, 1):
            for code in range(6):
                low, high = mean_interval(values[kind, codes == code])
                held[kind].append(low <= truth[kind][code] <= high)
    assert (np.mean(held, axis=1) >= 0.92).all()
