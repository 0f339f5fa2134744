"""Retrieval evaluation of several models on one dataset: same queries, same gallery, same resamples for all."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.datasets.overlap import seen_in_training
from core.errors import LikenessError
from core.latency import Latency, measure
from core.metrics import (
    METRICS,
    Difference,
    QueryResults,
    compare,
    evaluate_queries,
    per_class_precision,
    summarise,
    summary_intervals,
    tied_for_best,
)
from core.models import Model
from core.progress import Progress, silent
from core.records import Dataset
from core.scorers import scorer_of
from core.store import EmbeddingStore
from core.vectors import class_codes, split_rows
from core.verify import SplitPairs, has_both_kinds, verify

# The metric that decides which model is best.
HEADLINE = "precision_at_5"
_SCHEMA = 3
_LIBRARIES = ("numpy", "onnxruntime", "pillow", "torch")


@dataclass(frozen=True)
class Protocol:
    """Which rows ask and which rows answer; no image is ever found by itself.

    With ``leave_one_out`` the queries' own split (or the whole dataset, ``split="all"``) is the gallery.
    """

    split: str = "test"
    gallery: str = "train"
    leave_one_out: bool = False

    def queries(self, dataset: Dataset) -> NDArray[np.intp]:
        """Rows that ask."""
        return split_rows(dataset, self.split)

    def candidates(self, dataset: Dataset) -> NDArray[np.intp]:
        """Rows that answer."""
        return self.queries(dataset) if self.leave_one_out else split_rows(dataset, self.gallery)


@dataclass(frozen=True)
class ModelResult:
    """One model's retrieval results.

    ``values`` and ``intervals`` (95%, query bootstrap) are keyed by the names of :data:`core.metrics.METRICS`.
    ``pairs`` has all pairs of the queries, or None where they make no pair of one class or none of two.
    """

    backbone: Model
    results: QueryResults
    values: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    per_class: dict[str, float]
    latency: Latency
    pairs: SplitPairs | None


@dataclass(frozen=True)
class Evaluation:
    """Every model on the same queries, best first by P@5; ``tied`` cannot be told from the best.

    ``differences`` compares all pairs of models by P@5; :func:`compare_models` does so by any other metric.
    """

    dataset: Dataset
    protocol: Protocol
    models: dict[str, ModelResult]
    differences: list[Difference]
    tied: list[str]

    @cached_property
    def trained_on(self) -> dict[str, int]:
        """How many of the queries a model, or one of its networks, was trained on here; only models with any."""
        rows = self.protocol.queries(self.dataset)
        found = {
            name: max(seen_in_training(self.dataset, rows, network.spec) for network in result.backbone.networks)
            for name, result in self.models.items()
        }
        return {name: number for name, number in found.items() if number}

    def as_json(self) -> dict[str, Any]:
        """The result in the form of the command line's ``--json``."""
        return {
            "models": {name: _model_json(result) for name, result in self.models.items()},
            "tied_for_best": self.tied,
            "trained_on_queries": self.trained_on,
            "differences": [_difference_json(difference) for difference in self.differences],
            "provenance": {
                "dataset": self.dataset.ref,
                "dataset_fingerprint": self.dataset.fingerprint,
                "images": len(self.dataset),
                "split": self.protocol.split,
                "gallery": self.protocol.split if self.protocol.leave_one_out else self.protocol.gallery,
                "leave_one_out": self.protocol.leave_one_out,
                "seed": self.dataset.options.seed,
                "fingerprints": {name: result.backbone.fingerprint for name, result in self.models.items()},
                "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
            },
        }


