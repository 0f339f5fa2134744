"""Verification of all pairs: Likeness against numpy and scikit-learn, on the same vectors.

    python benchmarks/verification.py

Synthetic unit vectors. The usual way takes the upper triangle of the similarity matrix and hands it to ``roc_curve``
and ``roc_auc_score``. Ours is timed without intervals (``score_counts``) and with them (``pair_scores`` and
``Verification``), before the peer so that the peak of memory is ours, and with its kernels compiled. Prints seconds,
ratios, the peak of memory, and both sides' AUC and EER. Exits with 1 if these differ by more than 1e-6.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from numpy.typing import NDArray

from core.metrics.pair_scores import pair_scores, score_counts
from core.metrics.scorer import Cosine
from core.metrics.verification import Verification

CORES = len(os.sched_getaffinity(0))
TARGET = 25.0
TARGET_WITH_INTERVALS = 12.0
MEMORY_TARGET_GB = 0.6
TOLERANCE = 1e-6


def sample(count: int, width: int, classes: int) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Unit vectors around the centres of classes of equal size, as hard as a small network finds photographs."""
    random = np.random.default_rng(0)
    codes = random.permutation(np.arange(count) % classes)
    vectors = random.standard_normal((classes, width))[codes] + 2.6 * random.standard_normal((count, width))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), codes


def without_intervals(vectors: NDArray[np.float32], codes: NDArray[np.intp]) -> dict[str, float]:
    """AUC and EER from exact counts alone."""
    same, different = (np.concatenate([[0], np.cumsum(counts)]) for counts in score_counts(Cosine(vectors), codes))
    fnmr, fmr = same / same[-1], 1 - different / different[-1]
    place = np.abs(fmr - fnmr).argmin()
    area = float((np.diff(fnmr) * (1 - (fmr[1:] + fmr[:-1]) / 2)).sum())
    return {"AUC": area, "EER": float(fmr[place] + fnmr[place]) / 2}


def with_intervals(vectors: NDArray[np.float32], codes: NDArray[np.intp]) -> dict[str, float]:
    """AUC and EER, with their intervals and those of every threshold."""
    found = Verification(pair_scores(Cosine(vectors), codes))
    return {"AUC": found.roc_auc.value, "EER": found.eer.value}


def usual_way(vectors: NDArray[np.float32], codes: NDArray[np.intp]) -> dict[str, float]:
    """AUC and EER of an array of all pairs."""
    from sklearn.metrics import roc_auc_score, roc_curve

    upper = np.triu_indices(len(vectors), 1)
    scores = (vectors @ vectors.T)[upper]
    same = codes[upper[0]] == codes[upper[1]]
    fmr, recall, _ = roc_curve(same, scores, drop_intermediate=False)
    place = np.abs(fmr - 1 + recall).argmin()
    return {"AUC": float(roc_auc_score(same, scores)), "EER": float(fmr[place] + 1 - recall[place]) / 2}


def timed(run: Callable[[], dict[str, float]], repeats: int) -> tuple[dict[str, float], float]:
    """What it returns, and the median of its seconds."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        found = run()
        seconds.append(time.perf_counter() - started)
    return found, statistics.median(seconds)


def peak_gb() -> float:
    """The most memory this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> int:
    """Measure and print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="how many vectors (default: 10,000)")
    parser.add_argument("--width", type=int, default=512, help="their length (default: 512)")
    parser.add_argument("--classes", type=int, default=100, help="how many classes (default: 100)")
    parser.add_argument("--repeats", type=int, default=3, help="how often ours runs (default: 3)")
    options = parser.parse_args()
    with_intervals(*sample(200, 8, 4))
    without_intervals(*sample(200, 8, 4))
    vectors, codes = sample(options.count, options.width, options.classes)
    before = peak_gb()
    bare, bare_s = timed(lambda: without_intervals(vectors, codes), options.repeats)
    full, full_s = timed(lambda: with_intervals(vectors, codes), options.repeats)
    memory = peak_gb()
    peer, peer_s = timed(lambda: usual_way(vectors, codes), 1)
    pairs = options.count * (options.count - 1) // 2
    print(f"{options.count:,} x {options.width}, {options.classes} classes, {pairs:,} pairs, {CORES} cores")
    print(f"{'':32}{'ours, s':>9}{'usual, s':>9}{'ratio':>8}{'target':>8}")
    print(f"{'without intervals':32}{bare_s:9.2f}{peer_s:9.2f}{peer_s / bare_s:8.1f}{TARGET:8.1f}")
    print(f"{'with intervals':32}{full_s:9.2f}{peer_s:9.2f}{peer_s / full_s:8.1f}{TARGET_WITH_INTERVALS:8.1f}")
    print(f"peak memory: {before:.2f} GB with the vectors alone, {memory:.2f} GB ours (at most {MEMORY_TARGET_GB} GB), "
          f"{peak_gb():.2f} GB the usual way")  # fmt: skip
    print(f"{'':8}{'without':>14}{'with':>14}{'usual':>14}{'apart':>10}")
    apart = {name: max(abs(found[name] - peer[name]) for found in (bare, full)) for name in peer}
    for name, gap in apart.items():
        print(f"{name:8}{bare[name]:14.8f}{full[name]:14.8f}{peer[name]:14.8f}{gap:10.1e}")
    return int(max(apart.values()) > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
