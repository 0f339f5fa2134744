"""Training runs on disk, as training leaves them, without any training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from core import files
from core.duplicates import Duplicates
from core.recent import DatasetChoice
from core.training import protocol
from core.training.runs import SCHEMA, folder
from core.training.settings import METRICS, Settings, choose
from tests.workplace import MODEL

VALUES = (0.5, 0.7, 0.9, 0.8)


def no_near_duplicates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small drawings, which look much alike, be no near duplicates of each other."""
    monkeypatch.setattr(protocol, "find_duplicates", lambda data, *_: Duplicates(data, None, (), ()))


def on_test(name: str, model: str = MODEL, gain: float = 0.1, half: float = 0.05) -> dict[str, Any]:
    """What a run reaches on test beside the model it starts from; the gain's interval is so wide on either side."""
    metrics = ("precision_at_5", "retrieval_accuracy")

    def values(value: float) -> dict[str, Any]:
        return {**dict.fromkeys(metrics, value), "ci": {name: [value - 0.02, value + 0.02] for name in metrics}}

    difference = {"value": gain, "ci": [gain - half, gain + half], "p_value": 0.01}
    return {
        "models": {model: values(0.8), name: values(0.8 + gain)},
        "differences": dict.fromkeys(metrics, difference),
    }


def write(
    name: str, settings: Settings | None = None, *, ref: str = "demo", title: str = "shapes", started: float = 1e9,
    epochs: int = 3, hard: Sequence[tuple[str, str, str, float, float]] = (), finished: bool = False,
    test: dict[str, Any] | None = None, seconds: float = 2.0,
) -> Path:  # fmt: skip
    """The folder of a run with so many finished epochs; the second one is the best."""
    settings = settings or choose("triplet", MODEL, fast=True)
    record: dict[str, Any] = {
        "schema": SCHEMA, "settings": settings.as_json(), "dataset": {**asdict(DatasetChoice(ref)), "title": title},
        "images": {"train": 100, "val": 20, "test": 20, "classes": 3, "left_out": 2},
        "parent": {"name": settings.model, "fingerprint": "f" * 32}, "started": started,
        **({"finished": started + 60, "test": test or {}} if finished else {}),
    }  # fmt: skip
    here = folder(name)
    history = [
        {"number": number, "seconds": seconds if number else 0.5, "loss": 1 / number if number else None, "lr": 0.001,
         "values": dict.fromkeys(METRICS, VALUES[number])}
        for number in range(epochs + 1)
    ]  # fmt: skip
    keys = ("anchor", "positive", "negative", "to_positive", "to_negative")
    state = {"history": history, "best": min(2, epochs), "hard": [dict(zip(keys, one, strict=True)) for one in hard]}
    files.write_json(here / "run.json", record)
    files.write_json(here / "state.json", state)
    files.write_json(here / "live.json", {"losses": [[step / 4, 1 / (step + 1)] for step in range(1, 4 * epochs + 2)]})
    return here
