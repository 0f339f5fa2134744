"""``report``: the answer and its evidence as one HTML file."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from core import files
from core.answer_words import as_text, sentences
from core.cli import options as shared
from core.models import Model
from core.progress import Progress
from core.recent import DatasetChoice
from core.report.findings import gather
from core.report.render import render, write
from core.store import EmbeddingStore

NAME = "report"
HELP = "Write a report for somebody else: one HTML file with the answer first, then the evidence."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """File, dataset, models, objective."""
    parser.add_argument("--out", required=True, metavar="FILE.html", help="the file to write")
    shared.add_dataset(parser)
    shared.add_models(parser, "every one that has embedded the dataset")
    shared.add_objective(parser)


def run(options: argparse.Namespace, progress: Progress) -> tuple[Any, str]:
    """The file, its size and the answer as JSON and as text."""
    path = Path(options.out).expanduser().absolute()
    files.check_writable(path)
    store, objective = EmbeddingStore(), shared.objective(options)
    dataset = shared.load(options, store, progress)
    models = shared.embedded_models(options, dataset, store)
    found = gather(dataset, models, store, objective, options.base_rate, options.calibration, progress)
    progress("Writing the report", 0, 1)
    choice = DatasetChoice(dataset.ref, dataset.options)
    write(path, render(found, store, datetime.now(), command(options, choice, models)))
    progress("Writing the report", 1, 1)
    answer, size = as_text(sentences(found.answer)), path.stat().st_size
    text = f"{answer}\n\n{path} ({size / 1e6:.1f} MB)"
    return {"path": str(path), "bytes": size, "model": found.answer.model, "answer": answer}, text


def command(options: argparse.Namespace, choice: DatasetChoice, models: Sequence[Model]) -> str:
    """The command line that makes the same report whatever was used last."""
    arguments = ["python", "-m", "core", NAME, "--out", Path(options.out).name, *choice.arguments]
    arguments += ["--models", ",".join(model.name for model in models), "--objective", options.objective]
    if options.base_rate is not None:
        arguments += ["--base-rate", f"{options.base_rate:g}"]
    if options.objective == "cost":
        arguments += ["--cost-fp", f"{options.cost_fp:g}", "--cost-fn", f"{options.cost_fn:g}"]
    return shlex.join([*arguments, "--calibration", options.calibration])
