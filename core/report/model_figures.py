"""Figures that compare models: how good each is with its interval, and what it costs."""

from __future__ import annotations

from markupsafe import Markup

from core.evaluate import HEADLINE, Evaluation, ModelResult
from core.metrics import METRICS
from core.palette import colour
from core.report.svg import WIDTH, Axis, Point, Scale, drawing, element, line, percent, plot, text_width, words
from core.words import interval, share, shortened

_ROW, _FOOT, _MOST = 40, 44, 34
_EDGE = 12.0
_NEAR, _CLEAR = 14.0, 8.0  # lines of text are kept this far apart, and this far from a dot's middle
_AWAY = [float(step * sign) for step in range(0, 120, 4) for sign in (1, -1)]


def intervals(evaluation: Evaluation, chosen: str) -> Markup:
    """One row a model, best first: a dot at its headline metric, a line over its 95% interval."""
    models = evaluation.models
    low = min(result.intervals[HEADLINE][0] for result in models.values())
    high = max(result.intervals[HEADLINE][1] for result in models.values())
    margin = max(0.01, (high - low) * 0.05)
    scale = Scale(max(0.0, low - margin), min(1.0, high + margin), _EDGE, WIDTH - _EDGE)
    bottom = _ROW * len(models) + 8
    parts = []
    for tick in scale.ticks():
        parts.append(line((scale(tick), 0), (scale(tick), bottom), class_="grid"))
        parts.append(words(percent(tick), scale(tick), bottom + 17, "middle", class_="axis"))
    for place, (name, result) in enumerate(models.items()):
        parts += _row(scale, place * _ROW + 16, name, result, name == chosen)
    title = METRICS[HEADLINE].title
    parts.append(words(title, WIDTH / 2, bottom + 36, "middle", class_="axis"))
    said = f"{title} of each model on {evaluation.protocol.split} images with its 95% interval, best first"
    return drawing(said, *parts, height=bottom + _FOOT)


def _row(scale: Scale, y: float, name: str, result: ModelResult, chosen: bool) -> list[Markup]:
    value, (low, high) = result.values[HEADLINE], result.intervals[HEADLINE]
    at, paint = y + 13, colour(name)
    text = f"{shortened(name, _MOST)}  {share(value)} {interval(low, high)}"
    return [
        words(text, _EDGE, y, class_="strong" if chosen else "label"),
        line((scale(low), at), (scale(high), at), stroke=paint, stroke_width=3),
        *(line((scale(end), at - 5), (scale(end), at + 5), stroke=paint, stroke_width=2) for end in (low, high)),
        element("circle", cx=scale(value), cy=at, r=6, fill=paint, class_="dot"),
    ]


def accuracy_against_latency(evaluation: Evaluation, chosen: str) -> Markup:
    """One dot a model: its headline metric against milliseconds for one image; the upper left is better."""
    results = evaluation.models
    ends = [end for result in results.values() for end in result.intervals[HEADLINE]]
    margin = max(0.01, (max(ends) - min(ends)) * 0.08)
    title = METRICS[HEADLINE].title
    x = Axis("Milliseconds for one image", 0.0, max(result.latency.p50 for result in results.values()) * 1.15)
    y = Axis(title, max(0.0, min(ends) - margin), min(1.0, max(ends) + margin), percent)

    def inside(across: Scale, up: Scale) -> list[Markup]:
        spots = {name: (across(r.latency.p50), up(r.values[HEADLINE])) for name, r in results.items()}
        parts = [_dot(name, spots[name], result, up) for name, result in results.items()]
        for name, where in _labels(spots).items():
            parts.append(words(shortened(name, _MOST), *where, class_="strong" if name == chosen else "label"))
        return parts

    return plot(f"{title} of each model against the milliseconds that one image takes", x, y, inside)


def _dot(name: str, spot: Point, result: ModelResult, up: Scale) -> Markup:
    low, high = (up(end) for end in result.intervals[HEADLINE])
    bar = line((spot[0], low), (spot[0], high), stroke=colour(name), stroke_width=1.5)
    return bar + element("circle", cx=spot[0], cy=spot[1], r=6, fill=colour(name), class_="dot")


def _labels(spots: dict[str, Point]) -> dict[str, tuple[float, float, str]]:
    """Where names stand, and with which end: beside their dots, or as near as no other name and no dot is in the way.

    How wide a name is drawn is only guessed, so the end that is near its dot is the one that is fixed.
    """
    boxes = [(x - _CLEAR, y, 2.0 * _CLEAR) for x, y in spots.values()]
    placed: dict[str, tuple[float, float, str]] = {}
    for name, (x, y) in sorted(spots.items(), key=lambda item: item[1][1]):
        width = text_width(shortened(name, _MOST))
        right, left = x + _CLEAR + 2, x - _CLEAR - 2
        sides = [(right, right, "start"), (left, left - width, "end")]
        sides = [side for side in sides if _EDGE < side[1] < WIDTH - _EDGE - width]
        pushed = max(_EDGE, WIDTH - _EDGE - width)
        places = ((*side, y + away) for away in _AWAY for side in sides or [(pushed, pushed, "start")])
        at, begin, anchor, middle = next(
            (place for place in places if not any(_overlap((place[1], place[3], width), box) for box in boxes)),
            (x, x, "start", y),
        )
        boxes.append((begin, middle, width))
        placed[name] = at, middle + 4, anchor
    return placed


def _overlap(a: tuple[float, float, float], b: tuple[float, float, float]) -> bool:
    """Whether two lines of text, each its left end, middle and width, are in each other's way."""
    apart = a[0] + a[2] < b[0] or b[0] + b[2] < a[0]
    return not apart and abs(a[1] - b[1]) < _NEAR
