"""The data page in each of its states."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import files, jobs, marks
from core.backbones import available
from core.datasets import load_dataset
from core.jobs import JobStatus, State
from core.neighbours import nearest_neighbours
from core.recent import DatasetChoice, remember
from core.store import EmbeddingStore
from dashboard import panels
from tests import pictures
from tests.pages.conftest import shown_chart, texts
from tests.workplace import HOSTILE, MODEL, Workplace, run_core

App = Callable[..., AppTest]


@pytest.fixture
def doubtful(tmp_path: Path, own: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset with a wrong label, an outlier and near duplicates, whose vectors say so."""
    monkeypatch.setenv("LIKENESS_CACHE", str(own))
    root = pictures.paint(tmp_path / "doubtful", 30)
    twin = pictures.picture("circle", 3, 96)
    twin.save(root / "circle" / "twin.jpg", quality=95)
    twin.resize((80, 80)).save(root / "circle" / "twin-small.jpg", quality=90)
    dataset, store, model = load_dataset(str(root)), EmbeddingStore(own), available()[MODEL]
    random = np.random.default_rng(0)
    codes = np.searchsorted(dataset.classes, dataset.labels)
    vectors = np.eye(model.spec.dim)[codes] + 0.1 * random.standard_normal((len(dataset), model.spec.dim)) / 4
    wrong, far = (int(np.flatnonzero(dataset.paths == name)[0]) for name in ("square/0004.png", "cross/0005.png"))
    vectors[wrong] = vectors[int(dataset.rows(label="circle")[0])] + 0.01
    vectors[far] = random.standard_normal(model.spec.dim)
    for name in ("circle/twin.jpg", "circle/twin-small.jpg"):
        vectors[int(np.flatnonzero(dataset.paths == name)[0])] = vectors[int(dataset.rows(label="circle")[5])]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    store.append(model.fingerprint, dataset.ids.tolist(), vectors.astype(np.float32))
    remember(DatasetChoice(dataset.ref))
    return own


def plainly(page: AppTest) -> str:
    """All that a page says in words, names as they are."""
    return texts(page).replace("\\", "")


def test_the_sentence_counts_and_says_what_was_skipped(app: App) -> None:
    page = app("data")
    assert not page.exception
    said = texts(page)
    assert "36 images in 3 classes" in said
    assert "Every class has 12." in said
    assert "2 files were skipped, 1 exact copy among them." in said
    assert HOSTILE not in said


def test_the_sentence_grows_by_what_has_been_looked_for(app: App, doubtful: Path) -> None:
    page = app("data", cache=doubtful)
    assert "Not looked for yet: near duplicates and doubtful labels." in texts(page)
    page = app("data", cache=doubtful, part="Label suspects")
    assert f"2 labels look doubtful to **{MODEL}**. Not looked for yet: near duplicates." in plainly(page)
    said = plainly(app("data", cache=doubtful, part="Duplicates"))
    assert re.search(r"(No|\d+) val or test images? ha(s|ve) a near duplicate in train\. 2 labels look doubtful", said)
    assert "Not looked for yet" not in said


def test_images_have_counts_sizes_and_samples(app: App) -> None:
    page = app("data")
    assert "All images are 96 by 80 pixels; the files, all PNG, take" in texts(page)
    bars = shown_chart(page, 0)["data"]
    assert {bar["name"] for bar in bars} == {"train", "val", "test"}
    page = app("data", samples="plain")
    assert texts(page).count("plain\n") + texts(page).endswith("plain") >= 12


