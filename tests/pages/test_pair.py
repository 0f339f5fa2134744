"""The pair page in each of its states."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import uploads
from core.backbones import Backbone
from core.boxes import Box
from core.cli import main
from core.compare import NoDetector
from core.datasets import load_dataset
from core.detect import Detection
from tests.bad_images import bad_images, odd_images
from tests.fakes import FakeRunner, fake, install
from tests.pages.conftest import OTHER, texts
from tests.workplace import HOSTILE, MODEL, Workplace

Open = Callable[..., AppTest]
LINK = {"a": "plain/03.png", "b": "square_*_/02.png"}
PART = Box(0.1, 0.1, 0.6, 0.7, HOSTILE, 0.9)
CLASSES = fake("fake-classes", dim=1000)


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No classifier and no detector, which would have to be exported first."""
    classify(monkeypatch, None)
    monkeypatch.setattr("dashboard.loaders.best_detector", lambda: NoDetector("Get some weights."))


def classify(monkeypatch: pytest.MonkeyPatch, classifier: object) -> None:
    for module in ("core.labelling", "core.default_fusion", "dashboard.loaders"):
        monkeypatch.setattr(f"{module}.default_classifier", lambda: classifier)


def said(page: AppTest) -> str:
    """All that the page says, without the backslashes that keep names from becoming markup."""
    return texts(page).replace("\\", "")


def test_with_nothing_chosen_it_says_what_to_do(app: Open) -> None:
    page = app("pair")
    assert not page.exception
    assert "Choose two images above" in said(page)
    assert "## " not in texts(page)


def test_a_link_opens_two_images_with_the_answer(app: Open) -> None:
    page = app("pair", **LINK)
    assert not page.exception
    assert re.search(
        r"## (Same class|Different classes): [\d.]+ (>=|<) [\d.]+\. Among pairs scoring like this", said(page)
    )
    assert re.search(r"The dataset calls them plain and square_\*_, so this is (right|wrong)", said(page))
    assert f"Decided by {MODEL}." in said(page)
    assert page.dataframe[0].value["model"].tolist() == [MODEL]
    shown = [image.proto.imgs[0].alt for image in page.get("image")]
    assert [alt for alt in shown if ": " in alt] == [
        "First image: plain, plain/03.png. Found: nothing", "Second image: square_*_, square_*_/02.png. Found: nothing",
    ]  # fmt: skip
    assert "this pair: " in page.get("plotly_chart")[0].proto.spec
    assert "The known pairs that score nearest to it" in said(page)


def test_a_pair_is_not_among_the_known_pairs_nearest_to_itself(app: Open, workplace: Workplace) -> None:
    dataset = load_dataset(str(workplace.pictures))
    row = int(np.flatnonzero(dataset.splits == "val")[0])
    path = str(dataset.paths[row])
    nearest = {button.key for button in app("pair", a=path, b=path).button}
    compared = next(key for key in nearest if key and key.startswith("compare-"))
    a, b = (str(dataset.paths[int(end)]) for end in compared.split("-")[1:])
    beside = {button.key for button in app("pair", a=a, b=b).button}
    assert any(str(key).startswith("compare-") for key in beside)
    assert compared not in beside


