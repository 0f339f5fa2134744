"""Colours that mean the same everywhere: one for each model, each kind of pair and each class of a map.

Colour-blind readers can tell them apart: Okabe and Ito's colours, then Tol's muted ones.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.backbones import BACKBONES

COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800", "#332288",
    "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499",
)  # fmt: skip
# Blue is the same class and orange another on every chart.
SAME, DIFFERENT, CHOSEN = "#0072B2", "#D55E00", "#888888"
# What all share that have no colour of their own.
OTHER = "#9a9a9a"
_COLOURED = 15
# From worse to better, at 0, a half and 1: pale, so that dark text is read on all of them.
SEQUENTIAL = ("#f1f1ee", "#b5d5eb", "#5fa8d9")
_PLACES = {name: place for place, name in enumerate([*list(BACKBONES)[12:], *list(BACKBONES)[:12]])}


def colour(model: str) -> str:
    """The colour of a model, the same on every page; a model keeps its place in the catalogue."""
    place = _PLACES.get(model, sum(model.encode()))
    return COLOURS[place % len(COLOURS)]


def class_colours(sizes: Mapping[str, int]) -> dict[str, str]:
    """A colour for each of the fifteen largest classes, in the order of names.

    >>> class_colours({"b": 2, "a": 1})
    {'a': '#0072B2', 'b': '#E69F00'}
    """
    largest = sorted(sizes, key=lambda name: (-sizes[name], name))[:_COLOURED]
    return dict(zip(sorted(largest), COLOURS, strict=False))


def blend(share: float) -> str:
    """The colour at a place of :data:`SEQUENTIAL`, 0 to 1, as ``#rrggbb``.

    >>> blend(0.0), blend(0.5), blend(1.0)
    ('#f1f1ee', '#b5d5eb', '#5fa8d9')
    """
    below, step = min(int(share * 2), 1), share * 2 - min(int(share * 2), 1)
    ends = [bytes.fromhex(SEQUENTIAL[place][1:]) for place in (below, below + 1)]
    return "#" + bytes(round(a + (b - a) * step) for a, b in zip(*ends, strict=True)).hex()
