"""What has been trained: one folder a run in the cache, which tells all without torch.

``training/NAME/`` holds ``run.json`` (what was asked for), ``state.json`` (every finished epoch; written last, so that
it never names a file that is not whole), ``live.json`` (losses of the epoch under way) and the epochs' weights. Its
lock tells whether somebody is training now.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from core import files
from core.backbones import all_specs
from core.errors import LikenessError
from core.fusions import saved
from core.paths import cache_dir
from core.recent import DatasetChoice
from core.records import DatasetOptions
from core.training.settings import Settings, from_json

SCHEMA = 1
State = Literal["running", "finished", "unfinished"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HardTriplet:
    """Validation images that the network gets most wrong: content ids and similarities.

    ``positive`` is the image of the anchor's class least like it, ``negative`` the one of another class most like it.
    """

    anchor: str
    positive: str
    negative: str
    to_positive: float
    to_negative: float


@dataclass(frozen=True)
class Epoch:
    """A finished epoch; number 0 is the network before any step, without a loss.

    Attributes:
        number: from 1 on.
        seconds: that it took, validation included.
        loss: mean over its steps.
        lr: the head's learning rate at its end.
        values: of each of :data:`core.training.settings.METRICS`, on validation.
    """

    number: int
    seconds: float
    loss: float | None
    lr: float
    values: Mapping[str, float]


@dataclass(frozen=True)
class Counts:
    """Images that take part; ``left_out`` training images have a near duplicate in validation or test."""

    train: int
    val: int
    test: int
    classes: int
    left_out: int


@dataclass(frozen=True)
class Run:
    """A training run.

    Attributes:
        name: of the run and of the backbone it makes.
        settings: how it trains.
        dataset: what it trains on, as the user named it.
        title: of the dataset.
        counts: the images that take part.
        parent: fingerprint of the backbone it starts from.
        started: seconds since the epoch.
        state: whether a process is training now, all is done, or it stopped before its end and may be resumed.
        history: finished epochs, from number 0 on.
        best: number of the best epoch.
        hard: what the last finished epoch got most wrong.
        losses: ``(epoch, loss)`` along the way, epochs as fractions.
        test: what the best epoch reaches on test images beside its parent, once all is done.
    """

    name: str
    settings: Settings
    dataset: DatasetChoice
    title: str
    counts: Counts
    parent: str
    started: float
    state: State
    history: tuple[Epoch, ...] = ()
    best: int = 0
    hard: tuple[HardTriplet, ...] = ()
    losses: tuple[tuple[float, float], ...] = ()
    test: Mapping[str, Any] = field(default_factory=dict)

    @property
    def epoch(self) -> int:
        """The number of the last finished epoch."""
        return self.history[-1].number if self.history else 0

    def as_json(self) -> dict[str, Any]:
        """The result in the form of the command line's ``--json``."""
        metric = self.settings.metric
        return {
            "name": self.name,
            "epochs": self.epoch,
            "best": {"epoch": self.best, "metric": metric, "value": self.history[self.best].values[metric]},
            "history": [epoch_json(one) for one in self.history],
            "state": self.state,
            "settings": self.settings.as_json(),
            "images": vars(self.counts),
            "test": dict(self.test),
        }


def epoch_json(epoch: Epoch) -> dict[str, Any]:
    """One flat object an epoch."""
    return {
        "epoch": epoch.number, "loss": epoch.loss, "lr": epoch.lr, "seconds": round(epoch.seconds, 3), **epoch.values,
    }  # fmt: skip


def best_of(history: Sequence[Epoch], metric: str) -> int:
    """The number of the best epoch by a metric; of equals the first."""
    return max(history, key=lambda epoch: epoch.values[metric]).number


def folder(name: str) -> Path:
    """Where a run is kept, whether or not there is one of that name.

    Raises:
        LikenessError: the name is no file name.
    """
    files.check_name(name)
    return cache_dir() / "training" / name


def check_free(name: str) -> None:
    """Raise a LikenessError where a new run cannot have this name; the message says what to do."""
    known = load(name)
    if known is not None and known.state == "running":
        raise LikenessError(f"{name} is being trained now, by another process. Wait for it, or choose another --name.")
    if known is not None and known.state == "unfinished":
        raise LikenessError(
            f"{name} was not finished: {known.epoch} of {known.settings.epochs} epochs are kept. Go on with --resume, "
            "or choose another --name."
        )
    if name in all_specs() or name in saved():
        raise LikenessError(f"{name} is the name of a model already. Choose another with --name.")


def free_name(base: str) -> str:
    """The name itself, or with a number behind it, so that nothing of that name is overwritten."""
    taken = {*all_specs(), *saved(), *(one.name for one in runs())}
    names = (base if number == 1 else f"{base}_{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def runs() -> list[Run]:
    """Every run, the last one started first. Damaged ones are warned about and left out."""
    found = []
    for path in (cache_dir() / "training").glob("*/run.json"):
        try:
            one = load(path.parent.name)
        except LikenessError as error:
            _log.warning("The training run %s is left out: %s", path.parent.name, error)
            continue
        if one is not None:
            found.append(one)
    return sorted(found, key=lambda one: -one.started)


def load(name: str) -> Run | None:
    """A run as it is now, or None where there is none of that name.

    Raises:
        LikenessError: its record is damaged.
    """
    here = folder(name)
    if not (here / "run.json").is_file():
        return None
    parts: list[Any] = [files.read_json(here / f"{part}.json") for part in ("run", "state", "live")]
    content, kept, live = parts
    try:
        if content["schema"] != SCHEMA:
            raise LikenessError(
                f"The record of {name} is of schema {content['schema']!r}; this version reads {SCHEMA}."
            )
        options = content["dataset"]["options"]
        choice = DatasetOptions(**{**options, "shares": tuple(options["shares"])})
        history, best, hard = _finished(kept)
        return Run(
            name=name,
            settings=from_json(content["settings"]),
            dataset=DatasetChoice(content["dataset"]["ref"], choice),
            title=content["dataset"]["title"],
            counts=Counts(**content["images"]),
            parent=content["parent"]["fingerprint"],
            started=float(content["started"]),
            state=_state(here, content),
            history=history,
            best=best,
            hard=hard,
            losses=tuple((float(at), float(loss)) for at, loss in (live or {}).get("losses", [])),
            test=content.get("test", {}),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LikenessError(
            f"The record {here / 'run.json'} is damaged ({error}). Delete its folder and train again."
        ) from error


def _finished(kept: Any) -> tuple[tuple[Epoch, ...], int, tuple[HardTriplet, ...]]:
    """The finished epochs of a ``state.json``, the best one's number, and the hard triplets."""
    if kept is None:
        return (), 0, ()
    history = tuple(Epoch(**one) for one in kept["history"])
    return history, int(kept["best"]), tuple(HardTriplet(**one) for one in kept["hard"])


def _state(here: Path, content: Mapping[str, Any]) -> State:
    if files.is_locked(here / "alive"):
        return "running"
    return "finished" if content.get("finished") else "unfinished"
