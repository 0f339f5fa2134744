"""``reproduce animals10``: same species or not, as a table."""

from __future__ import annotations

import argparse
from typing import Any

from core.classify import default_classifier
from core.cli import options as shared
from core.cli.table import clean, table
from core.progress import Progress
from core.records import Dataset
from core.reproduce import animals10
from core.store import EmbeddingStore

NAME = "animals10"
HELP = "same species or not, on four sets of pairs"
DEFAULTS: dict[str, Any] = {"dataset": "animals10"}
REPORTS = ("test",)
_RATES = ("accuracy", "precision", "recall", "f1")


def run(
    options: argparse.Namespace, dataset: Dataset, store: EmbeddingStore, progress: Progress
) -> tuple[dict[str, Any], str]:
    """The table as JSON and as text."""
    found = animals10.reproduce(
        dataset, shared.models(options), default_classifier(), store, dataset.options.seed, progress
    )
    return found.as_json(), _text(found)


def _text(found: animals10.Animals10) -> str:
    rows = [
        [row.scorer, str(row.pairs), "-" if row.threshold is None else f"{row.threshold:.4f}",
         *(f"{row.rates[name].value:.3f} [{row.rates[name].low:.3f}-{row.rates[name].high:.3f}]" for name in _RATES)]
        for row in found.rows
    ]  # fmt: skip
    return "\n".join([
        f"{clean(found.dataset.title)}: balanced test pairs (seed {found.seed}), thresholds chosen on validation",
        f"fusion: {found.fusion.origin}",
        "",
        table(["model", "pairs", "threshold", *_RATES], rows),
        "",
        f"Published, without a table: {animals10.PUBLISHED}",
    ])  # fmt: skip
