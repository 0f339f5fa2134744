"""All pairs: exact against naive loops and scikit-learn, with intervals that hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, precision_score, roc_auc_score, roc_curve

from core.errors import LikenessError
from core.metrics import pair_scores as module
from core.metrics.grid import BINS, similarity, threshold_bin, to_bins, to_thresholds
from core.metrics.pair_scores import pair_scores, score_counts
from core.metrics.rates import RATES
from core.metrics.scorer import Cosine
from core.metrics.verification import Verification, wilson
from tests.core.metrics.pair_data import all_pairs, items, verified


def verification(*args: object, draws: int = 200, **options: object) -> Verification:
    return verified(*items(*args, **options), draws=draws)


@given(st.integers(0, BINS - 1))
def test_a_threshold_is_the_lowest_score_of_its_bin(place: int) -> None:
    threshold = float(to_thresholds(place))
    assert threshold_bin(threshold) == place
    assert threshold_bin(float(f"{threshold:.6f}")) == place
    assert to_bins(threshold + 1e-7) >= place
    if place:
        assert to_bins(threshold - 1e-7) < place


def test_counts_are_those_of_a_naive_loop() -> None:
    vectors, codes = items()
    scores, same = all_pairs(vectors, codes)
    found = verified(vectors, codes, draws=10)
    for threshold in (-0.9, -0.2, 0.0, 0.1234, 0.5, 0.987654, 1.0):
        counts = found.counts(threshold)
        table = confusion_matrix(same, scores >= threshold, labels=[False, True])
        assert [counts.true_non_match, counts.false_match, counts.false_non_match, counts.true_match] == list(
            table.flat
        )


def test_summaries_are_those_of_scikit_learn() -> None:
    vectors, codes = items(300, 10)
    scores, same = all_pairs(vectors, codes)
    found = verified(vectors, codes, draws=10)
    assert found.roc_auc.value == pytest.approx(roc_auc_score(same, scores), abs=1e-6)
    fpr, tpr, _ = roc_curve(same, scores, drop_intermediate=False)
    place = np.abs(fpr - 1 + tpr).argmin()
    assert found.eer.value == pytest.approx((fpr[place] + 1 - tpr[place]) / 2, abs=1e-6)
    tar = found.tar_at_far(0.01)
    assert tar is not None
    assert tar.value == pytest.approx(tpr[fpr <= 0.01].max(), abs=1e-3)
    at = found.estimate("precision", 0.3), found.estimate("f1", 0.3)
    assert at[0].value == pytest.approx(precision_score(same, scores >= 0.3))
    assert at[1].value == pytest.approx(f1_score(same, scores >= 0.3))


def test_both_passes_and_any_block_size_count_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, codes = items()
    whole = pair_scores(Cosine(vectors), codes, draws=20)
    monkeypatch.setattr(module, "SCORES_AT_ONCE", 7 * len(vectors))
    parts = pair_scores(Cosine(vectors), codes, draws=20)
    same, different = score_counts(Cosine(vectors), codes)
    # A matrix product may round the last bit otherwise in another block, which moves a score by a bin at most.
    for one, other in ((whole, parts), (whole, None)):
        for kind, counted in (("same", same), ("different", different)):
            full = np.zeros(BINS, np.int64)
            full[one.bins] = getattr(one, kind)
            if other is not None:
                counted = np.zeros(BINS, np.int64)
                counted[other.bins] = getattr(other, kind)
            assert np.abs(np.cumsum(full) - np.cumsum(counted)).max() <= 2
    assert np.allclose(whole.draws, parts.draws, atol=2e-3)


def test_the_order_of_the_items_does_not_matter() -> None:
    vectors, codes = items()
    order = np.random.default_rng(1).permutation(len(codes))
    one, other = (verified(vectors[o], codes[o], draws=500) for o in (slice(None), order))
    assert other.roc_auc.value == pytest.approx(one.roc_auc.value, abs=1e-6)
    assert other.eer.value == pytest.approx(one.eer.value, abs=1e-4)
    assert other.estimate("fmr", 0.2).low == pytest.approx(one.estimate("fmr", 0.2).low, rel=0.15)


def test_numbers_of_the_classes_do_not_matter() -> None:
    vectors, codes = items()
    renamed = np.array([5, 3, 0, 1, 4, 2])[codes]
    one, other = (verified(vectors, c, draws=10) for c in (codes, renamed))
    assert other.roc_auc.value == pytest.approx(one.roc_auc.value, abs=1e-6)


def test_the_area_is_blind_to_a_monotone_change_of_the_scores() -> None:
    vectors, codes = items(80, 4, dim=8)
    scores, same = all_pairs(vectors, codes)
    # One more axis that all share turns s into (s + 1) / 2.
    lifted = np.concatenate([vectors, np.ones((len(vectors), 1), np.float32)], axis=1) / np.sqrt(np.float32(2))
    one, other = (verified(v.astype(np.float32), codes, draws=10) for v in (vectors, lifted))
    assert other.roc_auc.value == pytest.approx(one.roc_auc.value, abs=2e-6)
    assert other.eer.value == pytest.approx(one.eer.value, abs=1e-3)
    assert other.rates(0.65)[0] == pytest.approx(((scores >= 0.3) & ~same).sum() / (~same).sum(), abs=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(6, 40), st.integers(2, 5), st.floats(0.1, 3), st.integers(0, 99))
def test_rates_are_monotone_and_everything_stays_in_bounds(n: int, classes: int, noise: float, seed: int) -> None:
    found = verification(n + classes, classes, noise=noise, seed=seed, draws=50)
    assert (np.diff(found.fmr) <= 0).all()
    assert (np.diff(found.fnmr) >= 0).all()
    assert (found.fmr[0], found.fmr[-1], found.fnmr[0], found.fnmr[-1]) == (1, 0, 0, 1)
    for threshold in (-1.0, 0.0, 0.4, 0.9, 1.0):
        for name, rate in RATES.items():
            estimate = found.estimate(rate, threshold)
            assert estimate.low <= estimate.value <= estimate.high, name
            assert estimate.low >= (-1 if name == "youden" else 0) - 1e-9
            assert estimate.high <= 1 + 1e-9
    for summary in (found.roc_auc, found.eer):
        assert 0 <= summary.low <= summary.value <= summary.high <= 1


def test_identical_images_cannot_be_told_apart() -> None:
    vectors = np.zeros((8, 4), np.float32)
    vectors[:, 0] = 1
    found = verified(vectors, np.arange(8) % 2, draws=20)
    assert (found.roc_auc.value, found.eer.value) == (0.5, 0.5)
    assert found.rates(1.0) == (1.0, 0.0)


def test_perfect_models_have_no_error() -> None:
    vectors = np.repeat(np.eye(3, dtype=np.float32), 5, axis=0)
    found = verified(vectors, np.repeat(np.arange(3), 5), draws=20)
    assert (found.roc_auc.value, found.eer.value) == (1.0, 0.0)
    fmr = found.estimate("fmr", 0.5)
    assert fmr.value == 0
    assert fmr.high == pytest.approx(wilson(0.0, 7.5)[1])  # 15 items make 7.5 disjoint pairs


@pytest.mark.parametrize(
    ("codes", "message"), [([0, 1, 2, 3], "No two images are of one class"), ([0, 0, 0, 0], "All images are of one")]
)
def test_splits_without_both_kinds_of_pairs_are_refused_in_words(codes: list[int], message: str) -> None:
    vectors = items(4, 4)[0]
    for count in (pair_scores, score_counts):
        with pytest.raises(LikenessError, match=message):
            count(Cosine(vectors), np.array(codes))


def test_vectors_that_are_not_finite_are_refused_in_words() -> None:
    vectors, codes = items(10, 2)
    vectors[3, 2] = np.nan
    with pytest.raises(LikenessError, match="not finite, the first in row 3"):
        pair_scores(Cosine(vectors), codes)


def test_far_that_the_pairs_cannot_support_is_not_answered() -> None:
    found = verification(30, 3)
    assert found.pairs[1] == 300
    assert found.tar_at_far(0.1) is not None
    assert found.tar_at_far(0.01) is None


def test_classes_add_up_to_the_whole() -> None:
    vectors, codes = items(90, 5)
    found = pair_scores(Cosine(vectors), codes, draws=10)
    assert found.class_pairs[0].sum() == 2 * found.same.sum()
    assert found.class_pairs[1].sum() == 2 * found.different.sum()
    scores, same = all_pairs(vectors, codes)
    level = to_thresholds(found.levels[len(found.levels) // 2])
    below = np.cumsum(found.class_pairs[0], axis=1)[:, len(found.levels) // 2].sum() / 2
    assert abs(below - (scores[same] < level).sum()) <= 1


def test_score_of_a_pair_does_not_depend_on_how_many_are_asked_for() -> None:
    vectors, _ = items()
    many = similarity(vectors[:50], vectors[50:100])
    assert many.tolist() == [float(similarity(a, b)) for a, b in zip(vectors[:50], vectors[50:100], strict=True)]


@pytest.mark.slow
def test_intervals_cover_the_truth_and_those_of_independent_pairs_do_not() -> None:
    """200 images of 10 classes, 300 times: nominal 95% intervals must cover between 92% and 98%."""
    threshold, classes, repetitions = 0.3, 10, 300
    random = np.random.default_rng(7)
    centres = random.standard_normal((classes, 16))

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        codes = np.arange(n) % classes
        vectors = centres[codes] + 1.2 * random.standard_normal((n, 16))
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), codes

    truth = verified(*draw(8000), draws=0).rates(threshold)
    covered = np.zeros((2, 2))
    for _ in range(repetitions):
        found = verified(*draw(200), draws=400)
        for kind, (name, true) in enumerate(zip(("fmr", "fnmr"), truth, strict=True)):
            estimate = found.estimate(name, threshold)
            naive = wilson(estimate.value, found.pairs[1 - kind])
            covered[kind] += (estimate.low <= true <= estimate.high, naive[0] <= true <= naive[1])
    covered /= repetitions
    assert (covered[:, 0] >= 0.92).all(), covered
    assert (covered[:, 0] <= 0.98).all(), covered
    assert (covered[:, 1] < 0.85).all(), covered
