"""What a threshold does to pairs, as functions of its two error rates and of how common same-class pairs are.

Adding a metric is one line in ``RATES``. Precision, accuracy and F1 mean nothing without the share of same-class pairs
they hold for, so that share, the base rate, is an argument everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_STEP = 1e-5


@dataclass(frozen=True)
class Rate:
    """A number that both error rates can only make worse.

    Attributes:
        name: key in JSON results.
        title: heading.
        definition: one plain sentence, shown as a tooltip.
        of: ``(fmr, fnmr, base_rate)`` of any one shape to the values.
        better: ``higher`` or ``lower``.
        by_base_rate: whether the base rate matters.
        least: the lowest value it can have.
        most: the highest.
    """

    name: str
    title: str
    definition: str
    of: Callable[[Array, Array, float], Array]
    better: str = "higher"
    by_base_rate: bool = False
    least: float = 0.0
    most: float = 1.0

    def slopes(self, fmr: float, fnmr: float, base_rate: float) -> tuple[float, float]:
        """By how much it changes with FMR, and with FNMR, at a point."""
        found = []
        for which in (0, 1):
            rates = np.array([[fmr, fmr], [fnmr, fnmr]])
            rates[which] = np.clip(rates[which] + [_STEP, -_STEP], 0, 1)
            change = self.of(rates[0], rates[1], base_rate)
            found.append(float((change[0] - change[1]) / (rates[which, 0] - rates[which, 1])))
        return found[0], found[1]


def _precision(fmr: Array, fnmr: Array, base_rate: float) -> Array:
    matched = base_rate * (1 - fnmr)
    total = matched + (1 - base_rate) * fmr
    # Nothing is matched, so no match is wrong.
    return np.divide(matched, total, out=np.ones_like(total), where=total > 0)


def _f1(fmr: Array, fnmr: Array, base_rate: float) -> Array:
    matched = base_rate * (1 - fnmr)
    return np.asarray(2 * matched / (base_rate + matched + (1 - base_rate) * fmr))


RATES: dict[str, Rate] = {
    rate.name: rate
    for rate in (
        Rate("fmr", "False match rate", "Of pairs of different classes, the share that is called the same.",
             lambda fmr, fnmr, base_rate: fmr, "lower"),
        Rate("fnmr", "False non-match rate", "Of pairs of the same class, the share that is called different.",
             lambda fmr, fnmr, base_rate: fnmr, "lower"),
        Rate("recall", "Recall", "Of pairs of the same class, the share that is called the same (TAR, sensitivity).",
             lambda fmr, fnmr, base_rate: 1 - fnmr),
        Rate("specificity", "Specificity", "Of pairs of different classes, the share that is called different.",
             lambda fmr, fnmr, base_rate: 1 - fmr),
        Rate("precision", "Precision", "Of pairs called the same, the share that is, at the base rate shown.",
             _precision, by_base_rate=True),
        Rate("f1", "F1", "Harmonic mean of precision and recall, at the base rate shown.", _f1, by_base_rate=True),
        Rate("accuracy", "Accuracy", "Of all pairs, the share that is called right, at the base rate shown.",
             lambda fmr, fnmr, base_rate: 1 - base_rate * fnmr - (1 - base_rate) * fmr, by_base_rate=True),
        Rate("youden", "Youden's J", "Recall + specificity - 1: 0 for guessing, 1 for no error; any base rate.",
             lambda fmr, fnmr, base_rate: 1 - fmr - fnmr, least=-1.0),
    )
}  # fmt: skip
