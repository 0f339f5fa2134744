"""``doctor``: what works on this machine."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from core.doctor import examine
from core.progress import Progress

NAME = "doctor"
HELP = "Say what works here, what is missing, and how to get it."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """This command takes no more options."""


def run(options: argparse.Namespace, progress: Progress) -> tuple[Any, str]:
    """The checks as JSON and as text."""
    checks = examine(progress)
    lines = []
    for check in checks:
        lines.append(f"{'ok     ' if check.ok else 'MISSING'}  {check.name}: {check.detail}")
        if check.remedy:
            lines.append(f"         -> {check.remedy}")
    return {"checks": [asdict(check) for check in checks]}, "\n".join(lines)
