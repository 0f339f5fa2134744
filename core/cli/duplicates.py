"""``duplicates``: images that are in a dataset twice."""

from __future__ import annotations

import argparse
from typing import Any

from core.cli import options as shared
from core.cli.table import clean, table
from core.duplicates import Duplicates, Group, find_duplicates
from core.progress import Progress
from core.store import EmbeddingStore
from core.vectors import embedded

NAME = "duplicates"
HELP = "Find exact and near duplicates, those that leak across splits first."
_SHOWN = 20
_MEMBERS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Dataset."""
    shared.add_dataset(parser)


def run(options: argparse.Namespace, progress: Progress) -> tuple[Any, str]:
    """The groups as JSON and as a table. The first model of the catalogue that has embedded all confirms them."""
    store = EmbeddingStore()
    dataset = shared.load(options, store, progress)
    backbone = next(iter(embedded(dataset, store)), None)
    found = find_duplicates(dataset, store, backbone, progress)
    return found.as_json(), summary(found)


def summary(found: Duplicates) -> str:
    """Counts, then the groups: those that cross splits first, then those with different labels, exact copies last."""
    ordered = sorted(found.groups, key=lambda group: (-len(group.splits), -len(group.labels), group.kind == "exact"))
    lines = [
        f"{clean(found.dataset.title)}: {len(found.dataset):,} images, {_count(found.exact, 'exact')}, "
        f"{_count(found.near, 'near')}; {len(found.cross_split):,} cross splits, "
        f"{len(found.label_conflicts):,} have different labels",
        _confirmed(found),
    ]
    if ordered:
        rows = [row for number, group in enumerate(ordered[:_SHOWN], start=1) for row in _rows(number, group)]
        lines += ["", table(("group", "kind", "split", "label", "path"), rows, left=5)]
    if len(ordered) > _SHOWN:
        lines.append(f"... and {len(ordered) - _SHOWN:,} more (--json lists them all)")
    if found.unreadable:
        listed = [f"  {clean(file.path)}: {clean(file.reason)}" for file in found.unreadable[:_SHOWN]]
        lines += ["", f"Not compared: {len(found.unreadable):,} that cannot be read", *listed]
    return "\n".join(lines)


def _count(groups: tuple[Group, ...], kind: str) -> str:
    images = sum(len(group.members) for group in groups)
    return f"{len(groups):,} {kind} {'group' if len(groups) == 1 else 'groups'} ({images:,} images)"


def _confirmed(found: Duplicates) -> str:
    if found.model is not None:
        return f"Near duplicates: perceptual hashes that agree, confirmed by {clean(found.model)}"
    return (
        "Near duplicates: only rare perceptual hashes that agree. To find more, first run: "
        f"python -m core embed --dataset {clean(found.dataset.ref)}"
    )


def _rows(number: int, group: Group) -> list[tuple[str, ...]]:
    shown: list[tuple[str, ...]] = [
        (str(number) if place == 0 else "", group.kind, member.split, member.label, member.path)
        for place, member in enumerate(group.members[:_MEMBERS])
    ]
    more = len(group.members) - _MEMBERS
    return [*shown, ("", group.kind, "", "", f"... and {more:,} more")] if more > 0 else shown
