"""The fusion page in each of its states."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import fusions
from core.backbones import available
from core.compare import NoDetector
from core.fusion import LABELS, Fusion
from core.store import EmbeddingStore
from core.thresholds import OBJECTIVES
from core.variants import CROPPED
from dashboard import loaders
from tests.fakes import fake
from tests.pages.conftest import OTHER, texts
from tests.workplace import MODEL

Open = Callable[..., AppTest]


def weights(page: AppTest) -> dict[str, float]:
    return {slider.label.replace("\\", ""): slider.value for slider in page.slider}


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def three_parts(app: Open, cache: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page where a classifier, which sees nothing, has looked at the pictures too."""
    said_by = fake("fake-classes", dim=1000)
    store, model = EmbeddingStore(cache), available()[MODEL]
    keys = sorted(store.keys(model.fingerprint))
    chances = np.random.default_rng(1).random((len(keys), 1000))
    store.append(said_by.fingerprint, keys, np.sqrt(chances / chances.sum(1, keepdims=True)).astype(np.float32))
    for module in ("core.default_fusion", "dashboard.loaders"):
        monkeypatch.setattr(f"{module}.default_classifier", lambda: said_by)
    return app("fusion", cache=cache)


def test_the_default_comes_first_with_what_it_does_and_why(app: Open, two_models: Path) -> None:
    page = app("fusion", cache=two_models)
    assert not page.exception
    found = weights(page)
    assert set(found) == {MODEL, OTHER}
    assert sum(found.values()) == pytest.approx(1)
    said = texts(page).replace("\\", "")
    assert "these weights wrongly match" in said
    assert "the best model alone by validation" in said
    assert "in place of 0.60 fine-tuned MobileNetV2" in said


def test_sliders_always_add_up_to_1(app: Open, two_models: Path) -> None:
    page = app("fusion", cache=two_models)
    for slider, value in ((0, 0.35), (1, 0.8), (0, 1.0), (0, 0.0)):
        page.slider[slider].set_value(value).run()
        assert page.slider[slider].value == value
        assert sum(weights(page).values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("preset", "expected"), [("Equal", {MODEL: 0.5, OTHER: 0.5}), ("Best single", {MODEL: 1.0, OTHER: 0.0})]
)
def test_presets_set_the_sliders(preset: str, expected: dict[str, float], app: Open, two_models: Path) -> None:
    page = press(app("fusion", cache=two_models), preset)
    assert weights(page) == expected


def test_learning_sets_the_sliders_and_says_what_was_reached(app: Open, two_models: Path) -> None:
    page = press(app("fusion", cache=two_models), "Learn")
    assert not page.exception
    page = press(page, "Learn")
    assert not page.exception
    assert weights(page)[MODEL] > 0.5  # the other model sees nothing
    assert "On validation" in texts(page)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_has_an_answer(objective: str, app: Open, two_models: Path) -> None:
    page = app("fusion", cache=two_models, objective=OBJECTIVES[objective].title, min_precision="0.3")
    assert not page.exception
    assert "these weights wrongly match" in texts(page) or "no threshold keeps" in texts(page)


def test_taken_apart_it_says_whether_adding_up_pays(app: Open, two_models: Path) -> None:
    page = press(app("fusion", cache=two_models), "Equal")
    page = press(page, "Take it apart")
    assert not page.exception
    said = texts(page).replace("\\", "")
    assert "the best single model by validation: F1 on test is" in said
    table = next(table.value for table in page.dataframe if "variant" in table.value)
    assert len(table) == 4
    assert table["variant"][0] == "these weights"
    assert {name.replace("\\", "") for name in table["variant"][1:3]} == {f"{MODEL} alone", f"{OTHER} alone"}
    page.slider[0].set_value(0.2).run()  # other weights have to be asked for anew
    assert not any("variant" in table.value for table in page.dataframe)


