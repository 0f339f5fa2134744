"""What each part of a fusion is worth: without it, it alone, and the question whether adding up pays at all.

Every variant gets its own threshold on validation, as it would in use. Test pairs only say how each does there, and how
it compares with the whole fusion on the same images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from core.fusion import Fusion
from core.fusion_parts import alone, without
from core.metrics.comparison import holm
from core.metrics.paired import PairedDifference, eer_difference, rate_difference, roc_auc_difference
from core.metrics.rates import RATES, Rate
from core.metrics.verification import Estimate, Verification
from core.models import Model
from core.progress import Progress, silent
from core.records import Dataset
from core.store import EmbeddingStore
from core.thresholds import Objective, choose
from core.verify import verify

Kind = Literal["whole", "without", "alone", "other"]
ALPHA = 0.05
SUMMARIES = ("roc_auc", "eer")


@dataclass(frozen=True)
class Variant:
    """Something to be judged beside the whole fusion, on the same images in the same order.

    Attributes:
        name: as in a table.
        kind: ``whole`` for the fusion itself, which comes first; ``alone`` for one part on its own.
        weights: what it adds up.
        val, test: its pairs.
    """

    name: str
    kind: Kind
    weights: Mapping[str, float]
    val: Verification
    test: Verification


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
        values: on test: the yardstick at the threshold, ROC AUC and EER, by name.
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
    """

    objective: Objective
    base_rate: float
    rows: tuple[Judged, ...]

    @property
    def yardstick(self) -> Rate:
        """What variants are compared by first."""
        return self.objective.yardstick

    @property
    def best_single(self) -> Judged | None:
        """The part that does best alone on validation; None where no part was judged alone."""
        sign = 1 if self.yardstick.better == "higher" else -1
        single = [row for row in self.rows if row.variant.kind == "alone"]
        return max(single, key=lambda row: sign * row.on_val, default=None)

    @property
    def pays(self) -> bool | None:
        """Whether the fusion beats the best single model on test: yes, no (it is worse), or None: test cannot tell."""
        best = self.best_single
        if best is None or (gain := best.gains[self.yardstick.name]).adjusted > ALPHA:
            return None
        return gain.value > 0

    def verdict(self) -> str:
        """The answer in one sentence."""
        best, whole = self.best_single, self.rows[0]
        if best is None:
            return "No part was judged alone, so nothing is said of what adding up is worth."
        name = self.yardstick.name
        gain, title = best.gains[name], self.yardstick.title
        change = (
            f"{title} on test is {whole.values[name].value:.4f} against {best.values[name].value:.4f}, a gain of "
            f"{gain.value:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}], p = {gain.adjusted:.3f} after Holm's correction "
            f"for {len(self.rows) - 1} comparisons"
        )
        rival = f"{best.variant.name}, the best single model by validation"
        if self.pays is None:
            return f"The fusion cannot be told from {rival}: {change}."
        return f"The fusion {'beats' if self.pays else 'is worse than'} {rival}, by more than chance explains: {change}."

    def as_json(self) -> dict[str, Any]:
        """The result in the form of the command line's ``--json``."""
        best = self.best_single
        return {
            "judged_by": self.yardstick.name,
            "best_single": None if best is None else best.variant.name,
            "pays": self.pays,
            "verdict": self.verdict(),
            "variants": [_as_json(row, self.yardstick.name) for row in self.rows],
        }


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


def variants_of(
    dataset: Dataset, fusion: Fusion, parts: Fusion, store: EmbeddingStore, others: Sequence[Model] = (),
    progress: Progress = silent,
) -> list[Variant]:  # fmt: skip
    """The fusion, it without each of its parts, each part alone, and other models to stand beside them.

    Of two parts, one without the other is the other alone and is not listed twice.

    Args:
        dataset: with validation and test pairs.
        fusion: to be taken apart.
        parts: all that could have been added up; each is judged alone.
        store: holds the vectors.
        others: further models, such as the default fusion.
        progress: called while pairs are compared.

    Raises:
        LikenessError: vectors are missing, or a split lacks pairs.
    """
    named: list[tuple[str, Kind, Model, Mapping[str, float]]] = [(fusion.name, "whole", fusion, fusion.weights)]
    if len(fusion.weights) > 2:
        reduced = [without(fusion, part) for part in fusion.weights]
        named += [(one.name, "without", one, one.weights) for one in reduced]
    models = {part.backbone.name: part.backbone for part in parts.components}
    named += [(part, "alone", models.get(part, alone(parts, part)), {part: 1.0}) for part in parts.weights]
    named += [(one.name, "other", one, one.weights if isinstance(one, Fusion) else {one.name: 1.0}) for one in others]
    found = []
    for done, (name, kind, model, weights) in enumerate(named):
        progress("Comparing variants", done, len(named))
        val, test = (verify(dataset, model, store, split).verification for split in ("val", "test"))
        found.append(Variant(name, kind, weights, val, test))
    progress("Comparing variants", len(named), len(named))
    return found


def ablate(variants: Sequence[Variant], objective: Objective, base_rate: float | None = None) -> Ablation:
    """Judge variants of a fusion.

    Args:
        variants: the whole fusion first; all of the same images in the same order.
        objective: what thresholds are chosen for.
        base_rate: share of same-class pairs where they will be used; None for that of validation.

    Raises:
        LikenessError: the variants are not of the same images, or no threshold serves the objective.
    """
    share = variants[0].val.base_rate if base_rate is None else base_rate
    rows = [_judge(variant, objective, share) for variant in variants]
    gains = [_gains(rows[0], row, objective.yardstick, share) for row in rows[1:]]
    adjusted = {name: holm([gain[name].p_value for gain in gains]) for name in rows[0].values}
    whole, *others = rows
    judged = [
        replace(row, gains={name: Gain(**vars(one), adjusted=adjusted[name][place]) for name, one in gain.items()})
        for place, (row, gain) in enumerate(zip(others, gains, strict=True))
    ]
    return Ablation(objective, share, (whole, *judged))


def _judge(variant: Variant, objective: Objective, base_rate: float) -> Judged:
    rate = objective.yardstick
    threshold = choose(variant.val, objective, base_rate).threshold
    fmr, fnmr = (np.asarray(error) for error in variant.val.rates(threshold))
    values = {
        rate.name: variant.test.estimate(rate, threshold, base_rate),
        **{name: getattr(variant.test, name) for name in SUMMARIES},
    }
    return Judged(variant, threshold, float(rate.of(fmr, fnmr, base_rate)), values, {})


def _gains(whole: Judged, other: Judged, rate: Rate, base_rate: float) -> dict[str, PairedDifference]:
    a, b = whole, other
    if rate.better == "lower":
        a, b = other, whole
    thresholds = a.threshold, b.threshold
    return {
        rate.name: rate_difference(rate, a.variant.test, b.variant.test, thresholds, base_rate),
        "roc_auc": roc_auc_difference(whole.variant.test, other.variant.test),
        "eer": eer_difference(other.variant.test, whole.variant.test),
    }
