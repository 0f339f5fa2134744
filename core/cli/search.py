"""``search``: the most similar images."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from core.cli import options as shared
from core.cli.table import clean
from core.errors import LikenessError, UnreadableImage
from core.full_search import searcher_of
from core.progress import Progress
from core.records import SPLITS
from core.search import Filters
from core.store import EmbeddingStore
from core.vectors import stored_vectors

NAME = "search"
HELP = "Find the images of a dataset that are most similar to one image; the image itself is never among them."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Image, dataset, models and filters."""
    parser.add_argument("image", metavar="IMAGE", help="an image file")
    shared.add_dataset(parser)
    shared.add_models(parser, "every one that has embedded the dataset")
    parser.add_argument("-k", type=int, default=5, help="how many (default: 5)")
    parser.add_argument("--only-class", metavar="CLASS", help="only images of this class")
    parser.add_argument("--only-split", choices=SPLITS, help="only images of this split")


def run(options: argparse.Namespace, progress: Progress) -> tuple[Any, str]:
    """Hits of each model as JSON and as text."""
    if options.k < 1:
        raise LikenessError(f"-k {options.k}: expected a whole number of at least 1.")
    try:
        data = Path(options.image).read_bytes()
    except OSError as error:
        raise LikenessError(f"{options.image} cannot be read: {error.strerror or error}.") from error
    store = EmbeddingStore()
    dataset = shared.load(options, store, progress)
    if options.only_class is not None and options.only_class not in dataset.classes:
        raise LikenessError(f"No class is called {options.only_class!r}. Classes: {', '.join(dataset.classes)}.")
    filters = Filters(options.only_class, options.only_split)
    found: dict[str, list[dict[str, Any]]] = {}
    for backbone in shared.embedded_models(options, dataset, store):
        for network in backbone.networks:
            stored_vectors(dataset, network, store)  # says so where some are missing, and would not be found
        try:
            hits = searcher_of(dataset, backbone, store).by_image(data, options.k, filters)
        except UnreadableImage as error:
            raise LikenessError(f"{options.image} cannot be used: {error}.") from error
        found[backbone.name] = [
            {"path": str(dataset.paths[hit.row]), "label": str(dataset.labels[hit.row]), "score": round(hit.score, 6)}
            for hit in hits
        ]
    lines = []
    for name, hits_of in found.items():
        lines += [name, *(f"  {hit['score']:.4f}  {clean(hit['label'])}  {clean(hit['path'])}" for hit in hits_of), ""]
    return found, "\n".join(lines).rstrip()