def test_a_saved_fusion_is_a_model_and_can_be_removed(
    app: Open, two_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = press(press(app("fusion", cache=two_models), "Equal"), "Take it apart")
    page.text_input(key="_fusion_name").set_value("mine")
    page = press(page, "Save")
    assert not page.exception
    saved = fusions.saved()["mine"]
    assert isinstance(saved, Fusion)
    assert saved.weights == {MODEL: 0.5, OTHER: 0.5}
    assert "mine" in page.multiselect(key="models").options
    page = page.button(key="remove-mine").click().run()
    assert not page.exception
    assert fusions.saved() == {}


def test_a_name_that_cannot_be_is_refused(app: Open, two_models: Path) -> None:
    page = app("fusion", cache=two_models)
    page.text_input(key="_fusion_name").set_value("../up")
    page = press(page, "Save")
    assert page.error
    assert "../up" in page.error[0].value.replace("\\", "")
    assert fusions.saved() == {}


def test_a_link_brings_its_weights_and_makes_them_add_up(app: Open, two_models: Path) -> None:
    page = app("fusion", cache=two_models, **{f"w-{MODEL}": "0.3", f"w-{OTHER}": "0.7"})
    assert weights(page) == {MODEL: 0.3, OTHER: 0.7}
    page = app("fusion", cache=two_models, **{f"w-{MODEL}": "0.2", f"w-{OTHER}": "0.2"})
    assert not page.exception
    assert weights(page) == {MODEL: 0.5, OTHER: 0.5}


def test_a_link_that_names_one_weight_alone_gives_it_all(app: Open, two_models: Path) -> None:
    page = app("fusion", cache=two_models, **{f"w-{MODEL}": "0.4"})
    assert not page.exception
    assert sum(weights(page).values()) == pytest.approx(1)


def test_many_small_moves_and_back_keep_the_proportions_of_the_others(
    app: Open, two_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = three_parts(app, two_models, monkeypatch)
    others = {name: weight for name, weight in weights(page).items() if name != LABELS}
    ratio = others[MODEL] / others[OTHER]
    for value in (0.97, 0.99, 0.95, 0.1):
        page.slider(key="w-labels").set_value(value).run()
        assert sum(weights(page).values()) == pytest.approx(1)
    after = weights(page)
    assert after[LABELS] == 0.1
    assert after[MODEL] / after[OTHER] == pytest.approx(ratio, rel=0.06)


def test_labels_are_a_part_and_can_be_left_out(app: Open, two_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = three_parts(app, two_models, monkeypatch)
    assert set(weights(page)) == {MODEL, OTHER, LABELS}
    assert any("stands for" in table.value for table in page.dataframe)
    page = page.toggle(key="labels").set_value(False).run()
    assert not page.exception
    assert set(weights(page)) == {MODEL, OTHER}
    assert sum(weights(page).values()) == pytest.approx(1)
    assert "Label match has no part" not in texts(page)


def test_all_the_weight_on_labels_is_answered_but_is_no_fusion(
    app: Open, two_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = three_parts(app, two_models, monkeypatch)
    page.slider(key="w-labels").set_value(1.0).run()
    assert not page.exception
    assert weights(page) == {MODEL: 0.0, OTHER: 0.0, LABELS: 1.0}
    assert "these weights wrongly match" in texts(page)
    assert "Give at least one model of the fusion a weight above 0" in page.error[0].value.replace("\\", "")


def test_where_labels_have_no_part_it_says_why(app: Open, two_models: Path) -> None:
    assert "Label match has no part" in texts(app("fusion", cache=two_models))


def test_another_objective_has_to_be_asked_for_anew(app: Open, two_models: Path) -> None:
    page = press(press(app("fusion", cache=two_models), "Equal"), "Take it apart")
    assert any("variant" in table.value for table in page.dataframe)
    page = page.selectbox(key="objective").set_value("accuracy").run()
    assert not page.exception
    assert not any("variant" in table.value for table in page.dataframe)
    assert any(button.label == "Take it apart" for button in page.button)


def test_crops_are_one_more_row_of_what_is_taken_apart(
    app: Open, two_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaders, "detector", lambda: NoDetector("none here"))
    page = press(press(app("fusion", cache=two_models), "Equal"), "Take it apart")
    page = press(page.toggle(key="crops").set_value(True).run(), "Take it apart")
    assert not page.exception
    table = next(table.value for table in page.dataframe if "variant" in table.value)
    row = table[table["variant"] == CROPPED].iloc[0]
    assert row["F1"] == table["F1"][0]
    assert row["gain in F1"].startswith("+0.0000")


def test_what_was_saved_is_named_until_the_weights_change(app: Open, two_models: Path) -> None:
    page = press(app("fusion", cache=two_models), "Equal")
    page.text_input(key="_fusion_name").set_value("mine")
    page = press(page, "Save")
    assert "These weights are saved as" in texts(page)
    page.slider[0].set_value(0.2).run()
    assert "These weights are saved as" not in texts(page)


def test_one_model_alone_gives_a_message(app: Open) -> None:
    page = app("fusion")
    assert not page.exception
    assert "adds up at least two parts" in texts(page)


def test_without_vectors_it_says_what_to_do(app: Open, empty: Path) -> None:
    page = app("fusion", cache=empty)
    assert not page.exception
    assert "python -m core embed" in texts(page)


def test_a_public_demo_saves_nothing_and_crops_nothing(
    app: Open, two_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_PUBLIC", "1")
    page = app("fusion", cache=two_models)
    assert not page.exception
    assert "saves nothing" in texts(page)
    assert all(toggle.key != "crops" for toggle in page.toggle)
