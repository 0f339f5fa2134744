"""Who gives labels, what is missing for it, and whether two are the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core import labelling as module
from core.backbones import Backbone
from core.datasets import load_dataset
from core.embed import embed
from core.fusion import Component, Fusion, LabelPart
from core.label_groups import LabelGroups, learn
from core.labelling import LabelAnswer, label_words, labelling, match_labels
from core.normalise import fit
from core.records import Dataset
from core.store import EmbeddingStore
from core.verify import verify
from tests import pictures
from tests.fakes import fake, install

A, C, D = fake("fake-a", dim=24), fake("fake-classes", dim=1000), fake("other-classes", dim=1000)


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    install(monkeypatch)
    use(monkeypatch, C)
    return load_dataset(str(pictures.paint(tmp_path / "shapes", 12)))


def use(monkeypatch: pytest.MonkeyPatch, classifier: Backbone | None) -> None:
    monkeypatch.setattr(module, "default_classifier", lambda: classifier)


def test_the_groups_are_learned_from_what_the_classifier_said(dataset: Dataset) -> None:
    embed(dataset, [C], EmbeddingStore())
    found = labelling(A, dataset, EmbeddingStore())
    assert (found.classifier, found.missing) == (C, "")
    assert found.groups is not None
    np.testing.assert_array_equal(found.groups.share, learn(dataset, C, EmbeddingStore()).share)


def test_a_fusion_brings_its_own(dataset: Dataset) -> None:
    embed(dataset, [A, D], EmbeddingStore())
    part = Component(A, fit(verify(dataset, A, EmbeddingStore(), "val").verification, "min-max"), 0.9)
    known = learn(dataset, D, EmbeddingStore())
    found = labelling(Fusion("mine", (part,), LabelPart(D, known, 0.1)), None, EmbeddingStore())
    assert (found.classifier, found.groups, found.missing) == (D, known, "")


def test_what_is_missing_is_said_with_what_to_do(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    unseen = labelling(A, dataset, EmbeddingStore())
    assert (unseen.classifier, unseen.groups) == (C, None)
    assert "python -m core embed" in unseen.missing
    nowhere = labelling(A, None, EmbeddingStore())
    assert nowhere.groups is None
    assert "fake-a knows no groups" in nowhere.missing
    use(monkeypatch, None)
    nobody = labelling(A, dataset, EmbeddingStore())
    assert (nobody.classifier, nobody.groups) == (None, None)
    assert "python -m core doctor" in nobody.missing


def chances(*likely: int) -> np.ndarray:
    """Class probabilities, most of it at the first of the classes named, less at each further one."""
    found = np.zeros(1000, np.float32)
    found[list(likely)] = 0.5 ** np.arange(1, len(likely) + 1)
    return found


@pytest.mark.parametrize(
    ("a", "b", "exact", "group"),
    [
        ((7,), (7,), True, True),
        ((7,), (8,), False, True),
        ((7,), (99,), False, False),
        ((7, 8), (7, 99, 98), True, True),
    ],
)
def test_labels_match_by_class_and_by_group(a: tuple[int], b: tuple[int], exact: bool, group: bool) -> None:
    share = np.zeros((1000, 2), np.float32)
    share[:50, 0] = share[50:, 1] = 1  # the first 50 classes are dogs
    groups = LabelGroups(("dog", "cat"), share, np.ones(1000, np.float32))
    found = match_labels(chances(*a), chances(*b), groups)
    assert found is not None
    assert (found.exact, found.group) == (exact, group)
    assert found.groups == ("dog", "dog" if group else "cat")
    assert match_labels(chances(*a), chances(*b), None) == LabelAnswer(exact, None, None)
    assert match_labels(chances(*a), None, groups) is None


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (LabelAnswer(True, None, None), "The labels are the same."),
        (LabelAnswer(False, None, None), "The labels differ."),
        (LabelAnswer(True, True, ("dog", "dog")), "The labels are the same, and both belong to dog."),
        (LabelAnswer(False, True, ("dog", "dog")), "The labels differ, but both belong to dog."),
        (LabelAnswer(False, False, ("dog", "cat")), "The labels differ, and belong to dog and cat."),
        (LabelAnswer(True, False, ("dog", "cat")), "The labels are the same, but belong to dog and cat."),
    ],
)
def test_the_words_of_it(found: LabelAnswer, words: str) -> None:
    assert label_words(found) == words
