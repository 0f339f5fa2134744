"""Training that several processes share: they agree, and only the first one speaks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.jobs import JOB_VARIABLE, Reporter, is_helper
from core.paths import REPOSITORY
from tests import pictures


@pytest.mark.slow
def test_two_processes_train_one_model_and_print_one_result(tmp_path: Path, cache: Path, network: str) -> None:
    root = pictures.paint(tmp_path / "d", 16)
    command = [sys.executable, "-m", "core", "train", "triplet", "--fast", "--devices", "2", "--epochs", "3", "--batch",
               "8", "--model", network, "--dataset", str(root), "--name", "shared", "--json", "-"]  # fmt: skip
    run = subprocess.run(command, cwd=REPOSITORY, env={**os.environ, "LIKENESS_CACHE": str(cache)}, capture_output=True,
                         text=True, timeout=300, check=False)  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    found = json.loads(run.stdout)
    assert found["epochs"] == 3
    assert (cache / "checkpoints" / "shared.safetensors").is_file()


def test_a_helper_leaves_the_report_to_the_first_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert not is_helper()
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv(JOB_VARIABLE, str(tmp_path / "jobs" / "1-0"))
    assert is_helper()
    with Reporter() as report:
        report("Training", 1, 2)
    assert not list(tmp_path.glob("jobs/**/*"))
