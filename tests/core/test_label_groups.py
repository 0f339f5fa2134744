from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.backbones import choose
from core.backbones.classifiers import class_names
from core.classify import stored_probabilities
from core.embed import embed
from core.errors import LikenessError
from core.label_groups import GroupRow, LabelGroups, class_vectors, group_vectors, learn
from core.metrics.scorer import Cosine
from core.records import Dataset
from core.store import EmbeddingStore
from tests.fakes import fake, install
from tests.pictures import load, paint

MODEL = fake("classifier", dim=1000)


def images(labels: list[str], splits: list[str]) -> Dataset:
    names = np.array([f"{row:05}.png" for row in range(len(labels))])
    ids = np.array([f"{row:032x}" for row in range(len(labels))])
    return Dataset("pets", "Pets", Path("/nowhere"), ids, names, np.array(labels), np.array(splits))


def stored(dataset: Dataset, said: np.ndarray, folder: Path, rows: list[int] | None = None) -> EmbeddingStore:
    """A store with what the classifier said of some rows, of all by default."""
    store = EmbeddingStore(folder)
    kept = list(range(len(dataset))) if rows is None else rows
    store.append(MODEL.fingerprint, dataset.ids[kept].tolist(), np.sqrt(said[kept]).astype(np.float32))
    return store


def said_of(classes: list[int], sure: float = 1.0) -> np.ndarray:
    """Probabilities of images of which each is taken for one class of ImageNet."""
    said = np.full((len(classes), 1000), (1 - sure) / 999)
    said[np.arange(len(classes)), classes] = sure
    return said


def test_breeds_become_the_groups_they_are_seen_on(tmp_path):
    """Three dogs taken for beagle, beagle and collie, one cat taken for tabby, all with certainty."""
    beagle, collie, tabby, other = 162, 231, 281, 900
    dataset = images(["dog", "dog", "dog", "cat"], ["train"] * 4)
    groups = learn(dataset, MODEL, stored(dataset, said_of([beagle, beagle, collie, tabby]), tmp_path))
    assert groups.classes == ("cat", "dog")
    # Each group counts as two images: 2/3 of two dogs are beagles. One image more is spread over the two groups.
    np.testing.assert_allclose(groups.support[[beagle, collie, tabby, other]], [4 / 3, 2 / 3, 2, 0], atol=1e-5)
    np.testing.assert_allclose(groups.share[beagle], [0.5 / (4 / 3 + 1), (4 / 3 + 0.5) / (4 / 3 + 1)], atol=1e-5)
    np.testing.assert_allclose(groups.share[other], [0.5, 0.5])
    assert groups.labels(said_of([beagle, collie, tabby])) == ["dog", "dog", "cat"]
    assert groups.table(1) == [
        GroupRow(class_names()[tabby], "cat", pytest.approx(2.5 / 3), pytest.approx(2)),
        GroupRow(class_names()[beagle], "dog", pytest.approx((4 / 3 + 0.5) / (7 / 3)), pytest.approx(4 / 3)),
    ]
    assert [row.imagenet_class for row in groups.table(0.5)][2:] == [class_names()[collie]]