def test_sizes_that_differ_are_drawn(app: App, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_CACHE", str(own))
    root = tmp_path / "sizes"
    for number, side in enumerate((20, 300, 800)):
        folder = root / f"class {number}"
        folder.mkdir(parents=True)
        for place in range(3):
            Image.new("RGB", (side + place, side), (number * 80, place * 80, 9)).save(folder / f"{place}.png")
    remember(DatasetChoice(str(root)))
    page = app("data", cache=own)
    assert not page.exception
    assert "The median image is 301 by 300 pixels; the shortest side of all is 20" in texts(page)
    assert "3 images are less than 64 pixels high or wide." in texts(page)
    assert shown_chart(page, 1)["data"][0]["type"] == "heatmap"


def test_skipped_files_have_reasons(app: App) -> None:
    page = app("data", part="Skipped files")
    frame = page.dataframe[0].value
    reasons = dict(zip(frame["file"], frame["reason"], strict=True))
    assert set(reasons) == {"plain/broken.jpg", "plain/copy.png"}
    assert "not an image" in reasons["plain/broken.jpg"]
    assert "duplicate of plain/00.png" in reasons["plain/copy.png"]


def test_names_never_become_markup(app: App) -> None:
    page = app("data")
    shown = [caption.value for caption in page.caption]
    assert any(text.startswith("\\<img src\\=x") for text in shown)
    assert any("square\\_\\*\\_" in text for text in shown)
    assert not any(HOSTILE in text for text in shown)


def test_duplicates_are_groups_of_pictures_and_what_they_do_is_told(app: App, doubtful: Path) -> None:
    page = app("data", cache=doubtful, part="Duplicates")
    assert not page.exception
    said = texts(page)
    assert "group of near duplicates" in said
    assert "circle/twin.jpg" in said.replace("\\", "")
    assert "What leaks do to the numbers" in [one.value for one in page.header]


def test_a_link_opens_a_kind_of_groups_and_a_page_of_them(app: App, tmp_path: Path, own: Path) -> None:
    root = pictures.paint(tmp_path / "copied", 10)
    for number in range(10):
        for label in pictures.CLASSES[:2]:
            (root / label / f"{number:04}-copy.png").write_bytes((root / label / f"{number:04}.png").read_bytes())
    run_core(own, "embed", "--dataset", str(root), "--models", MODEL)
    page = app("data", cache=own, part="Duplicates", groups="exact", groups_page="2", asking="val")
    assert not page.exception
    assert "20 groups of exact copies" in texts(page)
    said = plainly(page)
    assert ("cross/0009-copy.png" in said, "circle/0000-copy.png" in said) == (True, False)
    assert page.segmented_control(key="asking").value == "val"


def test_no_duplicates_is_said(app: App, tmp_path: Path, own: Path) -> None:
    random = np.random.default_rng(0)
    for number in range(9):
        folder = tmp_path / "alone" / f"class {number % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        blocks = Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        blocks.resize((96, 96), Image.Resampling.NEAREST).save(folder / f"{number}.png")
    run_core(own, "embed", "--dataset", str(tmp_path / "alone"), "--models", MODEL)
    page = app("data", cache=own, part="Duplicates")
    assert not page.exception
    assert "No two images are the same or nearly so." in texts(page)
    assert not [one for one in page.segmented_control if one.key == "groups"]


def test_a_wrong_label_is_found_marked_and_unmarked(app: App, doubtful: Path) -> None:
    page = app("data", cache=doubtful, part="Label suspects")
    assert not page.exception
    said = plainly(page)
    assert "Labelled **square** (0% of its neighbours); **circle** has 100%." in said
    assert "square/0004.png" in said
    button = next(one for one in page.button if one.key and one.key.startswith("suspect-"))
    button.click().run()
    assert b"square/0004.png" in marks.as_csv()
    assert any("marked" in one.label for one in page.button)
    next(one for one in page.button if one.key and one.key.startswith("suspect-")).click().run()
    assert b"square/0004.png" not in marks.as_csv()


def test_an_outlier_is_found(app: App, doubtful: Path) -> None:
    page = app("data", cache=doubtful, part="Outliers")
    assert not page.exception
    assert "cross/0005.png" in plainly(page)
    assert "deviations below" in texts(page)


@pytest.mark.parametrize("part", ["Duplicates", "Label suspects", "Outliers"])
def test_without_vectors_each_list_says_what_to_do(app: App, workplace: Workplace, tmp_path: Path, part: str) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    shutil.copy(workplace.cache / "recent.json", empty)
    page = app("data", cache=empty, part=part)
    assert not page.exception
    assert "No model has embedded these images yet" in texts(page)


def job(cache: Path, age: float, state: State) -> Path:
    """The folder of a job that began so many seconds ago and took 75."""
    begun = time.time() - age
    folder = cache / "jobs" / f"{int(begun)}-ab"
    folder.mkdir(parents=True)
    one = JobStatus(folder.name, ("embed", "--dataset", "/home/owner"), state, started=begun, updated=begun + 75)
    (folder / "status.json").write_text(json.dumps(asdict(one)))
    return folder


def test_jobs_that_ended_are_listed_newest_first(app: App, own: Path) -> None:
    job(own, 500, "done")
    job(own, 100, "failed")
    page = app("data", cache=own, part="Jobs and cache")
    assert not page.exception
    frame = page.dataframe[0].value
    assert frame["ended"].tolist() == ["failed", "done"]
    assert frame["took"].tolist() == ["75 s", "75 s"]


def test_space_is_freed_in_two_steps(app: App, own: Path) -> None:
    (own / "thumbnails" / "aa").mkdir(parents=True, exist_ok=True)
    (own / "thumbnails" / "aa" / "a.jpg").write_bytes(b"x" * 2_000_000)
    page = app("data", cache=own, part="Jobs and cache")
    next(one for one in page.button if one.label == "Free space").click().run()
    assert "is computed again" in texts(page)
    next(one for one in page.button if one.label == "Keep everything").click().run()
    assert (own / "thumbnails" / "aa" / "a.jpg").exists()
    next(one for one in page.button if one.label == "Free space").click().run()
    next(one for one in page.button if one.label == "Free it now").click().run()
    assert not page.exception
    assert "MB freed" in texts(page)
    assert not (own / "thumbnails" / "aa" / "a.jpg").exists()


def test_a_public_demo_computes_and_removes_nothing(app: App, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(jobs.PUBLIC_VARIABLE, "1")
    page = app("data", cache=own, part="Duplicates")
    assert "computes nothing new" in texts(page)
    page = app("data", cache=own, part="Jobs and cache")
    assert "nothing is removed" in texts(page)
    assert not [one for one in page.button if "Free" in one.label or "Embed" in one.label]


@pytest.mark.parametrize("name", ["data", "overview"])
def test_a_public_demo_shows_no_jobs_and_cancels_none(
    app: App, own: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    job(own, 500, "done")
    alive = job(own, 100, "running") / "alive"

    def shown() -> tuple[bool, bool]:
        page = app(name, cache=own, part="Jobs and cache")
        tables = [one.value.to_string() for one in page.dataframe]
        return "Cancel" in [one.label for one in page.button], "/home/owner" in plainly(page) + " ".join(tables)

    with files.locked(alive):
        assert shown() == (True, True)
        monkeypatch.setenv(jobs.PUBLIC_VARIABLE, "1")
        assert shown() == (False, False)


def test_csv_files_hold_no_formulas() -> None:
    import pandas as pd

    text = panels.as_csv(pd.DataFrame({"path": ["=cmd()", "a,b"], "number": [-1.5, 2.0], "right": [True, False]}))
    assert text.splitlines() == ["path,number,right", "'=cmd(),-1.5,True", '"a,b",2.0,False']


@pytest.mark.parametrize("part", ["Label suspects", "Outliers"])
def test_a_public_demo_shows_what_was_found_and_looks_for_nothing(
    app: App, own: Path, workplace: Workplace, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(jobs.PUBLIC_VARIABLE, "1")
    page = app("data", cache=own, part=part)
    assert "computes nothing new" in page.error[0].value
    nearest_neighbours(load_dataset(str(workplace.pictures)), available()[MODEL], EmbeddingStore(own))
    page = app("data", cache=own, part=part)
    assert not page.error
    assert not page.exception
