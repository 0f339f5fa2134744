"""``kill -9`` while training: the run goes on to the same weights as one that nobody disturbed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core import files
from core.paths import REPOSITORY
from tests import pictures

_EPOCHS = 60


def _start(root: Path, cache: Path, network: str, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "core", "train", "triplet", "--name", "mine", "--cache", str(cache), *more]
    if "--resume" not in more:
        command += ["--fast", "--dataset", str(root), "--model", network, "--epochs", str(_EPOCHS)]
        command += ["--patience", str(_EPOCHS), "--batch", "16"]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL)


def _finished(cache: Path) -> int:
    state = files.read_json(cache / "training" / "mine" / "state.json")
    return len(state["history"]) - 1 if state else -1


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_weights(tmp_path: Path, cache: Path, network: str) -> None:
    root = pictures.paint(tmp_path / "d", 24)
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    (cache / "onnx").rename(undisturbed / "onnx")
    assert _start(root, undisturbed, network).wait(240) == 0
    (undisturbed / "onnx").rename(cache / "onnx")
    kills, process = 0, _start(root, cache, network)
    for goal in (3, _EPOCHS // 2):
        while process.poll() is None and _finished(cache) < goal:
            time.sleep(0.002)
        process.kill()
        kills += process.wait(60) != 0
        assert _finished(cache) >= goal, "a kill lost a finished epoch"
        process = _start(root, cache, network, "--resume")
    assert process.wait(240) == 0
    assert kills == 2, "the kills came too late to disturb anything"
    one, other = (files.sha256(folder / "checkpoints" / "mine.safetensors") for folder in (undisturbed, cache))
    assert one
    assert one == other
    first, second = (
        json.loads((folder / "training" / "mine" / "state.json").read_text()) for folder in (undisturbed, cache)
    )
    assert [{**epoch, "seconds": 0} for epoch in first["history"]] == [{**e, "seconds": 0} for e in second["history"]]
