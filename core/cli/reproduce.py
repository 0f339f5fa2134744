"""``reproduce``: a protocol of earlier work, end to end."""

from __future__ import annotations

import argparse
from typing import Any

from core.cli import options as shared
from core.cli.protocols import animals10, fashion, siamese
from core.errors import LikenessError
from core.progress import Progress
from core.store import EmbeddingStore

NAME = "reproduce"
HELP = "Repeat the protocol of earlier work from images to table; on its own data, or on any other with --dataset."
PROTOCOLS = {module.NAME: module for module in (animals10, fashion, siamese)}
# Options of one protocol only.
_SIAMESE = ("fast", "epochs", "distance")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Protocol, dataset and models."""
    parser.add_argument(
        "protocol", choices=list(PROTOCOLS), help="; ".join(f"{name}: {one.HELP}" for name, one in PROTOCOLS.items())
    )
    shared.add_dataset(parser, queries=True)
    shared.add_models(parser, "every one available; siamese: efficientnet_b0, or who stands in for it")
    siamese.add_arguments(parser)


def run(options: argparse.Namespace, progress: Progress) -> tuple[Any, str]:
    """The table as JSON and as text. Without ``--dataset`` it is the protocol's own, not the one last used."""
    protocol = PROTOCOLS[options.protocol]
    if options.split not in protocol.REPORTS:
        known = " or ".join(protocol.REPORTS)
        raise LikenessError(f"{options.protocol} reports on {known}, not {options.split!r}. Name one with --split.")
    for name in _SIAMESE:
        if getattr(options, name) is not None and protocol is not siamese:
            raise LikenessError(f"--{name} is for reproduce siamese: {options.protocol} trains nothing.")
    for name, value in protocol.DEFAULTS.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    store = EmbeddingStore()
    found: tuple[Any, str] = protocol.run(options, shared.load(options, store, progress), store, progress)
    return found
