"""``reproduce``: a protocol of earlier work, end to end."""

from __future__ import annotations

import argparse
from typing import Any

from core.classify import default_classifier
from core.cli import options as shared
from core.cli.table import clean, table
from core.progress import Progress
from core.reproduce import animals10
from core.store import EmbeddingStore

NAME = "reproduce"
HELP = "Repeat the protocol of earlier work from images to table; on its own data, or on any other with --dataset."
_RATES = ("accuracy", "precision", "recall", "f1")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Protocol, dataset and models."""
    parser.add_argument("protocol", choices=["animals10"], help="animals10: same species or not, on four sets of pairs")
    shared.add_dataset(parser)
    shared.add_models(parser, "every one available")


def run(options: argparse.Namespace, progress: Progress) -> tuple[Any, str]:
    """The table as JSON and as text. Without ``--dataset`` it is the protocol's own, not the one last used."""
    options.dataset = options.dataset or options.protocol
    store = EmbeddingStore()
    dataset = shared.load(options, store, progress)
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
