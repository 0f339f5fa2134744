"""``project``: a map of a dataset for each model."""

from __future__ import annotations

import argparse
from typing import Any

from core.backbones import Backbone
from core.cli import options as shared
from core.cli.table import clean, table
from core.errors import LikenessError
from core.models import Model
from core.neighbours import MOST
from core.progress import Progress
from core.projection import MOST_SHOWN, Projection, Settings, project
from core.records import Dataset
from core.store import EmbeddingStore

NAME = "project"
HELP = "Draw a map (UMAP) of a dataset for each model, for the map page and the report."
_USUAL = Settings()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Dataset, models, and how the map is made."""
    shared.add_dataset(parser)
    shared.add_models(parser, "every one that has embedded the dataset")
    parser.add_argument("--dimensions", type=int, choices=(2, 3), default=_USUAL.dimensions, help="of the map")
    parser.add_argument(
        "--neighbours", type=int, default=_USUAL.neighbours, metavar="N",
        help=f"images held together, 2 to {MOST}: few show detail, many the whole (default: {_USUAL.neighbours})",
    )  # fmt: skip
    parser.add_argument(
        "--min-dist", type=float, default=_USUAL.min_dist, metavar="X",
        help=f"how closely points may be packed, 0 to 1 (default: {_USUAL.min_dist})",
    )  # fmt: skip
    parser.add_argument("--map-seed", type=int, default=_USUAL.seed, metavar="N", help="seed of the map (default: 0)")


def run(options: argparse.Namespace, progress: Progress) -> tuple[Any, str]:
    """How faithful each map is, as JSON and as a table."""
    settings = Settings(options.dimensions, options.neighbours, options.min_dist, options.map_seed)
    store = EmbeddingStore()
    dataset = shared.load(options, store, progress)
    found = {
        backbone.name: project(dataset, backbone, store, settings, progress)
        for backbone in _backbones(shared.embedded_models(options, dataset, store), named=bool(options.models))
    }
    return {name: _as_json(one) for name, one in found.items()}, _as_text(dataset, found)


def _backbones(models: list[Model], *, named: bool) -> list[Backbone]:
    """The models that have vectors of their own; one that was asked for by name must."""
    others = [model.name for model in models if not isinstance(model, Backbone)]
    if named and others:
        raise LikenessError(
            f"{others[0]} has no vectors of its own, so no map: it only scores pairs. Name one of the models it "
            "is made of."
        )
    return [model for model in models if isinstance(model, Backbone)]


def _as_json(found: Projection) -> dict[str, float]:
    return {
        "images": len(found.rows),
        "trustworthiness": round(found.trustworthiness, 6),
        "neighbours_kept": round(found.preservation, 6),
        "seconds": round(found.seconds, 3),
    }


def _as_text(dataset: Dataset, found: dict[str, Projection]) -> str:
    rows = [
        [name, f"{len(one.rows):,}", f"{one.trustworthiness:.4f}", f"{one.preservation:.4f}", f"{one.seconds:.1f}"]
        for name, one in found.items()
    ]
    lines = [
        clean(dataset.title),
        "",
        table(["model", "images", "trustworthiness", "neighbours kept", "seconds"], rows),
    ]
    if len(dataset) > MOST_SHOWN:
        lines += ["", f"A sample of {MOST_SHOWN:,} of {len(dataset):,} images, drawn by class."]
    return "\n".join(lines)
