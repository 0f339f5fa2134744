from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets.splits import apportion, assign_splits, check_options, thin_out, top_classes
from core.errors import LikenessError
from core.records import DatasetOptions

sizes = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 60), min_size=1)
shares = st.tuples(st.integers(1, 100), st.integers(0, 100), st.integers(0, 100))


def images(counts: dict[str, int]):
    labels = np.array([label for label, count in counts.items() for _ in range(count)])
    ids = np.array([hashlib.sha256(str(row).encode()).hexdigest()[:32] for row in range(len(labels))])
    return ids, labels


def assign(ids, labels, given=None, **options):
    given = np.full(len(ids), "") if given is None else np.array(given)
    return assign_splits(ids, labels, given, DatasetOptions(**options))


@given(sizes, shares, st.integers(0, 5), st.randoms(use_true_random=False))
def test_order_does_not_matter(counts, shares, seed, random):
    ids, labels = images(counts)
    order = list(range(len(ids)))
    random.shuffle(order)
    splits = assign(ids, labels, shares=shares, seed=seed)
    assert assign(ids[order], labels[order], shares=shares, seed=seed).tolist() == splits[order].tolist()


@given(sizes, shares)
def test_proportions_within_each_class(counts, shares):
    ids, labels = images(counts)
    splits = assign(ids, labels, shares=shares)
    for label, count in counts.items():
        found = Counter(splits[labels == label].tolist())
        for name, share in zip(("train", "val", "test"), shares, strict=True):
            quota = count * share / sum(shares)
            assert share or not found[name]
            assert abs(found[name] - quota) <= 2 or found[name] == 1
            if count >= 3 and share:
                assert found[name] >= 1


@given(sizes)
def test_one_class_does_not_move_another(counts):
    ids, labels = images(counts)
    splits = assign(ids, labels)
    keep = labels != labels[0]
    assert assign(ids[keep], labels[keep]).tolist() == splits[keep].tolist()


def test_an_added_image_moves_few():
    ids, labels = images({"a": 1000})
    before, after = assign(ids[:-1], labels[:-1]), assign(ids, labels)
    assert (before != after[:-1]).sum() <= 2


def test_seeds_differ_and_repeat():
    ids, labels = images({"a": 100})
    assert assign(ids, labels, seed=1).tolist() == assign(ids, labels, seed=1).tolist()
    assert assign(ids, labels, seed=1).tolist() != assign(ids, labels, seed=2).tolist()


def test_a_known_answer():
    """The order is that of sha256("seed:id"): other programs can tell an image's split too."""
    ids, labels = images({"a": 10})
    ranked = sorted(ids.tolist(), key=lambda id_: hashlib.sha256(f"4:{id_}".encode()).hexdigest())
    splits = dict(zip(ids.tolist(), assign(ids, labels, seed=4).tolist(), strict=True))
    assert [splits[id_] for id_ in ranked] == ["train"] * 7 + ["val"] * 2 + ["test"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["train"] * 85 + ["val"] * 15, {"train": 70, "val": 15, "test": 15}),
        (["train"] * 85 + ["test"] * 15, {"train": 70, "val": 15, "test": 15}),
        (["train"] * 100, {"train": 70, "val": 15, "test": 15}),
        (["train"] * 60 + ["val"] * 20 + ["test"] * 20, {"train": 60, "val": 20, "test": 20}),
    ],
)
def test_missing_splits_come_out_of_train(given, expected):
    ids, labels = images({"a": 100})
    splits = assign(ids, labels, given)
    assert Counter(splits.tolist()) == expected
    own = np.array(given) != "train"
    assert (splits[own] == np.array(given)[own]).all()


@pytest.mark.parametrize("given", [["val"] * 4, ["test"] * 4, ["val", "val", "test", "test"]])
def test_no_train(given):
    ids, labels = images({"a": 4})
    with pytest.raises(LikenessError, match="expected a train split"):
        assign(ids, labels, given)


@pytest.mark.parametrize(
    "shares", [(0, 1, 1), (-1, 1, 1), (70, -1, 1), (float("nan"), 1, 1), (1, float("inf"), 1), (1, 2)]
)
def test_bad_shares(shares):
    with pytest.raises(LikenessError, match="three numbers"):
        check_options(DatasetOptions(shares=shares))


@pytest.mark.parametrize("options", [{"top_classes": 0}, {"per_class": -3}])
def test_bad_counts(options):
    with pytest.raises(LikenessError, match="at least 1"):
        check_options(DatasetOptions(**options))


@given(st.integers(0, 500), st.lists(st.integers(0, 50), min_size=3, max_size=3).filter(any))
def test_apportion(count, shares):
    parts = apportion(count, shares)
    assert sum(parts) == count
    assert all(part >= 0 and (share or not part) for part, share in zip(parts, shares, strict=True))


def test_top_classes_are_the_most_frequent_then_by_name():
    labels = np.array(["b"] * 3 + ["a"] * 2 + ["c"] * 2 + ["d"])
    assert set(labels[top_classes(labels, 2)]) == {"a", "b"}
    assert top_classes(labels, None).all()
    assert top_classes(labels, 99).all()


@given(sizes, st.integers(1, 70))
def test_thinning(counts, per_class):
    ids, labels = images(counts)
    splits = assign(ids, labels)
    keep = thin_out(ids, labels, splits, DatasetOptions(per_class=per_class))
    for label, count in counts.items():
        mine = keep & (labels == label)
        assert mine.sum() == min(per_class, count)
        if mine.sum() >= 3:
            assert set(splits[mine]) == set(splits[labels == label])


def test_thinning_is_by_content_and_nested():
    ids, labels = images({"a": 100, "b": 50})
    splits = assign(ids, labels)
    small, large = (thin_out(ids, labels, splits, DatasetOptions(per_class=n)) for n in (10, 20))
    assert (large[small]).all()
    assert Counter(splits[large & (labels == "a")].tolist()) == {"train": 14, "val": 3, "test": 3}
    order = np.random.default_rng(0).permutation(len(ids))
    shuffled = thin_out(ids[order], labels[order], splits[order], DatasetOptions(per_class=20))
    assert (shuffled == large[order]).all()
