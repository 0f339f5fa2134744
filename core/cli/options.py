"""Options that several commands share, and what they mean."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from core.backbones import ALL, Backbone, available, choose
from core.calibration import METHODS
from core.datasets import DATASETS, load_dataset
from core.errors import LikenessError
from core.fusions import saved
from core.models import Model
from core.progress import Progress
from core.recent import DatasetChoice, recent, remember
from core.records import SPLITS, Dataset, DatasetOptions
from core.siamese import pair_scorers
from core.store import EmbeddingStore
from core.thresholds import Objective, forms
from core.vectors import embedded

_CUTS = [field.name for field in fields(DatasetOptions)]


class _SplitOrShares(argparse.Action):
    """``--split test`` names a split, ``--split 70/15/15`` its shares."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:  # fmt: skip
        text = str(values)
        if "/" in text:
            try:
                namespace.shares = _shares(text)
            except argparse.ArgumentTypeError as error:
                raise argparse.ArgumentError(self, str(error)) from error
        elif text in (*SPLITS, "all"):
            namespace.split = text
        else:
            raise argparse.ArgumentError(self, f"expected {', '.join(SPLITS)}, all or 70/15/15, not {text!r}")


def add_dataset(parser: argparse.ArgumentParser, *, queries: bool = False) -> None:
    """``--dataset`` and how to cut it; with ``queries``, ``--split`` also names the split that asks."""
    names = ", ".join(DATASETS)
    group = parser.add_argument_group("dataset")
    group.add_argument(
        "--dataset", metavar="NAME|PATH",
        help=f"{names}, a folder of class folders, or a CSV path,label[,split] (default: the one last used, else demo)",
    )  # fmt: skip
    group.add_argument("--top-classes", type=_positive, metavar="N", help="keep the N most frequent classes")
    group.add_argument("--per-class", type=_positive, metavar="N", help="keep N images of each class")
    shares = "train/val/test shares such as 70/15/15, where the source has no such split"
    if queries:
        group.add_argument(
            "--split", dest="split", action=_SplitOrShares, metavar="SPLIT",
            help=f"whose images ask: {', '.join(SPLITS)} or all (default: test); or, with slashes, {shares}",
        )  # fmt: skip
        parser.set_defaults(split="test", shares=None)
    else:
        group.add_argument("--split", dest="shares", type=_shares, metavar="SHARES", help=shares + " (the default)")
    group.add_argument("--seed", type=int, help="seed of the split and of subsets (default: 0)")


def add_models(parser: argparse.ArgumentParser, default: str) -> None:
    """``--models`` and its alias ``--model``."""
    parser.add_argument(
        "--models", "--model", metavar="NAMES", type=_names,
        help=f"names with commas between them, or {ALL}: every one available (default: {default})",
    )  # fmt: skip


def add_objective(parser: argparse.ArgumentParser) -> None:
    """What a threshold is to be good at, and where it will be used."""
    parser.add_argument("--objective", default="f1", metavar="NAME", help=f"{', '.join(forms())} (default: f1)")
    parser.add_argument(
        "--base-rate", type=float, metavar="SHARE",
        help="share of same-class pairs where the threshold will be used (default: that of the pairs at hand)",
    )  # fmt: skip
    parser.add_argument("--cost-fp", type=float, default=1.0, metavar="COST", help="of a false match (default: 1)")
    parser.add_argument("--cost-fn", type=float, default=1.0, metavar="COST", help="of a false non-match (default: 1)")
    parser.add_argument("--calibration", choices=list(METHODS), default="isotonic", help="how a score becomes P(same)")


def objective(options: argparse.Namespace) -> Objective:
    """The objective that a command was asked for.

    Raises:
        LikenessError: there is no such objective, or the base rate is no share.
    """
    if options.base_rate is not None and not 0 < options.base_rate < 1:
        raise LikenessError(f"--base-rate is a share between 0 and 1, not {options.base_rate:g}.")
    return Objective.parse(options.objective, options.cost_fp, options.cost_fn)


def load(options: argparse.Namespace, store: EmbeddingStore, progress: Progress) -> Dataset:
    """The dataset a command was asked for, or the one last used, or the demo; remembered for the next command."""
    last = (recent() or [DatasetChoice("demo")])[0]
    base = last if options.dataset is None else DatasetChoice(options.dataset)
    given = {name: getattr(options, name) for name in _CUTS if getattr(options, name) is not None}
    choice = DatasetChoice(base.ref, replace(base.options, **given))
    dataset = load_dataset(
        choice.ref, choice.options, offline=options.offline, progress=progress, known_failures=store.failures()
    )
    remember(DatasetChoice(dataset.ref, dataset.options))
    return dataset


def models(options: argparse.Namespace) -> list[Backbone]:
    """The models a command was asked for, or every one available.

    Raises:
        LikenessError: none is available, or none of that name.
    """
    chosen = choose(options.models or [ALL], offline=options.offline)
    if not chosen:
        raise LikenessError("No model has its weights on this machine. Run: python -m core doctor")
    return chosen


def embedded_models(options: argparse.Namespace, dataset: Dataset, store: EmbeddingStore) -> list[Model]:
    """The models a command was asked for, pair heads and fusions too, or all that have embedded the whole dataset.

    Raises:
        LikenessError: no model has.
    """
    if options.models and options.models != [ALL]:
        return [model for name in dict.fromkeys(options.models) for model in _named(name, offline=options.offline)]
    done = embedded(dataset, store)
    if not done:
        command = f"python -m core embed --dataset {dataset.ref} --models {ALL}"
        raise LikenessError(f"No model has embedded {dataset.title} yet. Run: {command}")
    wanted = set(dataset.ids.tolist())
    others: list[Model] = [*pair_scorers(available()).values(), *saved().values()]
    ready = (one for one in others if all(wanted <= store.keys(n.fingerprint) for n in one.networks))
    return [*done, *ready]


def _named(name: str, *, offline: bool) -> list[Model]:
    """The fusion of this name, or else the pair head, or else the backbone."""
    found = saved().get(name) or pair_scorers(available()).get(name)
    return [found] if found else [*choose([name], offline=offline)]


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, not {text!r}")
    return int(text)


def _shares(text: str) -> tuple[float, float, float]:
    try:
        train, val, test = (float(part) for part in text.split("/"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected train/val/test such as 70/15/15, not {text!r}") from None
    return train, val, test


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError(f"expected names with commas between them, or {ALL}, not {text!r}")
    return names
