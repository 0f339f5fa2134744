"""``embed``: compute the vectors of a dataset."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from core.classify import default_classifier
from core.cli import options as shared
from core.cli.table import clean, table
from core.embed import EmbedReport
from core.embed import embed as embed_dataset
from core.latency import measure
from core.progress import Progress
from core.store import EmbeddingStore

NAME = "embed"
HELP = "Embed a dataset with models. Only images that a model has not seen are computed."
_SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Dataset and models."""
    shared.add_dataset(parser)
    shared.add_models(parser, "every one available")
    parser.add_argument(
        "--labels", action="store_true", help="also let the best classifier here say what each image shows"
    )


def run(options: argparse.Namespace, progress: Progress) -> tuple[Any, str]:
    """What was computed, as JSON and as a table."""
    store = EmbeddingStore()
    backbones = shared.models(options)
    dataset = shared.load(options, store, progress)
    classifier = default_classifier() if options.labels else None
    reports = embed_dataset(dataset, [*backbones, *([classifier] if classifier else [])], store, progress)
    for done, backbone in enumerate(backbones):  # now, while the machine is quiet, rather than when a page asks
        progress("Timing models", done, len(backbones))
        measure(backbone)
    progress("Timing models", len(backbones), len(backbones))
    rows = [
        (name, f"{r.images:,}", f"{r.computed:,}", f"{r.reused:,}", str(len(r.failed)), _rate(r))
        for name, r in reports.items()
    ]
    text = table(("model", "images", "computed", "reused", "failed", "images/s"), rows)
    failed = list(dict.fromkeys(file for report in reports.values() for file in report.failed))
    lines = [f"  {clean(file.path)}: {clean(file.reason)}" for file in failed[:_SHOWN]]
    if len(failed) > _SHOWN:
        lines.append(f"  ... and {len(failed) - _SHOWN} more (--json lists them all)")
    head = f"{clean(dataset.title)}: {len(dataset):,} images, {len(dataset.classes)} classes"
    skipped = ["", "Skipped:", *lines] if lines else []
    return {name: asdict(report) for name, report in reports.items()}, "\n".join([head, "", text, *skipped])


def _rate(report: EmbedReport) -> str:
    return f"{report.images_per_s:.1f}" if report.computed else "-"
