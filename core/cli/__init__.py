"""The command line. A command is one module with ``NAME``, ``HELP``, ``add_arguments`` and ``run``."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from core import files
from core.backbones.weights import remember as remember_weights
from core.cli import (
    compare,
    datasets,
    doctor,
    duplicates,
    embed,
    evaluate,
    fuse,
    models,
    project,
    report,
    reproduce,
    search,
    threshold,
    train,
    triplet,
)
from core.cli.progress_bar import ProgressBar
from core.cli.table import clean
from core.errors import LikenessError
from core.jobs import Reporter
from core.paths import CACHE_VARIABLE, WEIGHTS_VARIABLE

COMMANDS = (
    models, datasets, embed, evaluate, project, threshold, fuse, compare, triplet, search, train, duplicates, report,
    reproduce, doctor,
)  # fmt: skip
BAD_INPUT = 2
INTERRUPTED = 130


class _Misuse(LikenessError):
    """Arguments that make no sense."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line instead of a page of usage."""

    def error(self, message: str) -> NoReturn:
        raise _Misuse(f"{self.prog}: {message} (see {self.prog} --help)")


class _Plain(logging.Formatter):
    """Warnings name files, and file names can hold anything."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(_one_line(super().format(record)))


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    warnings = logging.StreamHandler()
    warnings.setFormatter(_Plain())
    logging.basicConfig(handlers=[warnings], level=logging.WARNING)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with Reporter() as reporter:
            options = _parser().parse_args(arguments)
            _apply(options)
            _run(options, reporter)
    except _Misuse as error:
        print(clean(_one_line(str(error))), file=sys.stderr)
        return BAD_INPUT
    except LikenessError as error:
        print(f"python -m core {options.command}: {clean(_one_line(str(error)))}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt as stop:
        print(str(stop) or "Stopped. What was finished is kept; run the same command to go on.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as head, had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _run(options: argparse.Namespace, reporter: Reporter) -> None:
    with ProgressBar() as bar:

        def progress(stage: str, done: int, total: int) -> None:
            bar(stage, done, total)
            reporter(stage, done, total)

        result, text = options.run(options, progress)
    if options.json != "-":
        print("\n".join(map(clean, text.split("\n"))))
    _write_json(options.json, result)


def _write_json(where: str | None, result: Any) -> None:
    if where == "-":
        json.dump(result, sys.stdout, indent=1, ensure_ascii=True, allow_nan=False)
        print()
    elif where is not None:
        text = json.dumps(result, indent=1, ensure_ascii=True, allow_nan=False)
        files.write_bytes(Path(where).absolute(), text.encode() + b"\n")


def _apply(options: argparse.Namespace) -> None:
    # The environment, so that whatever this process starts sees the same.
    if options.cache:
        os.environ[CACHE_VARIABLE] = str(Path(options.cache).expanduser().absolute())
    if options.weights:
        folder = Path(options.weights).expanduser().absolute()
        remember_weights(folder)
        named = os.environ.get(WEIGHTS_VARIABLE)
        os.environ[WEIGHTS_VARIABLE] = os.pathsep.join([str(folder), *([named] if named else [])])


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m core", description="Likeness: compare images with many models, without a screen.")
    shared = _Parser(add_help=False)
    shared.add_argument("--json", metavar="FILE", help="write the result as JSON to a file, or to - (standard output)")
    shared.add_argument("--cache", metavar="DIR", help=f"the cache folder (default: ${CACHE_VARIABLE}, or cache/)")
    shared.add_argument(
        "--weights", metavar="DIR", help=f"a folder of local weights; remembered (also ${WEIGHTS_VARIABLE})"
    )
    shared.add_argument("--offline", action="store_true", help="never use the network")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in COMMANDS:
        # argparse fills in % in a help line, though not in a description.
        command = commands.add_parser(
            module.NAME, help=module.HELP.replace("%", "%%"), description=module.HELP, parents=[shared]
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _one_line(message: str) -> str:
    return " ".join(message.split())
