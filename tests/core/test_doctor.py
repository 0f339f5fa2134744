"""The doctor: whatever is wrong comes with a remedy."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import pytest
from PIL import features

from core import doctor
from core.backbones import all_specs
from core.datasets import DATASETS
from core.doctor import Check, examine


def _named(checks: list[Check], name: str) -> Check:
    (found,) = [check for check in checks if check.name == name]
    return found


def test_every_check_is_either_ok_or_has_a_remedy(cache: Path) -> None:
    steps: list[tuple[int, int]] = []
    checks = examine(lambda stage, done, total: steps.append((done, total)))
    assert all(check.name and check.detail for check in checks)
    assert [check for check in checks if not check.ok and not check.remedy] == []
    assert [check for check in checks if check.ok and check.remedy] == []
    assert any(not check.ok for check in checks)  # an empty cache lacks downloads
    names = {check.name for check in checks}
    assert names >= {f"model {name}" for name in all_specs()} | {f"dataset {name}" for name in DATASETS}
    assert names >= {"Python", "cache folder", "torch", "faiss-cpu"}
    assert steps[-1][0] == steps[-1][1]
    assert not (cache / ".probe").exists()


def test_a_missing_package_is_told_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "faiss-cpu":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    check = _named(doctor._packages(), "faiss-cpu")
    assert not check.ok
    assert "pip install" in check.remedy


def test_an_old_python_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 1))
    assert "3.11" in doctor._python()[0].remedy


def test_a_broken_torch_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    (check,) = doctor._torch()
    assert not check.ok
    assert "pip install" in check.remedy


def test_a_pillow_that_cannot_draw_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda _: False)
    assert "pillow" in doctor._drawing()[0].remedy


def test_a_full_disk_is_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12, 10**6))
    (check,) = doctor._cache()
    assert not check.ok
    assert "Free some space" in check.remedy


def test_a_cache_that_cannot_be_written_is_told_and_stops_no_other_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("LIKENESS_CACHE", str(tmp_path / "file" / "cache"))
    checks = examine()
    check = _named(checks, "cache folder")
    assert not check.ok
    assert "--cache" in check.remedy
    assert _named(checks, "Python").ok
    assert [check for check in checks if not check.ok and not check.remedy] == []
