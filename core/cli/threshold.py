"""``threshold``: choose a threshold on validation, report it on test."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from core import files
from core.calibration import fit
from core.cli import options as shared
from core.cli.table import clean, table
from core.errors import LikenessError
from core.metrics.rates import RATES
from core.metrics.verification import Estimate
from core.policy import Policy
from core.progress import Progress
from core.review import review_band
from core.store import EmbeddingStore
from core.threshold_report import ThresholdReport, report
from core.thresholds import REPORTED
from core.verify import verify

NAME = "threshold"
HELP = "Choose the threshold from which a pair counts as the same class, on validation; report it on test."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Dataset, models, objective."""
    shared.add_dataset(parser)
    shared.add_models(parser, "every one that has embedded the dataset")
    shared.add_objective(parser)
    parser.add_argument(
        "--review", type=_limits, metavar="FMR/FNMR",
        help="leave doubtful pairs to a person, so that automatic answers are wrong no more often than this on "
        "validation, such as 0.001/0.05",
    )  # fmt: skip
    parser.add_argument("--export", metavar="FILE", help="write the policy of the one model named to a file")


def run(options: argparse.Namespace, progress: Progress) -> tuple[Any, str]:
    """The threshold of each model as JSON (of the only one, where one is named) and as text."""
    objective = shared.objective(options)
    store = EmbeddingStore()
    dataset = shared.load(options, store, progress)
    found, texts = {}, []
    backbones = shared.embedded_models(options, dataset, store)
    if options.export and len(backbones) != 1:
        names = ", ".join(backbone.name for backbone in backbones)
        raise LikenessError(f"A policy has one model, but there are {len(backbones)}: {names}. Name one with --model.")
    for backbone in backbones:
        val, test = (verify(dataset, backbone, store, split, progress).verification for split in ("val", "test"))
        band = None if options.review is None else review_band(val, *options.review)
        found_here = report(val, test, objective, fit(val, options.calibration), options.base_rate, band=band)
        found[backbone.name] = found_here.as_json()
        if options.export:
            policy = Policy.of(dataset, backbone, found_here)
            files.write_bytes(Path(options.export).absolute(), policy.as_text().encode())
        texts.append(f"{backbone.name}: {as_text(found_here)}")
    head = f"{clean(dataset.title)}, objective {objective}: chosen on val, reported on test"
    return next(iter(found.values())) if len(found) == 1 else found, "\n\n".join([head, *texts])


def _limits(text: str) -> tuple[float, float]:
    try:
        fmr, fnmr = (float(part) for part in text.split("/"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected FMR/FNMR such as 0.001/0.05, not {text!r}") from None
    return fmr, fnmr


def as_text(found: ThresholdReport) -> str:
    """The threshold, and what it does on both splits side by side."""
    choice, fmr = found.choice, found.test.rates["fmr"]
    sides = (found.val, found.test)
    rows = [[RATES[name].title, *(cell(one.rates[name]) for one in sides)] for name in REPORTED]
    rows.append(["Expected cost", *(f"{one.cost:.4f}" for one in sides)])
    if found.review:
        works = (found.review.val, found.review.test)
        rows.append(["Left to a person", *(cell(one.review) for one in works)])
        rows.append(["Accepted wrongly", *(cell(one.fmr) for one in works)])
        rows.append(["Rejected wrongly", *(cell(one.fnmr) for one in works)])
    probability = float(found.calibration(found.threshold, found.base_rate))
    lines = [
        f"same from {choice.threshold:.6g} on [{choice.low:.4f}-{choice.high:.4f}]",
        f"At {choice.threshold:.6g} you wrongly match {fmr.value:.2%} [{fmr.low * 100:.2f}-{fmr.high * 100:.2f}] of "
        f"different pairs. Base rate {found.base_rate:.4g}; P(same) at the threshold {probability:.3f}.",
    ]
    if found.review:
        lines.append(f"A person looks at scores from {found.review.band.reject:.6g} to {found.review.band.accept:.6g}.")
    return "\n".join([*lines, "", table(["", "val (chosen here)", "test"], rows)])


def cell(estimate: Estimate) -> str:
    """A number with its interval."""
    return f"{estimate.value:.4f} [{estimate.low:.4f}-{estimate.high:.4f}]"
