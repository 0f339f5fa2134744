from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from core.backbones import BACKBONES, Backbone, choose, runtime
from core.backbones.runtime import OnnxRunner, TorchRunner
from core.errors import LikenessError
from tests.core.backbones.conftest import pictures


@pytest.fixture
def backbone(save, squeezenet_state) -> Backbone:
    save("squeezenet1_1.pth", squeezenet_state)
    return choose(["squeezenet1_1"], offline=True)[0]


@pytest.fixture
def exports(monkeypatch) -> list[str]:
    """The exports that were made."""
    made: list[str] = []
    export = runtime._export
    monkeypatch.setattr(runtime, "_export", lambda *args: (made.append(args[0].name), export(*args))[1])
    return made


def test_a_network_is_exported_once_and_again_when_its_file_or_note_is_damaged(backbone, exports, cache):
    pixels = pictures(backbone.spec)
    first = backbone.load()(pixels)
    np.testing.assert_array_equal(backbone.load()(pixels), first)
    assert exports == ["squeezenet1_1"]
    [file] = (cache / "onnx").glob("*.onnx")
    file.write_bytes(file.read_bytes()[:-100])
    np.testing.assert_array_equal(backbone.load()(pixels), first)
    assert len(exports) == 2
    note = file.with_suffix(".json")
    note.write_text(json.dumps({**json.loads(note.read_text()), "libraries": {"torch": "1.0"}}))
    np.testing.assert_array_equal(backbone.load()(pixels), first)
    assert len(exports) == 3
    assert not [path for path in (cache / "onnx").iterdir() if ".tmp" in path.name]


def test_an_images_vector_is_the_same_bits_alone_among_others_and_from_many_threads(backbone):
    runner = backbone.load()
    assert isinstance(runner, OnnxRunner)
    pixels = pictures(backbone.spec, 12)
    together = runner(pixels)
    assert together.dtype == np.float32
    np.testing.assert_array_equal(np.concatenate([runner(pixels[i : i + 1]) for i in range(12)]), together)
    np.testing.assert_array_equal(runner(pixels[::-1])[::-1], together)
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(lambda _: runner(pixels), range(6)):
            np.testing.assert_array_equal(vectors, together)


def test_an_export_that_strays_is_not_used(backbone, monkeypatch, caplog):
    straying = OnnxRunner.__call__
    monkeypatch.setattr(OnnxRunner, "__call__", lambda self, pixels: straying(self, pixels)[:, ::-1])
    with caplog.at_level(logging.WARNING):
        runner = backbone.load()
    assert isinstance(runner, TorchRunner)
    assert "strays from torch" in caplog.text
    monkeypatch.undo()
    assert runner(pictures(backbone.spec)).shape == (3, 512)


def test_an_export_that_gives_no_numbers_is_not_used(backbone, monkeypatch):
    straying = OnnxRunner.__call__
    monkeypatch.setattr(OnnxRunner, "__call__", lambda self, pixels: straying(self, pixels) * np.nan)
    assert isinstance(backbone.load(), TorchRunner)


def test_a_record_with_another_dimension_than_its_network_is_refused(backbone):
    wrong = replace(backbone, spec=replace(BACKBONES["squeezenet1_1"], dim=100))
    with pytest.raises(LikenessError, match="gives vectors of 512, but squeezenet1_1 has 100"):
        wrong.load()
