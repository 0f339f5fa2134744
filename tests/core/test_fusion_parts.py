"""All that can be added up for a dataset, and its parts taken singly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.backbones import Backbone
from core.errors import LikenessError
from core.fusion import LABELS, Component, Fusion, LabelPart, reweighted
from core.fusion_parts import alone, fusion_of, why_no_labels, without
from core.label_groups import LabelGroups
from core.normalise import METHODS, fit
from core.scorers import scorer_of
from core.store import EmbeddingStore
from core.verify import verify
from tests.core.metrics.pair_data import items, verified
from tests.fakes import fake
from tests.parts import CLASSES, A, B, Workbench, workbench

__all__ = ["workbench"]


def test_all_parts_weigh_the_same(workbench: Workbench) -> None:
    assert workbench.parts.weights == pytest.approx({"fake-a": 1 / 3, "fake-b": 1 / 3, LABELS: 1 / 3})
    bare = fusion_of(workbench.dataset, [A, B], workbench.store, "z-score")
    assert bare.labels is None
    assert bare.weights == {"fake-a": 0.5, "fake-b": 0.5}


@pytest.mark.parametrize(("models", "classifier"), [([], None), ([A], None), ([], CLASSES)])
def test_one_part_is_no_sum(models: list, classifier: Backbone | None, workbench: Workbench) -> None:
    with pytest.raises(LikenessError, match="adds up at least two parts"):
        fusion_of(workbench.dataset, models, workbench.store, "min-max", classifier)


@pytest.mark.parametrize("method", METHODS)
def test_models_come_to_one_scale_by_their_validation_pairs(method: str, workbench: Workbench) -> None:
    for part in fusion_of(workbench.dataset, [A, B], workbench.store, method).components:
        val = verify(workbench.dataset, part.backbone, workbench.store, "val").verification
        assert part.normaliser.as_json() == fit(val, method).as_json()


def test_without_training_images_labels_have_no_part(workbench: Workbench) -> None:
    rest = workbench.dataset.take(np.flatnonzero(workbench.dataset.splits != "train"))
    assert fusion_of(rest, [A, B], workbench.store, "min-max", CLASSES).weights == {"fake-a": 0.5, "fake-b": 0.5}
    assert "has no images in 'train'" in str(why_no_labels(rest, CLASSES, workbench.store))
    with pytest.raises(LikenessError, match="adds up at least two parts"):
        fusion_of(rest, [A], workbench.store, "min-max", CLASSES)


def test_vectors_and_pairs_that_are_missing_are_named(workbench: Workbench) -> None:
    with pytest.raises(LikenessError, match="unseen has not embedded"):
        fusion_of(workbench.dataset, [A, fake("unseen")], workbench.store, "min-max")
    data = workbench.dataset
    one_class = data.take(np.flatnonzero((data.splits != "val") | (data.labels == "circle")))
    with pytest.raises(LikenessError, match="All images are of one class"):
        fusion_of(one_class, [A, B], workbench.store, "min-max")


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


PAIRS = verified(*items(n=30, classes=3), 0)
GROUPS = LabelGroups(("a", "b"), np.full((1000, 2), 0.5, np.float32), np.ones(1000, np.float32))
WEIGHTS = st.lists(st.integers(0, 100), min_size=3, max_size=5).filter(lambda one: sum(map(bool, one[:-1])) >= 2)


@given(WEIGHTS, st.data())
def test_whatever_is_left_out_the_rest_adds_up_to_1_in_its_proportions(weights: list[int], data: st.DataObject) -> None:
    shares = [one / sum(weights) for one in weights]
    models = tuple(
        Component(fake(f"fake-{place}"), fit(PAIRS, "min-max"), one) for place, one in enumerate(shares[:-1])
    )
    fusion = Fusion("mine", models, LabelPart(CLASSES, GROUPS, shares[-1]))
    part = data.draw(st.sampled_from([name for name, weight in fusion.weights.items() if weight]))
    left = without(fusion, part).weights
    assert sum(left.values()) == pytest.approx(1)
    assert set(left) == {name for name, weight in fusion.weights.items() if weight and name != part}
    for name, weight in left.items():
        assert weight == pytest.approx(fusion.weights[name] / (1 - fusion.weights[part]))


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