def evaluate(
    dataset: Dataset,
    backbones: Iterable[Model],
    store: EmbeddingStore,
    protocol: Protocol = Protocol(),
    progress: Progress = silent,
) -> Evaluation:
    """Retrieval metrics of every model, with 95% intervals from the same resamples of the queries.

    Raises:
        LikenessError: a model lacks vectors of this dataset, or a split has no images.
    """
    models = list(backbones)
    if not models:
        raise LikenessError("There is no model to evaluate. Embed the dataset with one first: python -m core embed.")
    found = {}
    for done, backbone in enumerate(models):
        progress("Evaluating", done, len(models))
        found[backbone.name] = _evaluate_model(dataset, backbone, store, protocol, progress)
    progress("Evaluating", len(models), len(models))
    ranked = dict(sorted(found.items(), key=lambda item: -item[1].values[HEADLINE]))
    differences = compare_models(ranked, HEADLINE)
    tied = tied_for_best({name: result.values[HEADLINE] for name, result in ranked.items()}, differences)
    return Evaluation(dataset, protocol, ranked, differences, tied)


def compare_models(models: Mapping[str, ModelResult], metric: str) -> list[Difference]:
    """All pairs of an evaluation's ``models`` by a metric of :data:`core.metrics.METRICS`, in their order."""
    chosen = METRICS[metric]
    first = next(iter(models.values())).results
    return compare({name: chosen.per_query(r.results) for name, r in models.items()}, chosen.classes(first))


def _evaluate_model(
    dataset: Dataset, backbone: Model, store: EmbeddingStore, protocol: Protocol, progress: Progress
) -> ModelResult:
    key = _key(dataset, backbone, protocol)
    results = _recall(store, key)
    if results is None:
        results = _query(dataset, backbone, store, protocol)
        store.write_arrays("evaluations", key, {f.name: np.asarray(getattr(results, f.name)) for f in fields(results)})
    return ModelResult(
        backbone,
        results,
        summarise(results),
        summary_intervals(results),
        per_class_precision(results, dataset.classes),
        measure(backbone),
        verify(dataset, backbone, store, protocol.split, progress) if has_both_kinds(dataset, protocol.split) else None,
    )


def _key(dataset: Dataset, backbone: Model, protocol: Protocol) -> str:
    """Covers all that decides the results. The rows' order too: it follows file names, and results name their rows."""
    content = f"{_SCHEMA} {dataset.fingerprint} {backbone.fingerprint} {protocol} {' '.join(dataset.ids.tolist())}"
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _query(dataset: Dataset, backbone: Model, store: EmbeddingStore, protocol: Protocol) -> QueryResults:
    scorer, codes = scorer_of(dataset, backbone, store), class_codes(dataset)
    return evaluate_queries(scorer, codes, protocol.queries(dataset), protocol.candidates(dataset))


def _recall(store: EmbeddingStore, key: str) -> QueryResults | None:
    arrays = store.read_arrays("evaluations", key)
    if arrays is None or set(arrays) != {f.name for f in fields(QueryResults)}:
        return None
    kept: dict[str, Any] = {**arrays, "left_out": int(arrays["left_out"].item())}
    return QueryResults(**kept)


def _model_json(result: ModelResult) -> dict[str, Any]:
    spec = result.backbone.spec
    pairs = {} if result.pairs is None else result.pairs.summary
    return {
        **{name: round(value, 6) for name, value in result.values.items()},
        **{name: round(pairs[name].value, 6) if name in pairs else None for name in ("roc_auc", "eer")},
        "latency_ms": result.latency.p50,
        "latency_p95_ms": result.latency.p95,
        "size_mb": spec.size_mb,
        "dim": spec.dim,
        "queries": len(result.results),
        "queries_left_out": result.results.left_out,
        "ci": {
            name: [round(low, 6), round(high, 6)]
            for name, (low, high) in (result.intervals | {n: e.interval for n, e in pairs.items()}).items()
        },
        "per_class_precision_at_5": {name: round(value, 6) for name, value in result.per_class.items()},
    }


def _difference_json(difference: Difference) -> dict[str, Any]:
    return {
        "a": difference.a,
        "b": difference.b,
        "metric": HEADLINE,
        "difference": round(difference.value, 6),
        "ci": [round(limit, 6) for limit in difference.interval],
        "p_value": difference.p_value,
        "p_adjusted": difference.adjusted,
    }
