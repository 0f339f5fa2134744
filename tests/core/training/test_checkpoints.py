"""Epochs on disk: kept whole, told when damaged, never lost to a full disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import torch

from core.errors import LikenessError
from core.training.checkpoints import Checkpoints
from core.training.runs import Epoch, HardTriplet

METRIC = "precision_at_5"
VALUES = (0.5, 0.7, 0.6, 0.65)


def _history(count: int) -> list[Epoch]:
    return [Epoch(number, 1.0, None if number == 0 else 0.5, 0.1, {METRIC: VALUES[number]}) for number in range(count)]


def _weights(number: int) -> dict[str, torch.Tensor]:
    return {"layer.weight": torch.full((3, 2), float(number)), "batches": torch.tensor(number)}


def _write(checkpoints: Checkpoints, count: int) -> None:
    parameter = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.AdamW([parameter])
    parameter.sum().backward()
    optimizer.step()
    for number in range(count):
        best = max(range(number + 1), key=VALUES.__getitem__)
        hard = [HardTriplet("a", "p", "n", 0.1, 0.9)]
        checkpoints.write(_weights(number), optimizer.state_dict(), _history(number + 1), best, hard)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


def test_nothing_was_kept_before_the_first_epoch(folder: Path) -> None:
    assert Checkpoints(folder).restore(METRIC) is None


def test_the_last_epoch_comes_back_with_its_optimizer_and_all_that_was_known(folder: Path) -> None:
    _write(Checkpoints(folder), 4)
    found = Checkpoints(folder).restore(METRIC)
    assert found is not None
    assert torch.equal(found.weights["layer.weight"], _weights(3)["layer.weight"])
    assert found.weights["batches"].dtype == torch.int64
    assert found.optimizer["state"][0]["exp_avg"].shape == (2,)
    assert list(found.history) == _history(4)
    assert found.best == 1


def test_the_best_epoch_and_the_last_two_are_kept(folder: Path) -> None:
    checkpoints = Checkpoints(folder)
    _write(checkpoints, 4)
    kept = sorted(path.name for path in folder.glob("epoch-*.safetensors"))
    assert kept == [f"epoch-0000{number}.safetensors" for number in (1, 2, 3)]
    assert torch.equal(checkpoints.best()["layer.weight"], _weights(1)["layer.weight"])
    checkpoints.clear()
    assert not list(folder.glob("epoch-*"))


@pytest.mark.parametrize("damaged", ["epoch-00003.safetensors", "epoch-00003.optimizer.pt"])
def test_a_damaged_epoch_is_told_and_the_one_before_is_taken(
    folder: Path, damaged: str, caplog: pytest.LogCaptureFixture
) -> None:
    _write(Checkpoints(folder), 4)
    data = bytearray((folder / damaged).read_bytes())
    data[-1] ^= 1
    (folder / damaged).write_bytes(data)
    found = Checkpoints(folder).restore(METRIC)
    assert "epoch 3 is damaged" in caplog.text
    assert found is not None
    assert (len(found.history), found.best) == (3, 1)
    assert torch.equal(found.weights["layer.weight"], _weights(2)["layer.weight"])


def test_a_best_epoch_that_is_gone_is_no_longer_the_best(folder: Path) -> None:
    _write(Checkpoints(folder), 4)
    (folder / "epoch-00001.safetensors").unlink()
    found = Checkpoints(folder).restore(METRIC)
    assert found is not None
    assert found.best == 3


def test_where_all_is_damaged_the_message_says_so(folder: Path) -> None:
    _write(Checkpoints(folder), 2)
    for path in folder.glob("epoch-*"):
        path.write_bytes(b"nonsense")
    with pytest.raises(LikenessError, match=r"damaged.*train again"):
        Checkpoints(folder).restore(METRIC)
    with pytest.raises(LikenessError, match="damaged"):
        Checkpoints(folder).best()
    (folder / "state.json").write_text("{")
    with pytest.raises(LikenessError, match=r"state\.json is damaged"):
        Checkpoints(folder).restore(METRIC)


def test_a_full_disk_loses_no_finished_epoch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints = Checkpoints(folder)
    _write(checkpoints, 3)
    sync, calls = os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) > 1:  # the weights still fit
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LikenessError, match=r"The disk is full.*What was written before is safe"):
        checkpoints.write(_weights(3), {}, _history(4), 1, [])
    monkeypatch.undo()
    found = Checkpoints(folder).restore(METRIC)
    assert found is not None
    assert (len(found.history), found.best) == (3, 1)
    assert torch.equal(found.weights["layer.weight"], _weights(2)["layer.weight"])
