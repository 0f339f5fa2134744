"""``threshold``: choose a threshold on validation, report it on test."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from core import files
from core.cli import options as shared
from core.cli.table import clean, table
from core.errors import LikenessError
from core.metrics.rates import RATES
from core.policy import Policy
from core.progress import Progress
from core.store import EmbeddingStore
from core.thresholds import REPORTED, Choice, Objective, Outcome, choose, forms, outcome
from core.verify import verify

NAME = "threshold"
HELP = "Choose the threshold from which a pair counts as the same class, on validation; report it on test."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Dataset, models, objective."""
    shared.add_dataset(parser)
    shared.add_models(parser, "every one that has embedded the dataset")
    parser.add_argument("--objective", default="f1", metavar="NAME", help=f"{', '.join(forms())} (default: f1)")
    parser.add_argument(
        "--base-rate", type=float, metavar="SHARE",
        help="share of same-class pairs where the threshold will be used (default: that of the pairs at hand)",
    )  # fmt: skip
    parser.add_argument("--cost-fp", type=float, default=1.0, metavar="COST", help="of a false match (default: 1)")
    parser.add_argument("--cost-fn", type=float, default=1.0, metavar="COST", help="of a false non-match (default: 1)")
    parser.add_argument("--export", metavar="FILE", help="write the policy of the one model named to a file")


def run(options: argparse.Namespace, progress: Progress) -> tuple[Any, str]:
    """The threshold of each model as JSON (of the only one, where one is named) and as text."""
    objective = Objective.parse(options.objective, options.cost_fp, options.cost_fn)
    if options.base_rate is not None and not 0 < options.base_rate < 1:
        raise LikenessError(f"--base-rate is a share between 0 and 1, not {options.base_rate:g}.")
    store = EmbeddingStore()
    dataset = shared.load(options, store, progress)
    found, texts = {}, []
    backbones = shared.embedded_models(options, dataset, store)
    if options.export and len(backbones) != 1:
        names = ", ".join(backbone.name for backbone in backbones)
        raise LikenessError(f"A policy has one model, but there are {len(backbones)}: {names}. Name one with --model.")
    for backbone in backbones:
        val, test = (verify(dataset, backbone, store, split, progress).verification for split in ("val", "test"))
        # One base rate for both, so that they can be compared.
        base_rate = val.base_rate if options.base_rate is None else options.base_rate
        choice = choose(val, objective, base_rate)
        on_val, on_test = (outcome(pairs, choice.threshold, objective, base_rate) for pairs in (val, test))
        found[backbone.name] = _json(choice, objective, base_rate, on_val, on_test)
        if options.export:
            policy = Policy.of(dataset, backbone, objective, base_rate, choice, on_val, on_test)
            files.write_bytes(Path(options.export).absolute(), policy.as_text().encode())
        texts.append(f"{backbone.name}: {_text(choice, base_rate, on_val, on_test)}")
    head = f"{clean(dataset.title)}, objective {objective}: chosen on val, reported on test"
    return next(iter(found.values())) if len(found) == 1 else found, "\n\n".join([head, *texts])


def _json(choice: Choice, objective: Objective, base_rate: float, val: Outcome, test: Outcome) -> dict[str, Any]:
    return {
        "threshold": choice.threshold,
        "ci": [choice.low, choice.high],
        "objective": str(objective),
        "base_rate": round(base_rate, 6),
        "val": val.as_json(),
        "test": test.as_json(),
    }


def _text(choice: Choice, base_rate: float, val: Outcome, test: Outcome) -> str:
    fmr = test.rates["fmr"]
    rows = [[RATES[name].title, *(_cell(one.rates[name]) for one in (val, test))] for name in REPORTED]
    rows.append(["Expected cost", f"{val.cost:.4f}", f"{test.cost:.4f}"])
    lines = [
        f"same from {choice.threshold:.6g} on [{choice.low:.4f}-{choice.high:.4f}]",
        f"At {choice.threshold:.6g} you wrongly match {fmr.value:.2%} [{fmr.low * 100:.2f}-{fmr.high * 100:.2f}] of "
        f"different pairs. Base rate {base_rate:.4g}.",
        "",
        table(["", "val (chosen here)", "test"], rows),
    ]
    return "\n".join(lines)


def _cell(estimate: Any) -> str:
    return f"{estimate.value:.4f} [{estimate.low:.4f}-{estimate.high:.4f}]"
