"""Averages over queries and classes, and the catalogue's own order."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from core.metrics import (
    METRICS,
    QueryResults,
    class_support,
    evaluate_queries,
    per_class_precision,
    summarise,
    summary_intervals,
)
from core.metrics.intervals import limits
from core.metrics.scorer import Cosine

NAMES = ("cat", "dog", "eel", "fox")


@pytest.fixture
def results() -> QueryResults:
    """Unbalanced classes; ``dog`` has no query."""
    rng = np.random.default_rng(0)
    gallery_codes, codes = rng.integers(0, 4, 200), rng.choice([0, 2, 2, 2, 2, 3], 90)
    centres = rng.standard_normal((4, 8))
    gallery, queries = (
        (v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32)
        for v in (
            centres[gallery_codes] + rng.standard_normal((200, 8)),
            centres[codes] + (0.2 + codes[:, None]) * rng.standard_normal((90, 8)),
        )
    )
    scorer = Cosine(np.concatenate([gallery, queries]))
    return evaluate_queries(scorer, np.concatenate([gallery_codes, codes]), np.arange(200, 290), np.arange(200))


def test_summary_has_every_metric_of_the_contract(results: QueryResults) -> None:
    assert list(summarise(results)) == [
        "precision_at_5",
        "retrieval_accuracy",
        "weighted_precision_at_5",
        "macro_precision_at_5",
        "mrr",
        "map_at_r",
        "r_precision",
    ]


def test_each_metric_is_the_mean_of_its_own_values(results: QueryResults) -> None:
    summary = summarise(results)
    assert summary["precision_at_5"] == pytest.approx(results.precision[:, 4].mean())
    assert summary["retrieval_accuracy"] == pytest.approx(results.precision[:, 0].mean())
    assert summary["mrr"] == pytest.approx(results.reciprocal_rank.mean())
    assert summary["map_at_r"] == pytest.approx(results.ap_at_r.mean())
    assert summary["r_precision"] == pytest.approx(results.r_precision.mean())
    assert len({round(value, 6) for value in summary.values()}) == len(summary) - 1  # only weighted equals P@5


def test_each_interval_is_that_of_its_metric_alone(results: QueryResults) -> None:
    found = summary_intervals(results)
    assert list(found) == list(METRICS)
    for name, metric in METRICS.items():
        (alone,) = limits(metric.per_query(results)[:, None], metric.classes(results))
        assert found[name] == pytest.approx(alone, abs=1e-12)
    assert found["macro_precision_at_5"] != found["precision_at_5"]


def test_weighted_and_macro_follow_from_the_classes(results: QueryResults) -> None:
    by_class, support = per_class_precision(results, NAMES), class_support(results, NAMES)
    assert list(by_class) == list(support) == ["cat", "eel", "fox"]
    assert sum(support.values()) == len(results)
    for name in by_class:
        assert by_class[name] == pytest.approx(results.precision[results.codes == NAMES.index(name), 4].mean())
    summary = summarise(results)
    weighted = sum(by_class[name] * support[name] for name in by_class) / len(results)
    assert summary["weighted_precision_at_5"] == pytest.approx(weighted) == pytest.approx(summary["precision_at_5"])
    assert summary["macro_precision_at_5"] == pytest.approx(sum(by_class.values()) / 3)


def test_macro_at_1_is_scikit_learns_balanced_accuracy(results: QueryResults) -> None:
    guesses = np.where(results.hit_at_1 == 1, results.codes, -1)
    with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
        expected = balanced_accuracy_score(results.codes, guesses)
    by_class = per_class_precision(results, NAMES, k=1)
    assert sum(by_class.values()) / len(by_class) == pytest.approx(expected)


@pytest.mark.parametrize("k", [0, 21])
def test_cut_off_out_of_range_is_refused(k: int, results: QueryResults) -> None:
    with pytest.raises(ValueError, match="between 1 and 20"):
        per_class_precision(results, NAMES, k)


def test_every_metric_is_documented_and_keyed_by_name() -> None:
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.title
        assert metric.definition.endswith((".", ")."))
