"""``models``: the backbones, and whether their weights are here."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from core.backbones import all_specs, choose, missing_reason, weights
from core.backbones.detr import DETR
from core.cli.table import table
from core.progress import Progress

NAME = "models"
HELP = "List the models: source, size, pre-training, and whether the weights are on this machine; or fetch weights."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to download."""
    parser.add_argument(
        "--fetch", nargs="+", default=[], metavar="NAME",
        help=f"first download the weights of these models, or of the object detector {DETR.name}",
    )  # fmt: skip


def run(options: argparse.Namespace, progress: Progress) -> tuple[Any, str]:
    """All records as JSON and as a table, once what was asked for is here."""
    for done, name in enumerate(options.fetch):
        progress(f"Fetching {name}", done, len(options.fetch))
        if name == DETR.name:
            weights.fetch(DETR, offline=options.offline)
        else:
            choose([name], offline=options.offline)
    records = []
    for spec in all_specs().values():
        reason = missing_reason(spec)
        records.append({**asdict(spec), "available": reason is None, "reason": reason})
    headings = ("model", "source", "available", "dim", "parameters", "MB", "input", "pre-training", "licence")
    rows = [
        (
            r["name"], r["source"], "yes" if r["available"] else "no", str(r["dim"]), f"{r['parameters'] / 1e6:.1f} M",
            f"{r['size_mb']:.1f}", str(r["preprocessing"]["crop"]), r["pretraining"], r["licence"],
        )
        for r in records
    ]  # fmt: skip
    missing = [f"  {r['reason']}" for r in records if r["reason"]]
    notes = ["", "Not available:", *missing] if missing else []
    return records, "\n".join([table(headings, rows, left=3), *notes])
