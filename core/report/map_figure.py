"""The dataset on a map, one dot an image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from core.palette import OTHER, class_colours
from core.projection import Projection, shown_rows
from core.records import Dataset
from core.report.svg import drawing, element, text_width, words
from core.words import shortened

WIDTH, HEIGHT, _EDGE = 760, 560, 10
_MOST = 10_000
_NAME = 20  # letters
_ABOVE, _LINE = 6, 18  # pixels
Places = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Entry:
    """A line of the legend, and where its images are drawn, ``(m, 2)``."""

    name: str
    colour: str
    spots: Places

    @property
    def images(self) -> int:
        """How many there are."""
        return len(self.spots)


@dataclass(frozen=True)
class Map:
    """The drawing, its legend, and how many images it shows."""

    svg: Markup
    legend: tuple[Entry, ...]
    shown: int


def draw_map(dataset: Dataset, found: Projection) -> Map:
    """Dots coloured by class, of at most 10,000 images; the rarest classes beyond fifteen are grey.

    A class is one path of lines without length and with round ends, which is a sixth of the size of so many circles.
    """
    places = shown_rows(dataset.take(found.rows), most=_MOST)
    labels, points = dataset.labels[found.rows[places]], found.points[places, :2] * np.array([1.0, -1.0])
    x, y = (_scale(points[:, axis], end) for axis, end in ((0, WIDTH), (1, HEIGHT)))
    spots = np.stack([x(points[:, 0]), y(points[:, 1])], axis=1)
    names = class_colours(Counter(labels.tolist()))
    groups = [Entry(name, paint, spots[labels == name]) for name, paint in names.items()]
    if len(rest := spots[~np.isin(labels, list(names))]):
        groups.append(Entry("other classes", OTHER, rest))
    size = 4.0 if len(spots) > 3000 else 5.0
    title = f"Map of {len(spots):,} images: those that the model finds alike lie together, coloured by class"
    parts = [*(_dots(group, size) for group in groups), *_titles(groups[: len(names)])]
    return Map(drawing(title, *parts, width=WIDTH, height=HEIGHT), tuple(groups), len(spots))


def _dots(group: Entry, size: float) -> Markup:
    steps = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in group.spots.tolist())
    return element("path", d=steps, stroke=group.colour, stroke_width=size, class_="dots")


def _titles(groups: Sequence[Entry]) -> list[Markup]:
    """The names of classes above where their images are, as far as they do not run into those of larger classes."""
    placed: dict[str, tuple[float, float]] = {}
    for group in sorted(groups, key=lambda group: -len(group.spots)):
        text = shortened(group.name, _NAME)
        half = text_width(text) / 2 + _EDGE
        x = float(np.clip(np.median(group.spots[:, 0]), half, WIDTH - half))
        y = max(float(np.quantile(group.spots[:, 1], 0.02)) - _ABOVE, 3.0 * _ABOVE)
        free = (abs(y - b) > _LINE or abs(x - a) > half + text_width(other) / 2 for other, (a, b) in placed.items())
        if all(free):
            placed[text] = x, y
    return [words(text, *place, "middle", class_="strong") for text, place in placed.items()]


def _scale(values: Places, end: float) -> Callable[[Places], Places]:
    low, high = values.min(), values.max()
    return lambda at: _EDGE + (at - low) / ((high - low) or 1.0) * (end - 2 * _EDGE)
