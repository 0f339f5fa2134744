"""Latency is measured once a machine and kept."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from core import latency
from core.latency import measure
from tests.fakes import fake, install

A = fake("fake-a")


@pytest.fixture
def few_runs() -> None:
    """As many runs as there are."""


def test_latency_is_measured_once_with_single_images(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = install(monkeypatch)
    first = measure(A)
    assert 0 < first.p50 <= first.p95
    assert seen["fake-a"] >= 20
    seen.clear()
    assert measure(A) == first
    assert not seen


@pytest.mark.parametrize("change", [{"machine": "elsewhere"}, {"extra": 1}, None])
def test_a_foreign_or_damaged_record_is_measured_again(
    cache: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object] | None
) -> None:
    seen = install(monkeypatch)
    first = measure(A)
    (path,) = (cache / "latency").glob("*.json")
    record = {**json.loads(path.read_text()), **change} if change else {"machine": first.machine}
    path.write_text(json.dumps(record))
    seen.clear()
    assert measure(A).machine == first.machine
    assert seen["fake-a"] >= 20


def test_every_backbone_is_timed_on_the_same_photograph() -> None:
    data = latency._picture()
    assert data == latency._picture()
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("JPEG", (640, 480))
