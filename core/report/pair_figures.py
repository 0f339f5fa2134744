"""Figures of pairs: how scores are distributed, what each threshold does, and how well probabilities fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from core.metrics.grid import PER_UNIT
from core.metrics.verification import Verification
from core.palette import DIFFERENT, SAME
from core.reliability import ReliabilityPoint
from core.report.svg import Axis, Scale, element, line, path, percent, plot, words
from core.threshold_report import ThresholdReport

_BARS = 80
_LEAST = 1e-6


def distributions(pairs: Verification, threshold: float) -> Markup:
    """How scores of same-class and of different-class pairs are distributed, with the threshold between them."""
    known = pairs.scores
    edges = np.linspace(known.bins[0], known.bins[-1] + 1, _BARS + 1)
    shares = {
        kind: np.histogram(known.bins, bins=edges, weights=counts)[0] / counts.sum()
        for kind, counts in (("different", known.different), ("same", known.same))
    }
    places = edges / PER_UNIT - 1
    x = Axis("Similarity", float(places[0]), float(places[-1]))
    y = Axis("Share of pairs", 0.0, float(max(part.max() for part in shares.values())) * 1.12, percent)

    def inside(across: Scale, up: Scale) -> list[Markup]:
        parts = []
        for kind, paint in (("different", DIFFERENT), ("same", SAME)):
            parts.append(path(_steps(places, shares[kind], across, up), fill=paint, fill_opacity=0.45, stroke=paint))
        peaks = {kind: float(places[int(part.argmax())]) for kind, part in shares.items()}
        for kind, words_ in (("different", "two classes"), ("same", "one class")):
            x = min(max(across(peaks[kind]), 100), 430)
            parts.append(words(words_, x, up(float(shares[kind].max())) - 5, "middle", class_="strong"))
        at = across(threshold)
        return [
            *parts,
            line((at, up(0)), (at, 12), class_="chosen"),
            words(f"{threshold:.4f}", at - 5, 24, "end", class_="label"),
        ]

    said = f"Scores of test pairs of one class and of two classes, with the threshold {threshold:.4f} between them"
    return plot(said, x, y, inside)


def _steps(
    edges: NDArray[np.float64], shares: NDArray[np.float64], across: Scale, up: Scale
) -> list[tuple[float, float]]:
    """The outline of bars, from the axis and back to it."""
    tops = [(across(edge), up(share)) for i, share in enumerate(shares.tolist()) for edge in edges[i : i + 2].tolist()]
    return [(tops[0][0], up(0)), *tops, (tops[-1][0], up(0))]


def det(pairs: Verification, found: ThresholdReport) -> Markup:
    """Both error rates at every threshold, on logarithmic axes, with the chosen one and its intervals."""
    fmr, fnmr = pairs.level_rates
    match, miss = found.test.rates["fmr"], found.test.rates["fnmr"]
    x = Axis("False match rate", max(_LEAST, 1 / pairs.pairs[1]), 1.0, percent, log=True)
    y = Axis("False non-match rate", max(_LEAST, 1 / pairs.pairs[0]), 1.0, percent, log=True)

    def inside(across: Scale, up: Scale) -> list[Markup]:
        at = across(match.value), up(miss.value)
        points = [(across(a), up(b)) for a, b in zip(fmr.tolist(), fnmr.tolist(), strict=True)]
        return [
            path(points, fill="none", stroke=SAME, stroke_width=2),
            line((across(match.low), at[1]), (across(match.high), at[1]), stroke=DIFFERENT, stroke_width=2),
            line((at[0], up(miss.low)), (at[0], up(miss.high)), stroke=DIFFERENT, stroke_width=2),
            element("circle", cx=at[0], cy=at[1], r=6, fill="none", stroke=DIFFERENT, stroke_width=3),
        ]

    said = (
        f"False non-match rate against false match rate of test pairs at every threshold; the chosen one has "
        f"{percent(round(match.value, 5))} and {percent(round(miss.value, 5))}"
    )
    return plot(said, x, y, inside)


def reliability(points: Sequence[ReliabilityPoint]) -> Markup:
    """Observed share against predicted probability, with 95% intervals; on the diagonal a probability is right."""

    def inside(across: Scale, up: Scale) -> list[Markup]:
        parts = [line((across(0), up(0)), (across(1), up(1)), class_="chosen")]
        for point in points:
            at = across(point.predicted)
            low, high = point.interval or (point.observed, point.observed)
            parts.append(line((at, up(low)), (at, up(high)), stroke=SAME, stroke_width=1.5))
            parts.append(element("circle", cx=at, cy=up(point.observed), r=4.5, fill=SAME, class_="dot"))
        return parts

    return plot(
        "Observed share of same-class pairs against the probability that was predicted, with 95% intervals",
        Axis("Predicted probability", 0.0, 1.0, percent),
        Axis("Observed share", 0.0, 1.0, percent),
        inside,
    )
