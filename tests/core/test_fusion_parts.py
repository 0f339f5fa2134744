"""All that can be added up for a dataset, and its parts taken singly."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import LikenessError
from core.fusion import LABELS, reweighted
from core.fusion_parts import alone, fusion_of, why_no_labels, without
from core.scorers import scorer_of
from core.store import EmbeddingStore
from tests.fakes import fake
from tests.parts import CLASSES, A, B, Workbench, workbench

__all__ = ["workbench"]


def test_all_parts_weigh_the_same(workbench: Workbench) -> None:
    assert workbench.parts.weights == pytest.approx({"fake-a": 1 / 3, "fake-b": 1 / 3, LABELS: 1 / 3})
    bare = fusion_of(workbench.dataset, [A, B], workbench.store, "z-score")
    assert bare.labels is None
    assert bare.weights == {"fake-a": 0.5, "fake-b": 0.5}


@pytest.mark.parametrize("models", [[], [A]])
def test_one_part_is_no_sum(models: list, workbench: Workbench) -> None:
    with pytest.raises(LikenessError, match="adds up at least two parts"):
        fusion_of(workbench.dataset, models, workbench.store, "min-max")


def test_one_model_and_labels_are_a_sum(workbench: Workbench) -> None:
    found = fusion_of(workbench.dataset, [A], workbench.store, "min-max", CLASSES)
    assert found.weights == {"fake-a": 0.5, LABELS: 0.5}


def test_a_model_alone_scores_its_normalised_similarity_and_labels_0_or_1(workbench: Workbench) -> None:
    first, second = np.triu_indices(len(workbench.dataset), 1)
    sums = scorer_of(workbench.dataset, workbench.parts, workbench.store).pairs(first, second)
    singles = {
        part: scorer_of(workbench.dataset, alone(workbench.parts, part), workbench.store).pairs(first, second)
        for part in workbench.parts.weights
    }
    assert sum(singles.values()) / 3 == pytest.approx(sums, abs=2e-6)
    assert set(np.unique(singles[LABELS])) == {0, 1}
    assert workbench.parts.components[0].weight == 1 / 3


def test_without_a_part_the_others_keep_their_proportions(workbench: Workbench) -> None:
    fusion = reweighted(workbench.parts, {"fake-a": 0.6, "fake-b": 0.3, LABELS: 0.1}, "mine")
    assert without(fusion, LABELS).weights == pytest.approx({"fake-a": 2 / 3, "fake-b": 1 / 3})
    assert without(fusion, "fake-a").weights == pytest.approx({"fake-b": 0.75, LABELS: 0.25})
    assert without(fusion, "fake-a").name == "without fake-a"


def test_what_is_left_may_be_labels_alone(workbench: Workbench) -> None:
    fusion = reweighted(workbench.parts, {"fake-a": 0.5, LABELS: 0.5}, "mine")
    left = without(fusion, "fake-a")
    first, second = np.triu_indices(len(workbench.dataset), 1)
    assert set(np.unique(scorer_of(workbench.dataset, left, workbench.store).pairs(first, second))) == {0, 1}


def test_why_labels_have_no_part_is_said(workbench: Workbench) -> None:
    assert why_no_labels(workbench.dataset, CLASSES, workbench.store) is None
    assert "classifier" in str(why_no_labels(workbench.dataset, None, workbench.store))
    unseen = fake("other-classes", dim=1000)
    assert "embed" in str(why_no_labels(workbench.dataset, unseen, EmbeddingStore()))
