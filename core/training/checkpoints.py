"""Every finished epoch on disk, so that a kill, a full disk or a damaged file costs at most the one under way.

An epoch is two files, weights (safetensors) and optimizer (tensors and numbers, read with ``weights_only``);
``state.json`` is replaced last and names them with their checksums. The best epoch and the last two are kept.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save

from core import files
from core.errors import LikenessError
from core.training.runs import Epoch, HardTriplet, best_of

_log = logging.getLogger(__name__)
_KEPT = 2


@dataclass(frozen=True)
class Restored:
    """Where to go on: the weights and the optimizer of an epoch, and all that was known then."""

    weights: Mapping[str, torch.Tensor]
    optimizer: dict[str, Any]
    history: tuple[Epoch, ...]
    best: int


class Checkpoints:
    """The epochs of one run, kept in its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(
        self, weights: Mapping[str, torch.Tensor], optimizer: Mapping[str, Any], history: Sequence[Epoch], best: int,
        hard: Sequence[HardTriplet],
    ) -> None:  # fmt: skip
        """Keep the last epoch of ``history``; on disk when this returns.

        Raises:
            LikenessError: the disk is full; the epochs before it stay.
        """
        number = history[-1].number
        sums = {}
        for path, data in zip(self._of(number), (_tensors(weights), _numbers(optimizer)), strict=True):
            files.write_bytes(path, data)
            sums[path.name] = hashlib.sha256(data).hexdigest()
        wanted = {best, *range(number - _KEPT + 1, number + 1)}
        before = files.read_json(self._folder / "state.json") or {}
        known = {name: digest for name, digest in before.get("files", {}).items() if _number(name) in wanted} | sums
        state = {
            "history": [{**asdict(one), "values": dict(one.values)} for one in history], "best": best,
            "hard": [asdict(one) for one in hard], "files": known,
        }  # fmt: skip
        files.write_json(self._folder / "state.json", state)
        for path in self._folder.glob("epoch-*"):
            if path.name not in known:
                path.unlink(missing_ok=True)

    def restore(self, metric: str) -> Restored | None:
        """The last whole epoch, or None where none was finished. Damaged ones are warned about.

        Args:
            metric: decides which of the epochs that are still whole is best.

        Raises:
            LikenessError: all of those kept are damaged.
        """
        files.clear_leftovers(self._folder)
        state = files.read_json(self._folder / "state.json")
        if state is None:
            if (self._folder / "state.json").exists():
                raise LikenessError(f"{self._folder / 'state.json'} is damaged. Delete the folder and train again.")
            return None
        history = tuple(Epoch(**one) for one in state["history"])
        for epoch in reversed(history[-_KEPT:]):
            weights, optimizer = self._of(epoch.number)
            if not (_whole(weights, state) and _whole(optimizer, state)):
                _log.warning("The checkpoint of epoch %d is damaged; going back to the one before.", epoch.number)
                continue
            past = history[: epoch.number + 1]
            whole = [one for one in past if _whole(self._of(one.number)[0], state)]
            numbers = torch.load(optimizer, map_location="cpu", weights_only=True)
            return Restored(load_file(weights), numbers, past, best_of(whole, metric))
        raise LikenessError(
            f"The checkpoints in {self._folder} are damaged: their checksums are not those that were written. Delete "
            "that folder and train again."
        )

    def best(self) -> dict[str, torch.Tensor]:
        """The weights of the best epoch.

        Raises:
            LikenessError: they are damaged.
        """
        state: Any = files.read_json(self._folder / "state.json")
        path = self._of(int(state["best"]))[0]
        if not _whole(path, state):
            raise LikenessError(f"{path} is damaged: its checksum is not the one that was written. Train again.")
        tensors: dict[str, torch.Tensor] = load_file(path)
        return tensors

    def clear(self) -> None:
        """Remove the weights of all epochs; their history stays."""
        for path in self._folder.glob("epoch-*"):
            path.unlink(missing_ok=True)

    def _of(self, number: int) -> tuple[Path, Path]:
        name = f"epoch-{number:05d}"
        return self._folder / f"{name}.safetensors", self._folder / f"{name}.optimizer.pt"


def _whole(path: Path, state: Mapping[str, Any]) -> bool:
    """Whether a file holds what was written, as ``state.json`` knows it."""
    written: str | None = state["files"].get(path.name)
    return files.sha256(path) == written


def _number(name: str) -> int:
    return int(name.split("-")[1].split(".")[0])


def _tensors(weights: Mapping[str, torch.Tensor]) -> bytes:
    found: bytes = save({name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()})
    return found


def _numbers(optimizer: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    torch.save(dict(optimizer), buffer)
    return buffer.getvalue()
