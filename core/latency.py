"""How long one image takes with a backbone: from the file's bytes to its vector."""

from __future__ import annotations

import io
import os
import platform
import time
from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image

from core import files
from core.backbones import Backbone
from core.embed import embed_picture
from core.models import Model
from core.paths import cache_dir

_WARM_UP = 5
_RUNS = 40


@dataclass(frozen=True)
class Latency:
    """Milliseconds for one image, batch 1, decoding and resizing included, on one core or the GPU."""

    p50: float
    p95: float
    machine: str


def measure(model: Model) -> Latency:
    """The latency of a model on this machine; measured once a backbone (about a second) and kept.

    The image is a 640 x 480 JPEG of smooth colours and noise, the same for every backbone. The networks of a fusion
    run one after the other.
    """
    found = [_measure(network) for network in model.networks]
    p50, p95 = (round(sum(times), 2) for times in ([one.p50 for one in found], [one.p95 for one in found]))
    return Latency(p50, p95, found[0].machine)


def _measure(backbone: Backbone) -> Latency:
    path = cache_dir() / "latency" / f"{backbone.fingerprint}.json"
    known = files.read_json(path)
    if isinstance(known, dict) and set(known) == {"p50", "p95", "machine"} and known["machine"] == _machine():
        return Latency(**known)
    loaded = {backbone.name: (backbone.spec.preprocessing, backbone.load())}
    data = _picture()
    times = []
    for _ in range(_WARM_UP + _RUNS):
        started = time.perf_counter()
        embed_picture(data, loaded)
        times.append((time.perf_counter() - started) * 1000)
    p50, p95 = np.percentile(times[_WARM_UP:], [50, 95])
    latency = Latency(round(float(p50), 2), round(float(p95), 2), _machine())
    files.write_json(path, asdict(latency))
    return latency


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def _picture() -> bytes:
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((640, 480))
    noisy = np.clip(np.asarray(coarse, np.int16) + random.integers(-12, 13, (480, 640, 3)), 0, 255)
    buffer = io.BytesIO()
    Image.fromarray(noisy.astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
