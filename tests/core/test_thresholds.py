"""Choosing thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import LikenessError
from core.metrics.rates import RATES
from core.thresholds import OBJECTIVES, REPORTED, Objective, choose, outcome
from tests.core.metrics.pair_data import all_pairs, items, verified

VECTORS, CODES = items()
PAIRS = verified(VECTORS, CODES, draws=300)
SCORES, SAME = all_pairs(VECTORS, CODES)
ALL = [Objective.parse(form) for form in ("f1", "accuracy", "youden", "eer", "fmr=0.05", "precision=0.6", "cost")]


def naive(objective: Objective, threshold: float, base_rate: float) -> float:
    called = threshold <= SCORES
    fmr, fnmr = np.mean(called[~SAME]), np.mean(~called[SAME])
    return float(objective.utility(np.asarray(fmr), np.asarray(fnmr), base_rate))


@pytest.mark.parametrize("objective", ALL, ids=str)
@pytest.mark.parametrize("base_rate", [0.02, 0.5])
def test_no_other_threshold_serves_the_objective_better(objective: Objective, base_rate: float) -> None:
    chosen = choose(PAIRS, objective, base_rate)
    best = max(naive(objective, score, base_rate) for score in [*SCORES, 1.1])
    assert naive(objective, chosen.threshold, base_rate) == pytest.approx(best, abs=1e-9)
    assert chosen.low <= chosen.threshold <= chosen.high


def test_every_objective_is_tested() -> None:
    assert {objective.name for objective in ALL} == set(OBJECTIVES)


def test_a_gap_is_cut_in_the_middle_with_few_decimals() -> None:
    vectors = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
    pairs = verified(vectors, np.repeat(np.arange(3), 4), draws=10)
    assert choose(pairs, Objective("f1")).threshold == 0.5


def test_the_cost_ratio_moves_the_threshold() -> None:
    careful, keen = (choose(PAIRS, Objective("cost", cost_fp=fp, cost_fn=fn)).threshold for fp, fn in ((9, 1), (1, 9)))
    assert careful > keen


def test_the_base_rate_moves_the_threshold() -> None:
    assert choose(PAIRS, Objective("f1"), 0.01).threshold > choose(PAIRS, Objective("f1"), 0.9).threshold


def test_a_precision_out_of_reach_is_refused_in_words() -> None:
    flat = np.ones((6, 2), np.float32) / np.sqrt(np.float32(2))
    pairs = verified(flat, np.arange(6) % 2, draws=10)
    with pytest.raises(LikenessError, match="No threshold reaches a precision"):
        choose(pairs, Objective("precision", 0.99))


@pytest.mark.parametrize(
    ("text", "message"),
    [("best", "No objective"), ("fmr", "needs a number"), ("fmr=2", "needs a number"), ("f1=0.3", "takes no number"),
     ("fmr=x", "no number"), ("fmr=nan", "needs a number")],
)  # fmt: skip
def test_objectives_that_make_no_sense_are_refused_in_words(text: str, message: str) -> None:
    with pytest.raises(LikenessError, match=message):
        Objective.parse(text)


@pytest.mark.parametrize("costs", [(-1, 1), (0, 0), (float("nan"), 1), (float("inf"), 1)])
def test_costs_that_make_no_sense_are_refused_in_words(costs: tuple[float, float]) -> None:
    with pytest.raises(LikenessError, match="Costs must be"):
        Objective("cost", None, *costs)


@pytest.mark.parametrize("base_rate", [0.0, 1.0, -1, 2])
def test_base_rates_that_make_no_sense_are_refused_in_words(base_rate: float) -> None:
    with pytest.raises(LikenessError, match="base rate"):
        choose(PAIRS, Objective("f1"), base_rate)


def test_the_outcome_is_that_of_a_naive_loop() -> None:
    threshold = 0.25
    found = outcome(PAIRS, threshold, Objective("cost", cost_fp=3), 0.2)
    fmr, fnmr = np.mean(SCORES[~SAME] >= threshold), np.mean(SCORES[SAME] < threshold)
    assert set(found.rates) == set(REPORTED) <= set(RATES)
    assert found.rates["fmr"].value == pytest.approx(fmr)
    assert found.rates["precision"].value == pytest.approx(0.2 * (1 - fnmr) / (0.2 * (1 - fnmr) + 0.8 * fmr))
    assert found.cost == pytest.approx(0.8 * 3 * fmr + 0.2 * fnmr)
    assert found.as_json()["counts"]["false_match"] == ((threshold <= SCORES) & ~SAME).sum()  # type: ignore[index]
