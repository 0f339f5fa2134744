"""What a fusion is compared with, on the same images."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.boxes import Box
from core.detect import Detection
from core.errors import LikenessError
from core.fusion import LABELS, reweighted
from core.fusion_parts import fusion_of
from core.store import EmbeddingStore
from core.variants import CROPPED, on_crops, variants_of
from core.verify import verify
from tests.fakes import install
from tests.parts import A, B, Workbench, slow_scores, workbench

__all__ = ["workbench"]


class Finds:
    """Finds the same part in every picture, or nothing."""

    def __init__(self, part: Box | None) -> None:
        self.part, self.fingerprint = part, "0" * 31 + ("1" if part else "0")

    def __call__(self, picture: Image.Image) -> Detection:
        return Detection((), self.part, "none" if self.part is None else "detr", "")


def test_each_part_is_left_out_and_stands_alone(workbench: Workbench) -> None:
    found = variants_of(workbench.dataset, workbench.parts, workbench.parts, workbench.store)
    assert [(one.kind, one.label) for one in found] == [
        ("whole", "equal weights"), ("without", "without fake-a"), ("without", "without fake-b"),
        ("without", f"without {LABELS}"), ("alone", "fake-a alone"), ("alone", "fake-b alone"),
        ("alone", f"{LABELS} alone"),
    ]  # fmt: skip
    single = verify(workbench.dataset, A, workbench.store, "test").verification
    assert (found[4].test.scores.same == single.scores.same).all()
    assert all(one.test.items == single.items for one in found)


def test_of_two_parts_none_is_left_out_for_the_other_stands_alone(workbench: Workbench) -> None:
    parts = fusion_of(workbench.dataset, [A, B], workbench.store, "min-max")
    usual = reweighted(parts, {"fake-a": 0.9, "fake-b": 0.1}, "usual")
    found = variants_of(workbench.dataset, parts, parts, workbench.store, [usual])
    assert [one.kind for one in found] == ["whole", "alone", "alone", "other"]
    assert found[-1].weights == {"fake-a": 0.9, "fake-b": 0.1}


def test_parts_that_the_fusion_does_not_use_stand_alone_too(workbench: Workbench) -> None:
    fusion = reweighted(workbench.parts, {"fake-b": 1.0}, "mine")
    found = variants_of(workbench.dataset, fusion, workbench.parts, workbench.store)
    assert [one.label for one in found] == ["mine", "fake-a alone", "fake-b alone", f"{LABELS} alone"]


def test_what_is_left_out_is_left_out_of_every_pair(workbench: Workbench) -> None:
    found = {one.label: one for one in variants_of(
        workbench.dataset, workbench.parts, workbench.parts, workbench.store
    )}  # fmt: skip
    same = slow_scores(workbench, LABELS, "test")[1]
    scores = {part: slow_scores(workbench, part, "test")[0] for part in workbench.parts.weights}
    for part in scores:
        rest = sum(scores[other] for other in scores if other != part) / 2
        for label, sums in ((f"without {part}", rest), *([(f"{part} alone", scores[part])] if part == LABELS else [])):
            threshold = 0.51
            fmr, fnmr = found[label].test.rates(threshold)
            assert fmr == sum(one >= threshold for one in sums[~same]) / (~same).sum()
            assert fnmr == sum(one < threshold for one in sums[same]) / same.sum()


def test_what_cannot_be_compared_is_named(workbench: Workbench) -> None:
    data = workbench.dataset
    one_class = data.take(np.flatnonzero((data.splits != "test") | (data.labels == "circle")))
    with pytest.raises(LikenessError, match="All images are of one class"):
        variants_of(one_class, workbench.parts, workbench.parts, workbench.store)
    with pytest.raises(LikenessError, match="All images are of one class"):
        on_crops(one_class, workbench.parts, Finds(None), workbench.store)
    empty = EmbeddingStore(workbench.store.folder / "empty")
    with pytest.raises(LikenessError, match="fake-a has not embedded"):
        variants_of(data, workbench.parts, workbench.parts, empty)


def test_only_validation_and_test_images_are_cropped(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = install(monkeypatch)
    on_crops(workbench.dataset, workbench.parts, Finds(Box(0.2, 0.2, 0.8, 0.8, "it", 0.9)), workbench.store)
    assert seen == dict.fromkeys(("fake-a", "fake-b", "fake-classes"), int((workbench.dataset.splits != "train").sum()))


def test_where_nothing_is_found_crops_change_nothing(workbench: Workbench) -> None:
    found = on_crops(workbench.dataset, workbench.parts, Finds(None), workbench.store)
    whole = variants_of(workbench.dataset, workbench.parts, workbench.parts, workbench.store)[0]
    assert (found.name, found.kind) == (CROPPED, "other")
    for one, other in ((found.val, whole.val), (found.test, whole.test)):
        assert np.array_equal(one.scores.same, other.scores.same)
        assert np.array_equal(one.scores.different, other.scores.different)
        assert np.array_equal(one.scores.sizes, other.scores.sizes)


def test_crops_are_what_is_compared(workbench: Workbench) -> None:
    found = on_crops(workbench.dataset, workbench.parts, Finds(Box(0.2, 0.2, 0.8, 0.8, "it", 0.9)), workbench.store)
    whole = variants_of(workbench.dataset, workbench.parts, workbench.parts, workbench.store)[0]
    assert not np.array_equal(found.test.scores.same, whole.test.scores.same)
    assert found.test.items == whole.test.items


@pytest.mark.parametrize("split", ["val", "test"])
def test_variants_share_their_draws(split: str, workbench: Workbench) -> None:
    found = [
        getattr(one, split) for one in variants_of(workbench.dataset, workbench.parts, workbench.parts, workbench.store)
    ]
    assert len({one.scores.draws.shape[1] for one in found}) == 1