def slow_learn(labels: list[str], said: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    classes = sorted(set(labels))
    share, support = np.empty((1000, len(classes))), np.zeros(1000)
    for one in range(1000):
        masses = []
        for label in classes:
            of_class = [said[row][one] for row in range(len(labels)) if labels[row] == label]
            masses.append(sum(of_class) / len(of_class) * len(labels) / len(classes))
        support[one] = sum(masses)
        share[one] = [(mass + 1 / len(classes)) / (sum(masses) + 1) for mass in masses]
    return share, support


def test_learning_equals_a_slow_loop(tmp_path):
    random = np.random.default_rng(0)
    labels = random.choice(["a", "b", "c"], 40).tolist()
    said = random.dirichlet(np.full(1000, 0.01), 40)
    dataset = images(labels, ["train"] * 40)
    groups = learn(dataset, MODEL, stored(dataset, said, tmp_path))
    share, support = slow_learn(labels, said)
    np.testing.assert_allclose(groups.share, share, atol=1e-5)
    np.testing.assert_allclose(groups.support, support, atol=1e-4)
    assert groups.share.dtype == groups.support.dtype == np.float32


def test_only_training_images_are_looked_at(tmp_path):
    labels, splits = ["dog", "cat", "dog", "cat"], ["train", "train", "val", "test"]
    dataset, said = images(labels, splits), said_of([1, 2, 2, 1])
    without = learn(dataset, MODEL, stored(dataset, said, tmp_path / "one", rows=[0, 1]))
    groups = learn(dataset, MODEL, stored(dataset, said, tmp_path / "two"))
    np.testing.assert_array_equal(groups.share, without.share)
    assert groups.labels(said_of([1, 2])) == ["dog", "cat"]


def test_a_big_class_does_not_win_by_its_size(tmp_path):
    """Half of the dogs and half of the cats are taken for class 3; there are ten times as many cats."""
    labels = ["dog"] * 4 + ["cat"] * 40
    dataset = images(labels, ["train"] * 44)
    groups = learn(dataset, MODEL, stored(dataset, said_of([3, 5] * 2 + [3, 6] * 20), tmp_path))
    np.testing.assert_allclose(groups.share[3], [0.5, 0.5], atol=1e-5)


def test_a_class_without_training_images_is_a_group_that_is_never_the_likeliest(tmp_path):
    dataset = images(["dog", "cat", "emu"], ["train", "train", "test"])
    groups = learn(dataset, MODEL, stored(dataset, said_of([1, 2, 3]), tmp_path))
    assert groups.classes == ("cat", "dog", "emu")
    assert groups.share[1].argmax() == 1
    assert groups.share[:, 2].max() <= 1 / 3 + 1e-6


def test_missing_predictions_and_no_training_images_say_what_to_do(tmp_path):
    dataset = images(["dog", "cat"], ["train", "train"])
    with pytest.raises(LikenessError, match=r"embedded 1 of the 2 images .* embed --dataset pets --models classifier"):
        learn(dataset, MODEL, stored(dataset, said_of([1, 2]), tmp_path, rows=[0]))
    with pytest.raises(LikenessError, match="no images in 'train'"):
        learn(images(["dog"], ["test"]), MODEL, EmbeddingStore(tmp_path))


@pytest.fixture(scope="module")
def groups() -> LabelGroups:
    share = np.random.default_rng(1).dirichlet(np.full(4, 0.2), 1000).astype(np.float32)
    return LabelGroups(("a", "b", "c", "d"), share, np.ones(1000, np.float32))


@given(st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_posteriors_are_distributions_and_their_best_is_the_label(groups, count, seed):
    said = np.random.default_rng(seed).dirichlet(np.full(1000, 0.01), count).astype(np.float32)
    posterior = groups.posterior(said)
    assert posterior.dtype == np.float32
    np.testing.assert_allclose(posterior.sum(1), 1, atol=1e-4)
    for row, label in zip(said, groups.labels(said), strict=True):
        chances = [sum(float(row[k]) * float(groups.share[k, c]) for k in np.flatnonzero(row)) for c in range(4)]
        assert chances[groups.classes.index(label)] == pytest.approx(max(chances), abs=1e-5)


def test_label_matches_are_the_cosines_of_label_vectors(groups):
    said = np.random.default_rng(2).dirichlet(np.full(1000, 0.001), 30).astype(np.float32)
    said[20:] = said[:10]
    exact, same_group = Cosine(class_vectors(said)), Cosine(group_vectors(groups, said))
    a, b = np.triu_indices(30, 1)
    matches = [groups.match(said[i], said[j]) for i, j in zip(a, b, strict=True)]
    np.testing.assert_array_equal(exact.pairs(a, b), [float(match.exact) for match in matches])
    np.testing.assert_array_equal(same_group.pairs(a, b), [float(match.group) for match in matches])
    assert 0 < sum(match.exact for match in matches) < sum(match.group for match in matches) < len(matches)


def test_predictions_come_from_the_embedding_engine(tmp_path, monkeypatch):
    install(monkeypatch)
    dataset = load(paint(tmp_path / "shapes"))
    [classifier] = choose(["efficientnet_lite0_classes"])
    store = EmbeddingStore()
    embed(dataset, [classifier], store)
    said = stored_probabilities(dataset, classifier, store)
    np.testing.assert_allclose(said.sum(1), 1, atol=1e-5)
    test = dataset.splits == "test"
    found = np.array(learn(dataset, classifier, store).labels(said[test]))
    assert (found == dataset.labels[test]).mean() > 0.6, "a colour tells these classes apart, and a third is chance"
