"""``fuse``: learn the weights of a fusion on validation, and take it apart on test."""

from __future__ import annotations

import argparse
from typing import Any

from core import fusing, fusions, normalise
from core.ablation import Ablation, ablate, p_value
from core.backbones import Backbone
from core.calibration import fit
from core.classify import default_classifier
from core.cli import options as shared
from core.cli.table import clean, table
from core.cli.threshold import as_text, cell
from core.compare import best_detector
from core.default_fusion import default_fusion
from core.embed import embed
from core.errors import LikenessError
from core.fusion_parts import fusion_of, why_no_labels
from core.progress import Progress
from core.records import Dataset
from core.store import EmbeddingStore
from core.threshold_report import report
from core.variants import on_crops, variants_of
from core.verify import verify

NAME = "fuse"
HELP = "Learn how much each model, and label match, should count in a weighted sum: on validation, reported on test."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Dataset, models, objective, and how to learn."""
    shared.add_dataset(parser)
    shared.add_models(parser, "every one that has embedded the dataset")
    shared.add_objective(parser)
    parser.add_argument(
        "--normalise", choices=list(normalise.METHODS), default="min-max",
        help="how scores of different models come to one scale (default: min-max)",
    )  # fmt: skip
    parser.add_argument(
        "--by", choices=[fusing.BOTH, *fusing.WAYS], default=fusing.BOTH,
        help="how weights are learned; the better of both on validation by default",
    )  # fmt: skip
    parser.add_argument("--no-labels", action="store_true", help="leave label match out")
    parser.add_argument(
        "--crops", action="store_true",
        help="also judge the fusion on images cropped to their subject; validation and test images are embedded again",
    )  # fmt: skip
    parser.add_argument("--name", metavar="NAME", help="save the fusion; it then stands wherever a model does")


def run(options: argparse.Namespace, progress: Progress) -> tuple[Any, str]:
    """Weights, what they do on both splits and the ablation, as JSON and as text."""
    objective = shared.objective(options)
    if options.name is not None:
        fusions.check_name(options.name)
    store = EmbeddingStore()
    dataset = shared.load(options, store, progress)
    backbones = _backbones(options, dataset, store)
    classifier, note = _classifier(options, dataset, store, progress)
    parts = fusion_of(dataset, backbones, store, options.normalise, classifier, progress)
    learned = fusing.learn(
        dataset, parts, store, objective=objective, base_rate=options.base_rate, by=options.by,
        name=options.name or fusing.NAME, progress=progress,
    )  # fmt: skip
    val, test = (verify(dataset, learned.fusion, store, split, progress).verification for split in ("val", "test"))
    found = report(val, test, objective, fit(val, options.calibration), options.base_rate)
    usual = default_fusion(dataset, backbones, store)
    variants = variants_of(dataset, learned.fusion, parts, store, [usual], progress)
    if options.crops:
        variants.append(on_crops(dataset, learned.fusion, best_detector(), store, progress))
    ablation = ablate(variants, objective, found.base_rate)
    if options.name is not None:
        fusions.save(learned.fusion)
    result = {
        "weights": learned.fusion.weights, "normalise": options.normalise, "origin": learned.fusion.origin,
        "candidates": [
            {"by": one.way, "weights": one.fusion.weights, "val": round(one.value, 6)} for one in learned.candidates
        ],
        "saved_as": options.name, "note": note, **found.as_json(), "ablation": ablation.as_json(),
    }  # fmt: skip
    unfit = clean(ablation.note())
    saved = f"Saved as {options.name}: name it with --models, or choose it in the dashboard." if options.name else ""
    lines = [
        f"{clean(dataset.title)}, objective {objective}: weights learned on val, reported on test",
        "", _weights(learned), *([note] if note else []), "", as_text(found), "", _variants(ablation),
        f"{usual.name}: {usual.origin}", "", clean(ablation.verdict()),
        *([unfit] if unfit else []), *([saved] if saved else []),
    ]  # fmt: skip
    return result, "\n".join(lines)


def _backbones(options: argparse.Namespace, dataset: Dataset, store: EmbeddingStore) -> list[Backbone]:
    models = shared.embedded_models(options, dataset, store)
    found = [one for one in models if isinstance(one, Backbone)]
    others = [one.name for one in models if not isinstance(one, Backbone)]
    if others and options.models != ["all"] and options.models:
        raise LikenessError(
            f"{others[0]} is a fusion itself or a pair head, and what is added up are the cosines of single networks. "
            "Name those that it stands on."
        )
    return found


def _classifier(
    options: argparse.Namespace, dataset: Dataset, store: EmbeddingStore, progress: Progress
) -> tuple[Backbone | None, str]:
    """Who gives labels, having looked at every image now, and why nobody does."""
    if options.no_labels:
        return None, ""
    classifier = default_classifier()
    if classifier is not None:
        embed(dataset, [classifier], store, progress)
    missing = why_no_labels(dataset, classifier, store)
    return (None, f"Without label match. {missing}") if missing else (classifier, "")


def _weights(learned: fusing.Learned) -> str:
    ways = [f"{one.way} {'(taken)' if one.fusion is learned.fusion else ''}".rstrip() for one in learned.candidates]
    names = list(dict.fromkeys(name for one in learned.candidates for name in one.fusion.weights))
    rows = [[name, *(f"{one.fusion.weights.get(name, 0):.2f}" for one in learned.candidates)] for name in names]
    return table(["weight of", *ways], [*rows, ["on val", *(f"{one.value:.4f}" for one in learned.candidates)]])


def _variants(found: Ablation) -> str:
    """The ablation as a table; the gain is the whole fusion's over the row."""
    name = found.yardstick.name
    numbers = list(found.rows[0].values)
    titles = [found.title(one) for one in numbers]
    rows = []
    for row in found.rows:
        gain = row.gains.get(name)
        rows.append([
            row.variant.label, f"{row.on_val:.4f}",
            *(cell(row.values[one]) for one in numbers),
            f"{gain.value:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]" if gain else "-",
            p_value(gain.adjusted) if gain else "-",
        ])  # fmt: skip
    title = found.yardstick.title
    return table(["on test", f"{title} on val", *titles, f"the fusion's gain in {title}", "Holm's p"], rows)
