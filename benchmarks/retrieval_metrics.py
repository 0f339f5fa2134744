"""Retrieval metrics: Likeness against pytorch-metric-learning with FAISS, on the same vectors, in one process.

    python benchmarks/retrieval_metrics.py

Synthetic unit vectors, leave-one-out: P@1, MRR, MAP@R and R-precision of pytorch-metric-learning's
``AccuracyCalculator``. It is timed twice: at its fastest, searching no deeper than the largest class, where its MRR
takes what ranks deeper for never found; and at its default depth, the whole gallery, the only one whose MRR is exact.
Ours always ranks as deep as that, and gives P@1 to P@20 in the same pass. Both sides run once before they are timed, so
that nothing is loaded or compiled in it. Prints the seconds, both ratios, and how far the values are apart from the
peer's at its default depth; P@5, which the peer lacks, is compared with a plain numpy loop. Exits with 1 if any two
differ by more than 1e-6.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import faiss
import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import FaissKNN

from core.metrics import QueryResults, evaluate_queries, summarise
from core.metrics.scorer import Cosine

CORES = len(os.sched_getaffinity(0))
TARGET = 2.0
TOLERANCE = 1e-6
# Our name of each of theirs.
NAMES = {
    "precision_at_1": "retrieval_accuracy",
    "mean_reciprocal_rank": "mrr",
    "mean_average_precision_at_r": "map_at_r",
    "r_precision": "r_precision",
}


def sample(count: int, width: int, classes: int) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Unit vectors around the centres of unequal classes, as hard as a small network finds photographs."""
    random = np.random.default_rng(0)
    codes = random.choice(classes, count, p=random.dirichlet(np.full(classes, 5.0)))
    vectors = random.standard_normal((classes, width))[codes] + 2.6 * random.standard_normal((count, width))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), codes


def ours(vectors: NDArray[np.float32], codes: NDArray[np.intp]) -> tuple[QueryResults, float]:
    """Every query's results, and seconds."""
    started = time.perf_counter()
    items = np.arange(len(codes))
    found = evaluate_queries(Cosine(vectors), codes, items, items)
    summarise(found)
    return found, time.perf_counter() - started


def theirs(vectors: NDArray[np.float32], codes: NDArray[np.intp], depth: str | None) -> tuple[dict[str, float], float]:
    """The peer's metrics from so many neighbours of each query, and seconds."""
    calculator = AccuracyCalculator(
        include=tuple(NAMES),
        k=depth,
        device=torch.device("cpu"),
        knn_func=FaissKNN(index_init_fn=faiss.IndexFlatIP),
    )
    tensors = torch.from_numpy(vectors), torch.from_numpy(codes)
    started = time.perf_counter()
    found: dict[str, float] = calculator.get_accuracy(*tensors, *tensors, ref_includes_query=True)
    return found, time.perf_counter() - started


def plain_precision(vectors: NDArray[np.float32], codes: NDArray[np.intp], k: int) -> float:
    """P@k, a query at a time."""
    shares = []
    for row in range(len(codes)):
        scores = vectors @ vectors[row]
        scores[row] = -np.inf
        shares.append(np.mean(codes[np.argsort(-scores, kind="stable")[:k]] == codes[row]))
    return float(np.mean(shares))


def main() -> int:
    """Measure and print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="how many vectors (default: 10,000)")
    parser.add_argument("--width", type=int, default=512, help="their length (default: 512)")
    parser.add_argument("--classes", type=int, default=80, help="how many classes (default: 80)")
    parser.add_argument("--repeats", type=int, default=5, help="how often each side runs (default: 5)")
    options = parser.parse_args()
    vectors, codes = sample(options.count, options.width, options.classes)
    print(f"{options.count:,} x {options.width}, {options.classes} classes, {CORES} cores, median of {options.repeats}")
    peers = {"at its fastest": "max_bin_count", "at its default depth": None}
    ours(vectors, codes)
    theirs(vectors, codes, "max_bin_count")
    seconds: list[list[float]] = []
    for _ in range(options.repeats):
        found, my_s = ours(vectors, codes)
        timed = [theirs(vectors, codes, depth) for depth in peers.values()]
        seconds.append([my_s, *(their_s for _, their_s in timed)])
    mine, *their = np.median(np.array(seconds), axis=0)
    ratios = np.median([[s / my_s for s in their_s] for my_s, *their_s in seconds], axis=0)
    print(f"ours {mine:.2f} s")
    for name, their_s, ratio, target in zip(peers, their, ratios, (f" (target {TARGET:.2f})", ""), strict=True):
        print(f"pytorch-metric-learning {name} {their_s:.2f} s, ratio {ratio:.2f}{target}")
    values, peer = summarise(found), timed[-1][0]
    pairs = {theirs_name: (values[name], float(peer[theirs_name])) for theirs_name, name in NAMES.items()}
    pairs["precision_at_5, plain loop"] = values["precision_at_5"], plain_precision(vectors, codes, 5)
    print(f"{'':32}{'ours':>12}{'peer':>12}{'apart':>10}")
    for name, (a, b) in pairs.items():
        print(f"{name:32}{a:12.8f}{b:12.8f}{abs(a - b):10.1e}")
    return int(any(abs(a - b) > TOLERANCE for a, b in pairs.values()))


if __name__ == "__main__":
    sys.exit(main())
