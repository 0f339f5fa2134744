"""What each part of a fusion is worth: without it, it alone, and the question whether adding up pays at all.

Every variant gets its own threshold on validation, as it would in use. Test pairs only say how each does there, and how
it compares with the whole fusion on the same images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.errors import LikenessError
from core.fusion import LABELS
from core.metrics.comparison import holm
from core.metrics.paired import PairedDifference, eer_difference, rate_difference, roc_auc_difference
from core.metrics.rates import RATES, Rate
from core.metrics.verification import Estimate
from core.thresholds import Objective, choose
from core.variants import Variant

ALPHA = 0.05
_SUMMARIES = {"roc_auc": "ROC AUC", "eer": "EER"}


@dataclass(frozen=True)
class Gain(PairedDifference):
    """How much better the whole fusion is on test than a variant: positive is better, whatever the number.

    ``adjusted`` is the p-value after Holm's correction over all variants.
    """

    adjusted: float


@dataclass(frozen=True)
class Judged:
    """A variant with its numbers.

    Attributes:
        variant: it.
        threshold: chosen on validation.
        on_val: the yardstick on validation, at the threshold.
        values: on test, by name: the yardstick and the rate that has a limit, both at the threshold; ROC AUC; EER.
        gains: what the whole fusion gains over it, by the same names; empty for the whole fusion.
    """

    variant: Variant
    threshold: float
    on_val: float
    values: dict[str, Estimate]
    gains: dict[str, Gain]


@dataclass(frozen=True)
class Ablation:
    """All variants, the whole fusion first.

    Attributes:
        objective: what thresholds were chosen for.
        base_rate: share of same-class pairs that rates are said for.
        rows: the variants.
        left_out: variants that keep the objective's limit at no threshold, so that there is nothing to compare.
    """

    objective: Objective
    base_rate: float
    rows: tuple[Judged, ...]
    left_out: tuple[str, ...] = ()

    @property
    def yardstick(self) -> Rate:
        """What variants are compared by first."""
        return self.objective.yardstick

    def title(self, name: str) -> str:
        """What a number of the rows' ``values`` is called."""
        if name == self.yardstick.name:
            return self.yardstick.title
        return _SUMMARIES[name] if name in _SUMMARIES else RATES[name].title

    @property
    def best_single(self) -> Judged | None:
        """The model that does best alone on validation; None where no model was judged alone."""
        sign = 1 if self.yardstick.better == "higher" else -1
        models = [row for row in self.rows if row.variant.kind == "alone" and row.variant.name != LABELS]
        return max(models, key=lambda row: sign * row.on_val, default=None)

    @property
    def pays(self) -> bool | None:
        """Whether the fusion beats the best single model on test: yes, no (it is worse), or None: test cannot tell."""
        return None if self.best_single is None else self._beats(self.best_single)

    def verdict(self) -> str:
        """Whether adding up pays, in a sentence or two."""
        best = self.best_single
        if best is None:
            return "No model was judged alone, so nothing is said of what adding up is worth."
        whole, name, title = self.rows[0], self.yardstick.name, self.yardstick.title
        if set(whole.variant.weights) == {best.variant.name}:
            return f"No sum did better on validation than {best.variant.name} alone, so that is what the fusion is."
        said = (
            f"The fusion {self._words(best)} {best.variant.name}, the best single model by validation: {title} on test "
            f"is {whole.values[name].value:.4f} against {best.values[name].value:.4f}, {self._gain(best)} after Holm's "
            f"correction for {len(self.rows) - 1} comparisons."
        )
        labels = next((row for row in self.rows if row.variant.kind == "alone" and row.variant.name == LABELS), None)
        if labels is not None and not self._beats(labels):
            said += f" But it {self._words(labels)} label match alone, {labels.values[name].value:.4f}: "
            said += f"{self._gain(labels)}."
        return said

    def note(self) -> str:
        """Which variants could not be judged, in a sentence; nothing where all could."""
        if not self.left_out:
            return ""
        return f"Not judged, as no threshold on validation keeps {self.objective}: {', '.join(self.left_out)}."

    def _beats(self, row: Judged) -> bool | None:
        gain = row.gains[self.yardstick.name]
        return None if gain.adjusted > ALPHA else gain.value > 0

    def _words(self, row: Judged) -> str:
        return {True: "beats", False: "is worse than", None: "cannot be told from"}[self._beats(row)]

    def _gain(self, row: Judged) -> str:
        gain = row.gains[self.yardstick.name]
        return f"a gain of {gain.value:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}], {p_value(gain.adjusted)}"

    def as_json(self) -> dict[str, Any]:
        """The result in the form of the command line's ``--json``."""
        best = self.best_single
        return {
            "judged_by": self.yardstick.name,
            "best_single": None if best is None else best.variant.name,
            "pays": self.pays,
            "verdict": self.verdict(),
            "left_out": list(self.left_out),
            "variants": [_as_json(row, self.yardstick.name) for row in self.rows],
        }


