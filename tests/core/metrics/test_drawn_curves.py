"""Numbers of many curves at once are those of each curve alone."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.metrics.drawn_curves import areas, between, crossing, equal_errors

STEPS = np.linspace(0, 1, 21)


def scored(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores that lie on 20 levels, of different and of same pairs."""
    random = np.random.default_rng(seed)
    return random.integers(0, 14, 300) / 20, random.integers(4, 20, 200) / 20


def curves(count: int) -> tuple[np.ndarray, np.ndarray]:
    fmr = [[(different >= t - 1e-9).mean() for t in STEPS] for different, _ in map(scored, range(count))]
    fnmr = [[(same < t - 1e-9).mean() for t in STEPS] for _, same in map(scored, range(count))]
    return np.array(fmr), np.array(fnmr)


def test_areas_are_scikit_learns() -> None:
    found = areas(*curves(5))
    for seed, area in enumerate(found):
        different, same = scored(seed)
        truth = np.repeat([0, 1], [len(different), len(same)])
        assert area == pytest.approx(roc_auc_score(truth, np.concatenate([different, same])))


def test_equal_errors_lie_where_the_two_curves_cross() -> None:
    fmr, fnmr = curves(5)
    fine = np.linspace(0, 1, 200_001)
    for row, value in enumerate(equal_errors(fmr, fnmr)):
        a, b = np.interp(fine, STEPS, fmr[row]), np.interp(fine, STEPS, fnmr[row])
        place = np.abs(a - b).argmin()
        assert value == pytest.approx((a[place] + b[place]) / 2, abs=1e-4)


def test_a_crossing_is_between_two_columns_or_at_the_ends() -> None:
    rising = np.array([[-1.0, 0.0, 1.0], [1.0, 2.0, 3.0], [-3.0, -1.0, 1.0]])
    values = np.array([[0.0, 10.0, 20.0]] * 3)
    assert crossing(rising, 0.0, values).tolist() == [10.0, 0.0, 15.0]


def test_rows_are_interpolated_and_end_where_they_end() -> None:
    levels, values = np.array([0, 10, 30]), np.array([[0.0, 1.0, 5.0], [2.0, 2.0, 0.0]])
    bins = np.array([-5, 0, 5, 20, 30, 99])
    assert between(levels, values, bins).tolist() == [[0, 0, 0.5, 3, 5, 5], [2, 2, 2, 1, 0, 0]]
