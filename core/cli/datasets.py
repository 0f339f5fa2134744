"""``datasets``: the catalogue of datasets, and whether their data is here."""

from __future__ import annotations

import argparse
from typing import Any

from core.cli.table import table
from core.datasets import DATASETS
from core.progress import Progress

NAME = "datasets"
HELP = "List the datasets known by name, and whether their images are on this machine."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """This command takes no more options."""


def run(options: argparse.Namespace, progress: Progress) -> tuple[Any, str]:
    """All records as JSON and as a table."""
    records = [
        {
            "name": spec.name,
            "title": spec.title,
            "description": spec.description,
            "licence": spec.licence,
            "attribution": spec.attribution,
            "available": spec.available(),
            "how_to_get": spec.how_to_get(),
        }
        for spec in DATASETS.values()
    ]
    rows = [(str(r["name"]), "yes" if r["available"] else "no", str(r["title"]), str(r["licence"])) for r in records]
    missing = [f"  {r['name']}: {r['how_to_get']}" for r in records if not r["available"]]
    notes = ["", "Not available:", *missing] if missing else []
    own = "\nYour own images: --dataset FOLDER (class folders, or train/ val/ test/ above them) or --dataset FILE.csv."
    return records, "\n".join([table(("dataset", "available", "title", "licence"), rows, left=4), *notes, own])
