"""``models``: the backbones, and whether their weights are here."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from core.backbones import all_specs, missing_reason
from core.cli.table import table
from core.progress import Progress

NAME = "models"
HELP = "List the models: source, size, pre-training, and whether the weights are on this machine."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """This command takes no more options."""


def run(options: argparse.Namespace, progress: Progress) -> tuple[Any, str]:
    """All records as JSON and as a table."""
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