def p_value(value: float) -> str:
    """A p-value in words.

    >>> p_value(0.0123), p_value(1e-9)
    ('p = 0.012', 'p < 0.001')
    """
    return f"p = {value:.3f}" if value >= 0.001 else "p < 0.001"


def _as_json(row: Judged, yardstick: str) -> dict[str, Any]:
    return {
        "name": row.variant.name,
        "kind": row.variant.kind,
        "weights": {name: round(weight, 6) for name, weight in row.variant.weights.items()},
        "threshold": row.threshold,
        "val": {yardstick: round(row.on_val, 6)},
        "test": {
            **{name: round(one.value, 6) for name, one in row.values.items()},
            "ci": {name: [round(one.low, 6), round(one.high, 6)] for name, one in row.values.items()},
        },
        "gain_of_the_fusion": {
            name: {
                "value": round(gain.value, 6), "ci": [round(gain.low, 6), round(gain.high, 6)],
                "p": gain.p_value, "p_adjusted": gain.adjusted,
            }
            for name, gain in row.gains.items()
        },
    }  # fmt: skip


def ablate(variants: Sequence[Variant], objective: Objective, base_rate: float | None = None) -> Ablation:
    """Judge variants of a fusion.

    Args:
        variants: the whole fusion first; all of the same images in the same order.
        objective: what thresholds are chosen for.
        base_rate: share of same-class pairs where they will be used; None for that of validation.

    Raises:
        LikenessError: the variants are not of the same images, or no threshold of the fusion serves the objective.
    """
    share = variants[0].val.base_rate if base_rate is None else base_rate
    rows, left_out = [_judge(variants[0], objective, share)], []
    for variant in variants[1:]:
        try:
            rows.append(_judge(variant, objective, share))
        except LikenessError:
            left_out.append(variant.label)
    gains = [_gains(rows[0], row, objective, share) for row in rows[1:]]
    adjusted = {name: holm([gain[name].p_value for gain in gains]) for name in rows[0].values}
    whole, *others = rows
    judged = [
        replace(row, gains={name: Gain(**vars(one), adjusted=adjusted[name][place]) for name, one in gain.items()})
        for place, (row, gain) in enumerate(zip(others, gains, strict=True))
    ]
    return Ablation(objective, share, (whole, *judged), tuple(left_out))


def _judge(variant: Variant, objective: Objective, base_rate: float) -> Judged:
    rate = objective.yardstick
    threshold = choose(variant.val, objective, base_rate).threshold
    fmr, fnmr = (np.asarray(error) for error in variant.val.rates(threshold))
    values = {
        **{one.name: variant.test.estimate(one, threshold, base_rate) for one in _rates(objective)},
        "roc_auc": variant.test.roc_auc,
        "eer": variant.test.eer,
    }
    return Judged(variant, threshold, float(rate.of(fmr, fnmr, base_rate)), values, {})


def _rates(objective: Objective) -> list[Rate]:
    """What variants are compared by at their thresholds: the yardstick, then the rate that has a limit."""
    return [objective.yardstick, *([RATES[objective.name]] if objective.limit is not None else [])]


def _gains(whole: Judged, other: Judged, objective: Objective, base_rate: float) -> dict[str, PairedDifference]:
    found = {}
    for rate in _rates(objective):
        a, b = (whole, other) if rate.better == "higher" else (other, whole)
        pairs, thresholds = (a.variant.test, b.variant.test), (a.threshold, b.threshold)
        found[rate.name] = rate_difference(rate, *pairs, thresholds, base_rate)
    found["roc_auc"] = roc_auc_difference(whole.variant.test, other.variant.test)
    found["eer"] = eer_difference(other.variant.test, whole.variant.test)
    return found
