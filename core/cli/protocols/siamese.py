"""``reproduce siamese``: two networks trained, and what they say of pairs and of triplets."""

from __future__ import annotations

import argparse
from typing import Any

from core.at_least_two import KINDS, TripletReport
from core.cli.table import clean, table
from core.errors import LikenessError
from core.metrics.verification import Estimate
from core.progress import Progress
from core.records import Dataset
from core.reproduce import siamese
from core.store import EmbeddingStore
from core.training.runs import Run
from core.training.settings import METRICS

NAME = "siamese"
HELP = "train on pairs and on triplets; do two images match, and at least two of three"
DEFAULTS: dict[str, Any] = {"dataset": "imagenette"}
REPORTS = ("test",)
_RATES = ("accuracy", "precision", "recall", "f1")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What only this protocol knows."""
    group = parser.add_argument_group("siamese")
    group.add_argument("--fast", action="store_true", default=None, help="train heads on stored vectors only")
    group.add_argument("--epochs", type=int, metavar="N", help="at most")
    group.add_argument(
        "--distance", type=float, metavar="D", help="also report triplets at this largest distance of a match, 0 to 2"
    )


def run(
    options: argparse.Namespace, dataset: Dataset, store: EmbeddingStore, progress: Progress
) -> tuple[dict[str, Any], str]:
    """Both reports as JSON and as text."""
    if options.distance is not None and not 0 <= options.distance <= 2:
        raise LikenessError(f"--distance is between two unit vectors: from 0 to 2, not {options.distance:g}.")
    found = siamese.reproduce(
        dataset, siamese.start_of(options.models), store, progress, fast=bool(options.fast), epochs=options.epochs,
        offline=options.offline,
    )  # fmt: skip
    content = found.as_json()
    if options.distance is not None:
        content["triplets"]["asked"] = {"distance": options.distance, **found.report(options.distance).as_json()}
    return content, _text(found, options.distance)


def _text(found: siamese.Siamese, distance: float | None) -> str:
    rows = [
        [row.model, f"{row.threshold:.4f}", *(_interval(row.rates[name]) for name in _RATES)] for row in found.pair_rows
    ]
    lines = [
        f"{clean(found.dataset.title)}: {_images(found.pairs)}",
        _run(found.pairs),
        _run(found.triplets),
        "",
        f"1. Do two images match? {len(found.sample)} balanced test pairs, thresholds chosen on validation:",
        "",
        table(["model", "threshold", *_RATES], rows),
        "",
        f"2. Do at least two of three? {found.triplets.name} on {len(found.scores.sample)} test triplets. The anchor "
        f"is closer to the positive in {_interval(found.triplet_accuracy)}.",
        "",
        _report(found.report(found.distance), f"distance {found.distance:.3f}, chosen on validation"),
        "",
        "At other distances:",
        "",
        _sweep(found),
    ]
    if distance is not None:
        lines += ["", _report(found.report(distance), f"distance {distance:g}, as asked")]
    return "\n".join([*lines, "", siamese.PUBLISHED])


def _images(run: Run) -> str:
    counts = run.counts
    left_out = f" ({counts.left_out} near duplicates left out)" if counts.left_out else ""
    return f"{counts.train:,} training{left_out}, {counts.val:,} validation and {counts.test:,} test images"


def _run(run: Run) -> str:
    settings, metric = run.settings, run.settings.metric
    what = "a head on stored vectors" if settings.fast else "the whole network"
    seconds = [epoch.seconds for epoch in run.history[1:]]
    return (
        f"{run.name}: {what} of {settings.model}, {run.epoch} epochs of {sum(seconds) / max(1, len(seconds)):.1f} s, "
        f"best {METRICS[metric]} on validation {run.history[run.best].values[metric]:.4f} after epoch {run.best}"
    )


def _report(report: TripletReport, title: str) -> str:
    rows = [
        [kind, *(_interval(getattr(report.kinds[kind], name)) for name in ("precision", "recall", "f1")),
         str(report.kinds[kind].support)]
        for kind in KINDS
    ]  # fmt: skip
    accuracy = f"accuracy {_interval(report.accuracy)}, the right pair found in {_interval(report.pair_found)}"
    return "\n".join([table([title, "precision", "recall", "f1", "support"], rows), "", accuracy])


def _sweep(found: siamese.Siamese) -> str:
    rows, columns = [], [(kind, name) for kind in KINDS for name in ("precision", "recall")]
    for distance in siamese.DISTANCES:
        report = found.report(distance)
        cells = [f"{getattr(report.kinds[kind], name).value:.3f}" for kind, name in columns]
        f1 = report.kinds[KINDS[0]].f1.value
        rows.append([f"{distance:.1f}", f"{report.accuracy.value:.3f}", *cells, f"{f1:.3f}"])
    headings = [f"{kind} {name}" for kind, name in columns]
    return table(["distance", "accuracy", *headings, "f1"], rows)


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} [{estimate.low:.3f}-{estimate.high:.3f}]"
