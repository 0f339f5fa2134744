"""Confusions are counted as a loop over queries and what they found would count them."""

from __future__ import annotations

from collections import Counter

import pytest

from core.confused import confused_pairs, confusion_counts
from core.evaluate import Evaluation
from tests.evaluations import evaluated


@pytest.fixture
def evaluation(monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    return evaluated(monkeypatch, {"a": (9, 6), "b": (3, 5), "c": (5, 4)}, {"vague": 2.0, "sharp": 0.0})


def _counted(evaluation: Evaluation, model: str, k: int) -> Counter[tuple[str, str]]:
    results, data = evaluation.models[model].results, evaluation.dataset
    queries, gallery = evaluation.protocol.queries(data), evaluation.protocol.candidates(data)
    found: Counter[tuple[str, str]] = Counter()
    for place, row in enumerate(results.index):
        for hit in results.nearest[place, :k]:
            if hit >= 0:
                found[str(data.labels[queries[row]]), str(data.labels[gallery[hit]])] += 1
    return found


@pytest.mark.parametrize("k", [1, 5, 20])
def test_every_retrieved_image_is_counted_where_it_belongs(evaluation: Evaluation, k: int) -> None:
    counts, wanted = confusion_counts(evaluation, "vague", k), _counted(evaluation, "vague", k)
    names = evaluation.dataset.classes
    assert {(a, b): counts[i, j] for i, a in enumerate(names) for j, b in enumerate(names) if counts[i, j]} == wanted


def test_pairs_count_both_ways_and_the_worst_comes_first(evaluation: Evaluation) -> None:
    wanted = _counted(evaluation, "vague", 5)
    pairs = confused_pairs(evaluation, "vague")
    assert len(pairs) > 1
    for pair in pairs:
        assert (pair.a_as_b, pair.b_as_a) == (wanted[pair.a, pair.b], wanted[pair.b, pair.a])
        assert pair.a_as_b >= pair.b_as_a
    assert [pair.count for pair in pairs] == sorted((pair.count for pair in pairs), reverse=True)
    assert sum(pair.count for pair in pairs) == sum(number for (a, b), number in wanted.items() if a != b)


def test_a_model_without_errors_confuses_nothing(evaluation: Evaluation) -> None:
    assert confused_pairs(evaluation, "sharp", 1) == []
