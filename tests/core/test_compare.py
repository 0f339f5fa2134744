"""A pair looked at fresh scores as the stored vectors do, and what is said of it is what its parts say."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import compare as module
from core import images
from core.boxes import Box, crop
from core.calibration import fit as calibrate
from core.classify import probabilities
from core.compare import (
    Comparison,
    Look,
    NoDetector,
    best_detector,
    compare,
    deciding_model,
    find_subject,
    look,
    sentence,
)
from core.datasets import load_dataset
from core.default_fusion import NAME
from core.detect import WORKING_SIDE, Detection
from core.embed import Networks, embed, embed_picture
from core.errors import LikenessError, UnreadableImage
from core.fusion import Component, Fusion, LabelPart
from core.judges import judge
from core.label_groups import LabelGroups
from core.normalise import fit
from core.policy import Decision, Policy
from core.records import Dataset
from core.reliability import ReliabilityPoint
from core.scorers import scorer_of
from core.store import EmbeddingStore
from core.threshold_report import report
from core.thresholds import Objective
from core.vectors import stored_vectors
from core.verify import verify
from tests import pictures
from tests.bad_images import bad_images, encoded, orientation_exif, photo
from tests.fakes import fake, install

A, B = fake("fake-a", dim=24), fake("fake-b", dim=12, crop=24)
C = fake("fake-classes", dim=1000)
PART = Box(0.25, 0.1, 0.75, 0.6, "cat", 0.9)
FOUND = Detection((PART,), PART, "detr", "a cat")


def groups() -> LabelGroups:
    """Every class of the classifier speaks for one group, by lot."""
    share = np.eye(3, dtype=np.float32)[np.random.default_rng(0).integers(0, 3, 1000)]
    return LabelGroups(("circle", "cross", "square"), share, np.ones(1000, np.float32))


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    return install(monkeypatch)


@pytest.fixture
def loaded(seen: Counter[str]) -> Networks:
    return {one.name: (one.spec.preprocessing, one.load()) for one in (A, B, C)}


@pytest.fixture
def dataset(tmp_path: Path, seen: Counter[str]) -> Dataset:
    found = load_dataset(str(pictures.paint(tmp_path / "shapes", 24)))
    embed(found, [A, B, C], EmbeddingStore())
    return found


@pytest.fixture
def fusion(dataset: Dataset) -> Fusion:
    val = [verify(dataset, one, EmbeddingStore(), "val").verification for one in (A, B)]
    parts = (Component(A, fit(val[0], "min-max"), 0.6), Component(B, fit(val[1], "quantile"), 0.3))
    return Fusion("mine", parts, LabelPart(C, groups(), 0.1))


def both(dataset: Dataset, loaded: Networks, a: int, b: int) -> tuple[Look, Look]:
    one, other = (look(dataset.file(row).read_bytes(), loaded, C.name) for row in (a, b))
    return one, other


def test_a_look_holds_the_stored_vectors_bit_for_bit(dataset: Dataset, loaded: Networks) -> None:
    found = look(dataset.file(5).read_bytes(), loaded)
    for network in (A, B, C):
        stored = stored_vectors(dataset, network, EmbeddingStore())[5]
        assert found.vectors[network.name].tobytes() == stored.tobytes()
    assert (found.key, found.part) == (dataset.ids[5], None)


def test_every_pair_scores_as_the_stored_ones_do(dataset: Dataset, fusion: Fusion, loaded: Networks) -> None:
    store = EmbeddingStore()
    judges = {one.name: judge(dataset, one, store) for one in (A, B, fusion)}
    scorers = {name: scorer_of(dataset, one.model, store) for name, one in judges.items()}
    for i, j in np.random.default_rng(1).integers(0, len(dataset), (30, 2)).tolist():
        found = compare(*both(dataset, loaded, i, j), judges, judges["mine"])
        for name, said in found.models.items():
            assert said.score == float(scorers[name].pairs(np.array([i]), np.array([j]))[0])
            assert said.same == judges[name].same(said.score)
            assert said.probability == judges[name].probability(said.score)
            assert said.threshold == judges[name].threshold
        assert found.decision == found.models["mine"]
        assert sum(found.contributions.values()) == found.decision.score
        assert found.like_this == judges["mine"].like_this(found.decision.score)


def test_one_model_that_decides_has_no_parts(dataset: Dataset, loaded: Networks) -> None:
    judges = {"fake-a": judge(dataset, A, EmbeddingStore())}
    found = compare(*both(dataset, loaded, 1, 2), judges, judges["fake-a"])
    assert (found.decided_by, found.contributions) == ("fake-a", {})


def test_labels_are_the_three_most_probable_and_their_match_is_that_of_the_groups(
    dataset: Dataset, loaded: Networks
) -> None:
    a, b = both(dataset, loaded, 3, 40)
    chances = probabilities(stored_vectors(dataset, C, EmbeddingStore())[3])
    assert [label.index for label in a.labels] == np.argsort(-chances)[:3].tolist()
    assert a.chances is not None
    assert b.chances is not None
    found = compare(a, b, {}, judge(dataset, A, EmbeddingStore()), groups())
    expected = groups().match(a.chances, b.chances)
    assert found.label_match is not None
    assert (found.label_match.exact, found.label_match.group) == (expected.exact, expected.group)


def test_without_a_classifier_there_are_no_labels(dataset: Dataset, loaded: Networks) -> None:
    a, b = (look(dataset.file(row).read_bytes(), loaded) for row in (0, 1))
    assert (a.labels, a.chances) == ((), None)
    assert compare(a, b, {}, judge(dataset, A, EmbeddingStore()), groups()).label_match is None


def test_a_crop_is_looked_at_as_a_picture_of_its_own(loaded: Networks) -> None:
    data = encoded(photo(640, 480), "PNG")
    found = look(data, loaded, C.name, FOUND)
    part = crop(images.decode(data, WORKING_SIDE), PART)
    alone = embed_picture(encoded(part, "PNG"), loaded)
    assert (found.part, found.picture.size) == (PART, part.size)
    assert all(np.array_equal(found.vectors[name], alone[name]) for name in loaded)
    assert [label.index for label in found.labels] == np.argsort(-np.square(alone[C.name]))[:3].tolist()


def test_where_nothing_was_found_the_whole_picture_is_looked_at(loaded: Networks) -> None:
    data = encoded(photo(3000, 2000), "JPEG", exif=orientation_exif(6))
    whole, nothing = look(data, loaded), look(data, loaded, None, Detection((), None, "none", "nothing"))
    assert nothing.part is None
    assert all(np.array_equal(whole.vectors[name], nothing.vectors[name]) for name in loaded)


def test_a_file_is_decoded_once_for_all_networks(loaded: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    real = images.decode
    monkeypatch.setattr(images, "decode", lambda *a: decoded.append(1) or real(*a))  # type: ignore[func-returns-value]
    look(encoded(photo(), "PNG"), loaded, C.name)
    assert decoded == [1]


def test_bad_files_are_refused_with_a_reason(loaded: Networks) -> None:
    for data in bad_images().values():
        with pytest.raises(UnreadableImage):
            look(data, loaded)
        with pytest.raises(UnreadableImage):
            find_subject(data, NoDetector("why"))


def test_where_nothing_can_detect_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise LikenessError("Get some weights.")

    monkeypatch.setattr(module, "load_detector", fail)
    found = find_subject(encoded(photo(), "PNG"), best_detector())
    assert (found.boxes, found.crop, found.method) == ((), None, "none")
    assert "Get some weights." in found.note


def test_a_policy_decides_as_it_does_elsewhere(
    dataset: Dataset, loaded: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.policy.known_networks", lambda: {A.name: A})
    val, test = (verify(dataset, A, EmbeddingStore(), split).verification for split in ("val", "test"))
    policy = Policy.of(dataset, A, report(val, test, Objective("f1"), calibrate(val, "isotonic"), 0.3))
    found = compare(*both(dataset, loaded, 3, 30), {"fake-a": policy}, policy)
    assert found.decision == policy.decide(dataset.file(3), dataset.file(30))
    assert found.like_this is None
    assert "is of one class with a probability of" in sentence(found)


DECISION = Decision(True, 0.8349, 0.62, 0.9, "same")
LIKE = ReliabilityPoint(0.94, 0.94, 5000, (0.903, 0.971))
PAIR = Comparison({}, "m", DECISION, {}, LIKE, None)
_SAID = " Among pairs scoring like this, 94% [90-97] were the same class."


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (PAIR, "Same class: 0.83 >= 0.62." + _SAID),
        (replace(PAIR, decision=Decision(False, 0.41, 0.62, 0.1, "different")),
         "Different classes: 0.41 < 0.62." + _SAID),
        (replace(PAIR, decision=Decision(False, 0.6196, 0.62, 0.1, "different")),
         "Different classes: 0.6196 < 0.6200." + _SAID),
        (replace(PAIR, decision=Decision(True, 0.62, 0.62, 0.1, "same")), "Same class: 0.62 >= 0.62." + _SAID),
        (replace(PAIR, like_this=replace(LIKE, observed=0.0011, interval=(0.0006, 0.0021))),
         "Same class: 0.83 >= 0.62. Among pairs scoring like this, 0.1% [0.1-0.2] were the same class."),
        (replace(PAIR, like_this=replace(LIKE, interval=None)),
         "Same class: 0.83 >= 0.62. Among pairs scoring like this, 94% were the same class."),
        (replace(PAIR, like_this=None),
         "Same class: 0.83 >= 0.62. A pair with this score is of one class with a probability of 90%."),
        (replace(PAIR, like_this=None, decision=Decision(True, 0.63, 0.62, 0.5, "review")),
         "For a person to decide: 0.63 >= 0.62. A pair with this score is of one class with a probability of 50%."),
    ],
)  # fmt: skip
def test_the_sentence(found: Comparison, words: str) -> None:
    assert sentence(found) == words


def test_one_model_decides_alone_and_several_through_the_default_fusion(dataset: Dataset, fusion: Fusion) -> None:
    store = EmbeddingStore()
    assert deciding_model(dataset, [A], store) is A
    assert deciding_model(dataset, [fusion], store) is fusion
    found = deciding_model(dataset, [A, fusion, B], store)
    assert found.name == NAME
    assert [one.name for one in found.networks][:2] == ["fake-a", "fake-b"]
    with pytest.raises(LikenessError, match="mine, mine are all fusions"):
        deciding_model(dataset, [fusion, fusion], store)
    with pytest.raises(LikenessError, match="No model"):
        deciding_model(dataset, [], store)


def test_a_look_shows_what_was_looked_at(loaded: Networks) -> None:
    upright = look(encoded(photo(64, 48), "JPEG", exif=orientation_exif(6)), loaded)
    assert isinstance(upright.picture, Image.Image)
    assert upright.picture.size == (48, 64)
