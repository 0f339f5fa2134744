"""``kill -9`` while embedding: nothing wrong is ever stored, and little is computed twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from core.backbones import available
from core.embed import BATCH
from core.paths import REPOSITORY
from core.store import EmbeddingStore
from tests import pictures

KILLS = int(os.environ.get("LIKENESS_KILLS", "4"))
IMAGES = 300
# Shards of 8 images that may be finished or under way, and not yet with the writer: two for each worker.
IN_FLIGHT = 8 * 2 * (os.cpu_count() or 1)

# The real command line; every image embedded (not timed) leaves a byte in a file, whatever becomes of the process.
_COMMAND = """
import os, sys, threading
from core.backbones.runtime import OnnxRunner
from core.cli import main
log = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
run = OnnxRunner.__call__
def counted(self, pixels):
    vectors = run(self, pixels)
    if threading.current_thread().name.startswith("embed"):
        os.write(log, b"." * len(pixels))
    return vectors
OnnxRunner.__call__ = counted
sys.exit(main(sys.argv[2:]))
"""


def _start(log: Path, root: Path, network: str, cache: Path) -> subprocess.Popen[bytes]:
    arguments = ["embed", "--dataset", str(root), "--models", network, "--cache", str(cache)]
    return subprocess.Popen(
        [sys.executable, "-c", _COMMAND, str(log), *arguments], cwd=REPOSITORY, stdout=subprocess.DEVNULL
    )


def _shown(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _wait(process: subprocess.Popen[bytes], log: Path, images: int) -> None:
    """Until so many images were embedded, this time and before, or the process has ended."""
    while process.poll() is None and _shown(log) < images:
        time.sleep(0.001)


def _stored(cache: Path, fingerprint: str) -> dict[str, bytes]:
    vectors = EmbeddingStore(cache).load(fingerprint)
    return {str(key): value.tobytes() for key, value in zip(vectors.keys, vectors.values, strict=True)}


def test_vectors_survive_kills_bit_for_bit(tmp_path: Path, cache: Path, network: str) -> None:
    root = pictures.paint(tmp_path / "d", IMAGES // 3)
    fingerprint = available()[network].fingerprint
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    (cache / "onnx").rename(undisturbed / "onnx")
    assert _start(tmp_path / "whole", root, network, undisturbed).wait(120) == 0
    wanted = _stored(undisturbed, fingerprint)
    assert len(wanted) == IMAGES
    (undisturbed / "onnx").rename(cache / "onnx")

    chance, log, kills, struck, kept = random.Random(1), tmp_path / "log", 0, 0, 0
    for _ in range(KILLS):
        if kept > IMAGES - BATCH:  # start over, so that every kill finds work to disturb
            for part in EmbeddingStore(cache).parts(fingerprint):
                part.unlink()
            log.unlink()
            kills = kept = 0
        process = _start(log, root, network, cache)
        _wait(process, log, _shown(log) + chance.randint(0, IMAGES - kept))
        time.sleep(chance.uniform(0, 0.03))
        process.kill()
        killed = process.wait(60) != 0
        kills, struck = kills + killed, struck + killed
        stored = _stored(cache, fingerprint)
        assert stored.items() <= wanted.items()
        assert len(stored) >= kept, "a kill lost vectors that were there before"
        kept = len(stored)

    assert struck > KILLS // 2, "the kills came too late to disturb anything"
    assert _start(log, root, network, cache).wait(120) == 0
    assert _stored(cache, fingerprint) == wanted
    assert IMAGES <= _shown(log) <= IMAGES + kills * (BATCH + IN_FLIGHT)
    assert not list((cache / "embeddings").rglob(".*.tmp*"))
    old = time.time() - 7200
    for leftover in cache.rglob(".*.tmp*"):
        os.utime(leftover, (old, old))
    pictures.paint(root, {"circle": 1}, first=5000)
    assert _start(log, root, network, cache).wait(120) == 0
    assert not list(cache.rglob(".*.tmp*"))
