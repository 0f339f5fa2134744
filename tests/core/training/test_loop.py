"""The epochs: what a restart changes (nothing), what Ctrl-C leaves, when training stops."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.training import loop
from core.training.checkpoints import Checkpoints
from core.training.loop import Hooks, Task
from core.training.network import Learner
from core.training.runs import Epoch
from core.training.settings import Settings, choose

Small = Callable[[Settings], tuple[Task, Learner]]
SETTINGS = {
    "finetune": choose("finetune", "m", epochs=4, batch=8, patience=9, augmentation="strong"),
    "siamese": choose("siamese", "m", epochs=4, batch=8, dim=6, patience=9),
    "triplet": choose("triplet", "m", epochs=4, batch=8, dim=6, patience=9, mining="random"),
}


class _Killed(Exception):
    """Stands for a kill: nothing is tidied up."""


def _run(small: Small, settings: Settings, folder: Path, hooks: Hooks) -> tuple[bool, Learner]:
    task, learner = small(settings)
    fabric = loop.fabric_for(settings)
    fabric.launch()
    ended = loop.run(fabric, learner, task, settings, Checkpoints(folder), hooks)
    return ended, learner


def _hooks(at_step: Callable[[int], None] = lambda step: None) -> tuple[Hooks, list[Epoch]]:
    epochs: list[Epoch] = []
    return Hooks(lambda done, total, epoch, loss: at_step(done), epochs.append), epochs


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def _timeless(epochs: list[Epoch]) -> list[Any]:
    return [(one.number, one.loss, one.lr, one.values) for one in epochs]


@pytest.mark.parametrize("objective", list(SETTINGS))
def test_a_run_killed_in_an_epoch_ends_as_an_undisturbed_one(objective: str, small: Small, tmp_path: Path) -> None:
    settings = SETTINGS[objective]
    hooks, whole = _hooks()
    ended, undisturbed = _run(small, settings, tmp_path / "whole", hooks)
    assert ended
    assert [one.number for one in whole] == [0, 1, 2, 3, 4]

    def kill(step: int) -> None:
        if step == 10:  # an epoch has 4
            raise _Killed

    hooks, before = _hooks(kill)
    with pytest.raises(_Killed):
        _run(small, settings, tmp_path / "killed", hooks)
    torch.manual_seed(99)  # whatever a new process draws first
    hooks, after = _hooks()
    ended, resumed = _run(small, settings, tmp_path / "killed", hooks)
    assert ended
    assert [one.number for one in after] == [3, 4]
    assert _timeless(before + after) == _timeless(whole)
    assert _same(undisturbed.state_dict(), resumed.state_dict())
    assert _same(Checkpoints(tmp_path / "whole").best(), Checkpoints(tmp_path / "killed").best())


def test_ctrl_c_stops_after_the_step_and_keeps_the_finished_epochs(small: Small, tmp_path: Path) -> None:
    taken = []

    def interrupt(step: int) -> None:
        taken.append(step)
        if step == 6:
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    hooks, epochs = _hooks(interrupt)
    ended, _ = _run(small, SETTINGS["triplet"], tmp_path, hooks)
    assert not ended
    assert taken[-1] == 6
    assert [one.number for one in epochs] == [0, 1]
    assert signal.getsignal(signal.SIGINT) is before
    hooks, epochs = _hooks()
    assert _run(small, SETTINGS["triplet"], tmp_path, hooks)[0]
    assert [one.number for one in epochs] == [2, 3, 4]


def test_ctrl_c_twice_stops_at_once(small: Small, tmp_path: Path) -> None:
    def interrupt(step: int) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        _run(small, SETTINGS["triplet"], tmp_path, _hooks(interrupt)[0])


def test_it_stops_when_validation_no_longer_improves(small: Small, tmp_path: Path) -> None:
    settings = choose("triplet", "m", epochs=50, batch=8, dim=6, patience=2, lr=1e-7, trunk_lr=0.0)
    hooks, epochs = _hooks()
    assert _run(small, settings, tmp_path, hooks)[0]
    best = max(epochs, key=lambda one: one.values["precision_at_5"]).number
    assert epochs[-1].number == best + 2 < 50
    again, none = _hooks()
    assert _run(small, settings, tmp_path, again)[0]
    assert none == []


def test_a_frozen_trunk_keeps_its_weights_and_its_batch_statistics(small: Small, tmp_path: Path) -> None:
    settings = choose("finetune", "m", epochs=2, frozen_epochs=1, batch=8, patience=9)
    _, start = small(settings)
    kept: list[dict[str, torch.Tensor]] = []
    task, learner = small(settings)
    hooks = Hooks(lambda *_: None, lambda epoch: kept.append({n: t.clone() for n, t in learner.state_dict().items()}))
    fabric = loop.fabric_for(settings)
    fabric.launch()
    loop.run(fabric, learner, task, settings, Checkpoints(tmp_path), hooks)
    _, frozen, free = ({n: t for n, t in one.items() if n.startswith("trunk.")} for one in kept)
    first = {n: t for n, t in start.state_dict().items() if n.startswith("trunk.")}
    assert _same(first, frozen)
    assert not _same(first, free)
    assert not torch.equal(kept[0]["objective.weight"], kept[1]["objective.weight"])


def test_the_learning_rate_rises_and_falls(small: Small, tmp_path: Path) -> None:
    settings = choose("triplet", "m", epochs=5, batch=8, dim=6, warmup=0.4, patience=9, lr=0.5)
    hooks, epochs = _hooks()
    _run(small, settings, tmp_path, hooks)
    rates = [one.lr for one in epochs]
    assert rates[0] == 0
    assert rates[2] == pytest.approx(0.5)
    assert rates[1] < rates[2] > rates[3] > rates[4] > rates[5] == pytest.approx(0, abs=1e-9)


def test_it_learns(small: Small, tmp_path: Path) -> None:
    settings = choose("finetune", "m", epochs=6, batch=8, patience=9, trunk_lr=1.0, lr=0.02, from_scratch=True)
    hooks, epochs = _hooks()
    _run(small, settings, tmp_path, hooks)
    losses = [one.loss for one in epochs if one.loss is not None]
    assert losses[-1] < 0.8 * losses[0]


def test_a_best_epoch_whose_file_is_damaged_gives_way_to_the_best_that_is_left(small: Small, tmp_path: Path) -> None:
    settings = SETTINGS["triplet"]
    hooks, _ = _hooks()
    _run(small, settings, tmp_path, hooks)
    state = json.loads((tmp_path / "state.json").read_text())
    for epoch in state["history"]:  # as if the last had been best and the first next best
        epoch["values"]["precision_at_5"] = {0: 2.0, 4: 3.0}.get(epoch["number"], 0.1)
    state["best"] = 4
    (tmp_path / "state.json").write_text(json.dumps(state))
    (tmp_path / "epoch-00004.safetensors").write_bytes(b"nonsense")
    (tmp_path / "epoch-00000.safetensors").unlink(missing_ok=True)
    hooks, again = _hooks()
    assert _run(small, settings, tmp_path, hooks)[0]
    assert [one.number for one in again] == [4]
    assert Checkpoints(tmp_path).best(), "the best epoch has its weights"
