"""``evaluate``: the leaderboard."""

from __future__ import annotations

import argparse
from typing import Any

from core import evaluate as evaluation
from core.cli import options as shared
from core.cli.table import clean, table
from core.duplicates import find_duplicates
from core.leaks import Leaks, without_leaks
from core.metrics import METRICS
from core.progress import Progress
from core.records import SPLITS
from core.store import EmbeddingStore

NAME = "evaluate"
HELP = "Compare models: every query asks the gallery for its class; all pairs of queries are scored. 95% intervals."
_COLUMNS = ("precision_at_5", "retrieval_accuracy", "macro_precision_at_5", "mrr", "map_at_r", "r_precision")
_WITHOUT = ("precision_at_5", "retrieval_accuracy")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Dataset, models and protocol."""
    shared.add_dataset(parser, queries=True)
    shared.add_models(parser, "every one that has embedded the dataset")
    parser.add_argument("--gallery", choices=[*SPLITS, "all"], default="train", help="who answers (default: train)")
    parser.add_argument(
        "--leaks", action="store_true", help="also without the queries that have a near duplicate in the gallery"
    )
    parser.add_argument("--loo", action="store_true", help="leave-one-out: the queries' own split is the gallery")


def run(options: argparse.Namespace, progress: Progress) -> tuple[Any, str]:
    """Metrics as JSON and the leaderboard as a table."""
    store = EmbeddingStore()
    dataset = shared.load(options, store, progress)
    backbones = shared.embedded_models(options, dataset, store)
    protocol = evaluation.Protocol(options.split, options.gallery, options.loo)
    found = evaluation.evaluate(dataset, backbones, store, protocol, progress)
    if not options.leaks:
        return found.as_json(), leaderboard(found)
    confirms = next(iter(found.models.values())).backbone.networks[0]
    leaks = without_leaks(found, find_duplicates(dataset, store, confirms, progress))
    return {**found.as_json(), "leaks": leaks.as_json()}, f"{leaderboard(found)}\n\n{_leaks(leaks)}"


def _leaks(leaks: Leaks) -> str:
    head = f"{leaks.queries:,} of {leaks.counted:,} queries have a near duplicate in the gallery"
    rows = [
        [name, *(f"{one.value:.4f} [{one.low:.4f}-{one.high:.4f}]" for one in map(values.get, _WITHOUT) if one)]
        for name, values in leaks.without.items()
    ]
    titles = [f"{METRICS[name].title} without them" for name in _WITHOUT]
    return "\n".join([head, "", table(["model", *titles], rows)]) if rows else head


def leaderboard(found: evaluation.Evaluation) -> str:
    """The evaluation as a plain table, best first."""
    headings = ["model", *(METRICS[name].title for name in _COLUMNS), "ROC AUC", "EER", "ms/image", "MB", "dim"]
    rows = []
    for name, result in found.models.items():
        low, high = result.intervals["precision_at_5"]
        cells = [f"{result.values[metric]:.4f}" for metric in _COLUMNS]
        cells[0] += f" [{low:.4f}-{high:.4f}]"
        pairs = [] if result.pairs is None else [f"{one.value:.4f}" for one in result.pairs.summary.values()]
        cells += pairs or ["-", "-"]
        spec = result.backbone.spec
        mark = " *" if name in found.tied else ""
        rows.append([name + mark, *cells, f"{result.latency.p50:.1f}", f"{spec.size_mb:.1f}", str(spec.dim)])
    verdict = "* best" if len(found.tied) == 1 else "* tied for best (Holm-corrected randomisation test, 5%)"
    flattered = [f"{name} was trained on {number:,} of these queries" for name, number in found.trained_on.items()]
    return "\n".join([asked(found), "", table(headings, rows), "", verdict, *flattered])


def asked(found: evaluation.Evaluation) -> str:
    """Who asked whom, on one line."""
    results = next(iter(found.models.values())).results
    protocol = found.protocol
    gallery = "the other images of that split" if protocol.leave_one_out else protocol.gallery
    left_out = f" ({results.left_out:,} left out: their class is not in the gallery)" if results.left_out else ""
    return f"{clean(found.dataset.title)}: {len(results):,} queries from {protocol.split}{left_out}, gallery: {gallery}"
