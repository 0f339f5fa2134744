"""Where a report comes from, and what its words mean."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import datetime

from core.answer import Answer
from core.metrics import METRICS
from core.metrics.rates import RATES
from core.thresholds import REPORTED
from core.verify import SUMMARIES


@dataclass(frozen=True)
class Fact:
    """A name and what is said of it."""

    name: str
    text: str


def facts(found: Answer, made: datetime, command: str) -> list[Fact]:
    """Dataset, protocol, seed, libraries, date and command."""
    said = found.test.as_json()["provenance"]
    libraries = {"Python": platform.python_version(), **said["libraries"]}
    return [
        Fact("Dataset", f"{found.dataset.title} ({said['dataset']})"),
        Fact("Dataset's fingerprint", str(said["dataset_fingerprint"])),
        Fact("Protocol", f"chosen on val, tested on test, searching {said['gallery']}; seed {said['seed']}"),
        Fact("Libraries", ", ".join(f"{name} {version}" for name, version in libraries.items())),
        Fact("Speed measured on", found.result.latency.machine),
        Fact("Made", f"{made:%d %B %Y, %H:%M}"),
        Fact("Command", command),
    ]


def networks(found: Answer) -> list[tuple[str, str, str]]:
    """Name, fingerprint and the SHA-256 of the weights of every network that was run."""
    all_ = (network for result in found.test.models.values() for network in result.backbone.networks)
    return [(one.name, one.fingerprint, one.weights.sha256) for one in {one.name: one for one in all_}.values()]


def definitions() -> list[Fact]:
    """Every metric and word that a report uses."""
    return [
        Fact("Similarity", "A number that a model gives two images; higher is more alike."),
        Fact("Query, gallery", "A test image that asks, and the training images that it is compared with."),
        *(Fact(metric.title, metric.definition) for metric in METRICS.values()),
        *(Fact(summary.title, summary.definition) for summary in SUMMARIES.values()),
        *(Fact(RATES[name].title, RATES[name].definition) for name in REPORTED),
        Fact("Base rate", "The share of same-class pairs among all pairs where the threshold is used."),
        Fact("Brier score", "Mean squared distance between the predicted probability and what a pair is; 0 is best."),
        Fact(
            "Calibration error",
            "Mean distance between predicted probabilities and observed shares, in 15 groups of pairs; 0 is best.",
        ),
        Fact(
            "95% interval",
            "In brackets. Of 100 such intervals about 95 hold the true value. Taken over images, as pairs share them.",
        ),
        Fact("Tied", "Two models whose difference may be chance: Holm-corrected randomisation test at 5%."),
    ]  # fmt: skip