def test_the_command_prints_what_the_page_shows(
    app: Open, workplace: Workplace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = app("pair", **LINK)
    monkeypatch.setenv("LIKENESS_WEIGHTS", "")
    monkeypatch.setattr("core.cli.compare.best_detector", lambda: NoDetector("why"))
    images = [str(workplace.pictures / path) for path in LINK.values()]
    assert main(["compare", *images, "--dataset", str(workplace.pictures), "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    row = page.dataframe[0].value.iloc[0]
    assert [row["similarity"], row["same from"], row["P(same)"]] == [
        found["score"], found["threshold"], found["probability"]
    ]  # fmt: skip
    assert (row["verdict"] == "✓ same") == found["same"]
    assert main(["compare", *images, "--dataset", str(workplace.pictures)]) == 0
    assert capsys.readouterr().out.splitlines()[0] in said(page)


def test_uploads_are_compared_and_reopen_from_their_link(app: Open, workplace: Workplace) -> None:
    page = app("pair", a_from="Upload", b_from="Upload")
    data = [(workplace.pictures / path).read_bytes() for path in LINK.values()]
    for place in (0, 1):
        page.file_uploader[place].set_value([(f"{place}.png", data[place], "image/png")])
        page.run()
    assert not page.exception
    answer = next(one.value for one in page.markdown if one.value.startswith("## "))
    assert "The dataset calls" not in said(page)
    again = app("pair", **{key: uploads.keep(one) for key, one in zip(LINK, data, strict=True)})
    assert answer in [one.value for one in again.markdown]
    assert answer in [one.value for one in app("pair", **LINK).markdown]


def test_a_public_demo_compares_uploads_and_keeps_none(
    app: Open, workplace: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "public"
    shutil.copytree(workplace.cache, place, ignore=shutil.ignore_patterns("uploads"))
    monkeypatch.setenv("LIKENESS_PUBLIC", "1")
    page = app("pair", cache=place, a_from="Upload", b="plain/03.png")
    page.file_uploader[0].set_value([("0.png", (workplace.pictures / "plain" / "05.png").read_bytes(), "image/png")])
    page.run()
    assert "## " in texts(page)
    assert "a" not in page.query_params
    assert not (place / "uploads").exists()


def test_every_bad_file_gives_a_message_and_the_page_lives_on(app: Open) -> None:
    page = app("pair", a_from="Upload", b="plain/03.png")
    for name, data in list(bad_images().items())[::4]:
        page.file_uploader[0].set_value([(name, data, "image/jpeg")])
        page.run()
        assert not page.exception, name
        assert "First image: this file cannot be used: " in said(page), name
        assert "## " not in texts(page), name
    for name, (data, _) in list(odd_images().items())[::6]:
        page.file_uploader[0].set_value([(name, data, "image/jpeg")])
        page.run()
        assert not page.exception, name
        assert "## " in texts(page), name


def test_crops_change_the_score_and_say_by_how_much(app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.loaders.best_detector", lambda: Fixed())
    page = app("pair", **LINK)
    before = page.dataframe[0].value["similarity"][0]
    page.toggle(key="crop").set_value(True).run()
    assert not page.exception
    after = page.dataframe[0].value["similarity"][0]
    assert after != before
    assert f"Cropping moves the score from {before:.4f} to {after:.4f} ({after - before:+.4f})" in said(page)
    assert "by an activation map" in said(page)


class Fixed:
    """Finds the same part in every picture, under a name that would like to be markup."""

    fingerprint = "fixed"

    def __call__(self, _: object) -> Detection:
        return Detection((PART,), PART, "activation map", "The box is fixed.")


def test_names_never_become_markup(app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.loaders.best_detector", lambda: Fixed())
    page = app("pair", a=f"{HOSTILE}/02.png", b="square_*_/02.png")
    assert not page.exception
    assert HOSTILE in said(page)
    assert HOSTILE not in texts(page)


def test_where_nothing_was_detected_it_says_why(app: Open) -> None:
    page = app("pair", **LINK)
    assert "nothing found: whole picture" in said(page)
    assert any("Get some weights" in caption.help.replace("\\", "") for caption in page.caption if caption.help)


def test_evidence_can_be_laid_over_both_pictures(app: Open) -> None:
    page = app("pair", **LINK, evidence="true")
    assert not page.exception
    assert page.selectbox(key="evidence_of").options == [MODEL]
    assert "What each region adds to the score" in said(page)
    page.toggle(key="evidence").set_value(False).run()
    assert "What each region adds to the score" not in said(page)


def test_labels_are_shown_and_what_is_missing_for_their_groups(app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    load = Backbone.load
    runner = FakeRunner(CLASSES.name, 1000, Counter())
    monkeypatch.setattr(Backbone, "load", lambda self: runner if self == CLASSES else load(self))
    classify(monkeypatch, CLASSES)
    page = app("pair", **LINK)
    assert not page.exception
    assert sum(bool(re.match(r"1\. .*%\*\*\n2\. ", one.value)) for one in page.markdown) == 2
    assert re.search(r"The labels (are the same|differ)\.", said(page))
    assert "python -m core embed" in said(page)
    assert any("Embed with" in button.label for button in page.button)


@pytest.fixture
def two_models(two_models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, with networks that answer at once."""
    install(monkeypatch)
    return two_models


def test_several_models_are_added_up_unless_one_is_to_decide(app: Open, two_models: Path) -> None:
    page = app("pair", cache=two_models, **LINK)
    assert not page.exception
    assert page.selectbox(key="decider").options == ["default fusion", OTHER, MODEL]
    table = page.dataframe[0].value
    assert table["model"].tolist() == ["default fusion", OTHER, MODEL]
    bars = json.loads(page.get("plotly_chart")[0].proto.spec)["data"]
    assert sum(bar["x"][0] for bar in bars) == pytest.approx(table["similarity"][0])
    page.selectbox(key="decider").set_value(MODEL).run()
    assert not page.exception
    assert page.dataframe[0].value["model"].tolist() == [MODEL, OTHER]
    assert f"Decided by {MODEL}." in said(page)
    alone = app("pair", cache=two_models, **LINK, models=[OTHER])
    assert alone.selectbox(key="decider").options == [OTHER]


def test_what_was_just_chosen_outlives_a_browser_that_lags_behind(app: Open) -> None:
    page = app("pair", a="plain/03.png")
    page.session_state["_a_held"] = "plain/05.png"
    page.run()
    assert page.text_input(key="a_path").value == "plain/05.png"
    page.query_params["a"] = "plain/03.png"  # sent before the address bar changed
    page.run()
    assert page.text_input(key="a_path").value == "plain/05.png"


def test_a_pair_that_is_known_can_be_compared_next(app: Open) -> None:
    page = app("pair", **LINK)
    next(button for button in page.button if (button.key or "").startswith("compare-")).click().run()
    assert not page.exception
    assert [page.text_input(key=f"{key}_path").value for key in LINK] != list(LINK.values())
    assert "## " in texts(page)


def test_without_vectors_it_says_how_to_make_them(app: Open, empty: Path) -> None:
    page = app("pair", cache=empty)
    assert not page.exception
    assert "python -m core embed" in texts(page)


def test_a_pair_head_can_decide_and_is_asked_beside_its_encoder(app: Open, paired: Path) -> None:
    page = app("pair", cache=paired, **LINK, models=["tuned", "tuned_pairs"])
    assert not page.exception
    assert page.selectbox(key="decider").options == ["default fusion", "tuned_pairs", "tuned"]
    page.selectbox(key="decider").set_value("tuned_pairs").run()
    assert not page.exception
    assert "Decided by tuned_pairs." in said(page)
    table = next(table.value for table in page.dataframe if "verdict" in table.value)
    assert table["model"].str.replace("\\", "").tolist() == ["tuned_pairs", "tuned"]
