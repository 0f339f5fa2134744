"""Runs on disk: read as they are now, named without loss, and damage told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core import files, fusions
from core.errors import LikenessError
from core.training import runs
from core.training.runs import best_of
from core.training.settings import choose
from tests import trained


def test_a_run_is_read_with_all_that_is_known_of_it() -> None:
    settings = choose("siamese", "mobilenet_v2", fast=True, epochs=7)
    trained.write("one", settings, hard=[("a", "b", "c", 0.1, 0.9)], finished=True, test={"models": {}})
    run = runs.load("one")
    assert run is not None
    assert (run.name, run.settings, run.state, run.title) == ("one", settings, "finished", "shapes")
    assert (run.epoch, run.best, run.test) == (3, 2, {"models": {}})
    assert (run.history[0].loss, run.history[2].values["roc_auc"]) == (None, 0.9)
    assert (run.hard[0].negative, run.hard[0].to_negative) == ("c", 0.9)
    assert run.losses[-1] == (13 / 4, 1 / 14)
    assert best_of(run.history, "precision_at_5") == run.best
    shown = json.loads(json.dumps(run.as_json()))
    assert shown["best"] == {"epoch": 2, "metric": "roc_auc", "value": 0.9}
    assert [one["epoch"] for one in shown["history"]] == [0, 1, 2, 3]


def test_whether_it_runs_hangs_on_its_lock_alone() -> None:
    here = trained.write("one")
    with files.locked(here / "alive"):
        assert _state("one") == "running"
    assert _state("one") == "unfinished"
    trained.write("one", finished=True)
    assert _state("one") == "finished"


def _state(name: str) -> str:
    run = runs.load(name)
    assert run is not None
    return run.state


def test_a_run_that_has_only_begun_has_no_epochs() -> None:
    here = trained.write("one")
    for part in ("state", "live"):
        (here / f"{part}.json").unlink()
    run = runs.load("one")
    assert run is not None
    assert (run.epoch, run.history, run.losses, run.hard) == (0, (), (), ())


def test_the_last_one_started_comes_first_and_a_damaged_one_hides_no_other(caplog: pytest.LogCaptureFixture) -> None:
    assert runs.runs() == []
    trained.write("old", started=1.0)
    trained.write("new", started=2.0)
    (trained.write("bad") / "run.json").write_text("{}")
    assert [run.name for run in runs.runs()] == ["new", "old"]
    assert "bad is left out" in caplog.text


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("run", "{"), ("run", "[]"), ("run", '{"schema": 99}'), ("state", "[]"), ("state", '{"history": [{}]}'),
        ("live", '{"losses": [[1]]}'), ("live", "[1]"),
    ],
)  # fmt: skip
def test_damage_is_told(part: str, content: str) -> None:
    (trained.write("one") / f"{part}.json").write_text(content)
    with pytest.raises(LikenessError, match=r"damaged|schema"):
        runs.load("one")


@pytest.mark.parametrize("change", [{"images": {"train": 1}}, {"settings": {"objective": "x", "model": "m"}}])
def test_a_record_of_another_version_is_damaged(change: dict[str, Any]) -> None:
    path = trained.write("one") / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(LikenessError):
        runs.load("one")


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "-x", "x" * 65, "a b", "ä", "a\n"])
def test_a_name_that_is_no_file_name_is_refused(name: str) -> None:
    for ask in (runs.folder, runs.load, runs.check_free):
        with pytest.raises(LikenessError, match="cannot be a name"):
            ask(name)


def test_nothing_is_overwritten(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert runs.load("mine") is None
    runs.check_free("mine")
    assert runs.free_name("mine") == "mine"
    here = trained.write("mine")
    with pytest.raises(LikenessError, match="--resume"):
        runs.check_free("mine")
    with files.locked(here / "alive"), pytest.raises(LikenessError, match="being trained now"):
        runs.check_free("mine")
    trained.write("mine_2")
    assert runs.free_name("mine") == "mine_3"
    assert runs.free_name("resnet18") == "resnet18_2"
    monkeypatch.setattr(runs, "saved", lambda: {"sum": fusions})
    for name in ("resnet18", "sum"):
        with pytest.raises(LikenessError, match="name of a model already"):
            runs.check_free(name)
