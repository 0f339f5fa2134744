"""Three answers: the band keeps its limits, and its workload is that of a naive loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import LikenessError
from core.metrics.grid import to_bins
from core.review import ReviewBand, review, review_band, workload
from tests.core.metrics.pair_data import all_pairs, items, verified

VECTORS, CODES = items(160, 5)
PAIRS = verified(VECTORS, CODES, draws=300)
SCORES, SAME = all_pairs(VECTORS, CODES)
LIMITS = [(0.01, 0.02), (0.2, 0.3), (0.5, 0.5), (0.0, 0.0)]


@pytest.mark.parametrize(("max_fmr", "max_fnmr"), LIMITS)
def test_the_band_keeps_both_limits_and_is_no_wider_than_needed(max_fmr: float, max_fnmr: float) -> None:
    band = review_band(PAIRS, max_fmr, max_fnmr)
    assert band.reject <= band.accept
    assert np.mean(SCORES[~SAME] >= band.accept) <= max_fmr
    assert np.mean(SCORES[SAME] < band.reject) <= max_fnmr
    if band.reject < band.accept:
        lower, higher = SCORES[band.accept > SCORES].max(), SCORES[band.reject <= SCORES].min()
        assert np.mean(SCORES[~SAME] >= lower) > max_fmr
        assert np.mean(SCORES[SAME] <= higher) > max_fnmr or band.reject == band.accept


@pytest.mark.parametrize(("max_fmr", "max_fnmr"), LIMITS)
def test_the_workload_is_that_of_a_naive_loop(max_fmr: float, max_fnmr: float) -> None:
    band = review_band(PAIRS, max_fmr, max_fnmr)
    found = workload(PAIRS, band, 0.3)
    between = (band.reject <= SCORES) & (band.accept > SCORES)
    expected = 0.3 * np.mean(between[SAME]) + 0.7 * np.mean(between[~SAME])
    assert found.review.value == pytest.approx(expected, abs=1e-9)
    assert found.fmr.value == pytest.approx(np.mean(SCORES[~SAME] >= band.accept))
    assert found.fnmr.value == pytest.approx(np.mean(SCORES[SAME] < band.reject))
    for estimate in vars(found).values():
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_any_band_has_a_workload(one: float, other: float) -> None:
    low, high = sorted((one, other))
    found = workload(PAIRS, ReviewBand(low, high))
    assert 0 <= found.review.low <= found.review.high <= 1


def test_the_interval_is_about_as_wide_as_other_images_would_make_it() -> None:
    """A band over 200 images of the same classes, drawn anew 60 times."""
    random = np.random.default_rng(3)
    centres = random.standard_normal((8, 16))
    values, widths = [], []
    for _ in range(60):
        codes = np.arange(200) % 8
        vectors = centres[codes] + 1.2 * random.standard_normal((200, 16))
        vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        found = workload(verified(vectors, codes, draws=100), ReviewBand(0.2, 0.5)).review
        values.append(found.value)
        widths.append(found.high - found.low)
    assert np.mean(widths) == pytest.approx(2 * 1.96 * np.std(values), rel=0.3)


def test_both_splits_stand_side_by_side() -> None:
    band = review_band(PAIRS, 0.05, 0.05)
    found = review(PAIRS, verified(*items(90, 5, seed=2)), band, 0.2).as_json()
    assert found["reject"] == band.reject
    assert found["val"] != found["test"]
    assert to_bins(band.accept) > to_bins(band.reject)


@pytest.mark.parametrize("limit", [-0.1, 1.1, float("nan")])
def test_limits_that_are_no_shares_are_refused_in_words(limit: float) -> None:
    with pytest.raises(LikenessError, match="share between 0 and 1"):
        review_band(PAIRS, limit, 0.1)
