"""What weights do, at once: a threshold from validation pairs and its error rates on test, from the parts' scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.fusion import LABELS
from core.part_scores import PartScores, SampledCurve
from core.thresholds import Objective
from core.weight_search import best_place, reached


@dataclass(frozen=True)
class Trial:
    """What weights do.

    Attributes:
        threshold: the one that serves the objective best on validation.
        test: error rates of test pairs at all thresholds.
        fmr, fnmr: those at the threshold.
        value: the objective's yardstick there.
    """

    threshold: float
    test: SampledCurve
    fmr: float
    fnmr: float
    value: float


def trial(
    val: PartScores, test: PartScores, weights: Mapping[str, float], objective: Objective, base_rate: float
) -> Trial | None:
    """Try weights; None where no threshold keeps the objective's limit on validation.

    Args:
        val: scores of validation pairs, to choose the threshold on.
        test: scores of test pairs.
        weights: of parts by name.
        objective: what the threshold is to be good at.
        base_rate: share of same-class pairs where it will be used.
    """
    curve = val.curve(weights)
    place = best_place(curve, objective, base_rate)
    if place is None:
        return None
    found = test.curve(weights)
    fmr, fnmr = float(found.fmr[place]), float(found.fnmr[place])
    value = float(objective.yardstick.of(found.fmr[place], found.fnmr[place], base_rate))
    return Trial(float(curve.thresholds[place]), found, fmr, fnmr, value)


def best_single(val: PartScores, objective: Objective, base_rate: float) -> str:
    """The model that serves an objective best alone, by validation pairs."""
    models = [name for name in val.names if name != LABELS]
    return max(models, key=lambda name: reached(val.curve({name: 1.0}), objective, base_rate))
