"""How often 95% intervals hold the truth: Likeness, and Wilson's interval with every pair taken for independent.

    python benchmarks/interval_coverage.py [--repetitions N]

Synthetic unit vectors of fixed classes; the truth is that of a far larger sample of the same classes. Prints the share
of repetitions in which each interval holds it (nominal: 0.95). Wilson's interval takes the number of pairs that its
rate is a share of; AUC, EER and F1 are no such shares and have none.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from numpy.typing import NDArray

from core.metrics.pair_sampling import pair_counts
from core.metrics.pair_scores import pair_scores
from core.metrics.scorer import Cosine
from core.metrics.verification import Estimate, Interval, Verification, wilson

CLASSES, WIDTH, NOISE = 10, 16, 1.2
TRUTH = 40_000  # images: its own error has to be small beside that of one sample
DRAWS = 500
THRESHOLDS = (0.1, 0.3, 0.5, 0.7)
RATES = ("fmr", "fnmr", "f1", "accuracy", "precision")


def sample(centres: NDArray[np.float64], count: int, random: np.random.Generator, draws: int) -> Verification:
    """The pairs of so many new images, as many of each class."""
    codes = np.arange(count) % CLASSES
    vectors = centres[codes] + NOISE * random.standard_normal((count, WIDTH))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Verification(pair_scores(Cosine(vectors.astype(np.float32)), codes, draws=draws))


def ours(found: Verification, base_rate: float) -> dict[str, Estimate]:
    """Every number of the table, by its name in the table."""
    rates = {
        f"{rate} at {threshold}": found.estimate(rate, threshold, base_rate)
        for threshold in THRESHOLDS
        for rate in RATES
    }
    return {**rates, "AUC": found.roc_auc, "EER": found.eer}


def independent(found: Verification) -> dict[str, Interval]:
    """Wilson's intervals of the rates that are a share of a number of pairs."""
    intervals = {}
    for threshold in THRESHOLDS:
        counts = found.counts(threshold)
        pairs = {"fmr": found.pairs[1], "fnmr": found.pairs[0], "accuracy": sum(found.pairs),
                 "precision": counts.true_match + counts.false_match}  # fmt: skip
        for rate, number in pairs.items():
            value = found.estimate(rate, threshold).value
            intervals[f"{rate} at {threshold}"] = wilson(value, number) if number else (0.0, 1.0)
    return intervals


def holds(interval: Interval, value: float) -> bool:
    """Whether a value lies within an interval, ends included."""
    return interval[0] <= value <= interval[1]


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=1000, help="how many samples (default: 1,000)")
    parser.add_argument("--images", type=int, default=200, help="images of each (default: 200)")
    options = parser.parse_args()
    random = np.random.default_rng(0)
    centres = random.standard_normal((CLASSES, WIDTH))
    same, different = pair_counts(np.arange(options.images) % CLASSES)
    share = same / (same + different)  # it is lower in small samples, where it is not chance
    truth = {name: one.value for name, one in ours(sample(centres, TRUTH, random, 0), share).items()}
    mine: dict[str, list[bool]] = {name: [] for name in truth}
    naive: dict[str, list[bool]] = {name: [] for name in truth}
    for _ in range(options.repetitions):
        found = sample(centres, options.images, random, DRAWS)
        for name, estimate in ours(found, share).items():
            mine[name].append(holds(estimate.interval, truth[name]))
        for name, interval in independent(found).items():
            naive[name].append(holds(interval, truth[name]))
    print(f"{options.images} images, {CLASSES} classes, {options.repetitions:,} repetitions")
    print(f"{'':20}{'truth':>9}{'ours':>8}{'independent pairs':>20}")
    for name, value in truth.items():
        other = f"{np.mean(naive[name]):.3f}" if naive[name] else "-"
        print(f"{name:20}{value:9.4f}{np.mean(mine[name]):8.3f}{other:>20}")


if __name__ == "__main__":
    main()
