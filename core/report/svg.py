"""Drawing inline SVG: elements whose text is always escaped, scales, and a frame with axes.

Colours that depend on the theme are classes of the report's style sheet: ``grid``, ``axis``, ``line``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from core.words import literal

Point = tuple[float, float]
WIDTH, HEIGHT = 480, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 20, 12, 46
_STEPS = 5  # between the ends of a scale, at most
_LETTER = 8.0  # width of one at the style sheet's 13 px, bold, about


def element(name: str, *inside: str, **attributes: object) -> Markup:
    """An element; text and values are escaped unless they are Markup. ``class_`` and ``text_anchor`` lose ``_``.

    >>> element("text", "<b>", x=1.25, class_="axis")
    Markup('<text x="1.2" class="axis">&lt;b&gt;</text>')
    """
    written = (
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _number(value))
        for key, value in attributes.items()
    )
    parts = (part if isinstance(part, Markup) else escape(literal(part)) for part in inside)
    return Markup("<{0}{1}>{2}</{0}>").format(name, Markup("").join(written), Markup("").join(parts))


def drawing(title: str, *inside: Markup, width: float = WIDTH, height: float = HEIGHT) -> Markup:
    """A picture of its own, with ``title`` for those who do not see it."""
    box = f"0 0 {_number(width)} {_number(height)}"
    return element("svg", element("title", title), *inside, viewBox=box, width=width, height=height, role="img")


def path(points: Iterable[Point], *, closed: bool = False, **attributes: object) -> Markup:
    """A line through points."""
    steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return element("path", d=f"M{steps}{'Z' if closed else ''}", **attributes)


def line(a: Point, b: Point, **attributes: object) -> Markup:
    """A straight line."""
    return element("line", x1=a[0], y1=a[1], x2=b[0], y2=b[1], **attributes)


def words(text: str, x: float, y: float, anchor: str = "start", **attributes: object) -> Markup:
    """A line of text; ``anchor`` is start, middle or end."""
    return element("text", text, x=x, y=y, text_anchor=anchor, **attributes)


@dataclass(frozen=True)
class Scale:
    """From values to places in a drawing, and values worth a tick.

    Attributes:
        low, high: the values at the ends.
        start, end: where these are drawn.
        log: logarithmic; then ``low`` is above 0 and smaller values are drawn at ``start``.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The place of a value."""
        low, high, at = self.low, self.high, value
        if self.log:
            low, high, at = math.log10(low), math.log10(high), math.log10(max(value, low))
        return self.start + (at - low) / ((high - low) or 1.0) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values between the ends: powers of ten, or two to six multiples of 1, 2 or 5 of one."""
        if self.log:
            powers = range(math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9) + 1)
            return [float(10**power) if power >= 0 else 1 / 10**-power for power in powers]
        rough = (self.high - self.low) / _STEPS or 1.0
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(step for step in (unit, 2 * unit, 5 * unit, 10 * unit) if step >= rough * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(number * step, 12) for number in range(first, last + 1)]


@dataclass(frozen=True)
class Axis:
    """What an axis says: its title, its ends, and how its ticks are written."""

    title: str
    low: float
    high: float
    write: Callable[[float], str] = "{:g}".format
    log: bool = False


def plot(title: str, x: Axis, y: Axis, inside: Callable[[Scale, Scale], Sequence[Markup]]) -> Markup:
    """A chart with two axes; ``inside`` draws on their scales."""
    across = Scale(x.low, x.high, _LEFT, WIDTH - _RIGHT, x.log)
    up = Scale(y.low, y.high, HEIGHT - _BOTTOM, _TOP, y.log)
    parts: list[Markup] = []
    for tick in up.ticks():
        parts.append(line((_LEFT, up(tick)), (WIDTH - _RIGHT, up(tick)), class_="grid"))
        parts.append(words(y.write(tick), _LEFT - 6, up(tick) + 4, "end", class_="axis"))
    for tick in across.ticks():
        parts.append(line((across(tick), _TOP), (across(tick), HEIGHT - _BOTTOM), class_="grid"))
        parts.append(words(x.write(tick), across(tick), HEIGHT - _BOTTOM + 17, "middle", class_="axis"))
    middle = (_TOP + HEIGHT - _BOTTOM) / 2
    parts.append(words(x.title, (_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 8, "middle", class_="axis"))
    parts.append(words(y.title, 12, middle, "middle", class_="axis", transform=f"rotate(-90 12 {middle:g})"))
    return drawing(title, *parts, *inside(across, up))


def percent(value: float) -> str:
    """A tick of an axis of shares: 0.001 becomes 0.1%.

    >>> percent(0.001), percent(0.5)
    ('0.1%', '50%')
    """
    return f"{value * 100:g}%"


def text_width(text: str) -> float:
    """About how wide a line of text is drawn."""
    return len(text) * _LETTER


def _number(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
