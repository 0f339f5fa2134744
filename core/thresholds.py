"""Choosing a threshold on one set of pairs and reporting it on another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError
from core.metrics.grid import DECIMALS, to_thresholds
from core.metrics.rates import RATES, Rate
from core.metrics.verification import Counts, Estimate, Verification

Array = NDArray[np.float64]
REPORTED = ("fmr", "fnmr", "recall", "specificity", "precision", "f1", "accuracy", "youden")


@dataclass(frozen=True)
class Objective:
    """What a threshold is to be good at.

    Attributes:
        name: one of :data:`OBJECTIVES`.
        limit: the largest FMR or the least precision, for the objectives that have one, in (0, 1).
        cost_fp: cost of a false match, for ``cost``; any unit, at least 0.
        cost_fn: cost of a false non-match, for ``cost``.

    Raises:
        LikenessError: there is no such objective, or a number makes no sense for it.
    """

    name: str
    limit: float | None = None
    cost_fp: float = 1.0
    cost_fn: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in OBJECTIVES:
            raise LikenessError(f"No objective is called {self.name!r}. Objectives: {', '.join(forms())}.")
        needed = OBJECTIVES[self.name].limited
        if needed and (self.limit is None or not 0 < self.limit < 1):
            raise LikenessError(f"The objective {self.name} needs a number between 0 and 1, such as {self.name}=0.01.")
        if not needed and self.limit is not None:
            raise LikenessError(f"The objective {self.name} takes no number. Objectives: {', '.join(forms())}.")
        costs = (self.cost_fp, self.cost_fn)
        if not all(np.isfinite(cost) and cost >= 0 for cost in costs) or not any(costs):
            raise LikenessError(f"Costs must be numbers of at least 0 and not both 0, not {costs[0]} and {costs[1]}.")

    @classmethod
    def parse(cls, text: str, cost_fp: float = 1.0, cost_fn: float = 1.0) -> Objective:
        """Read ``f1`` or ``fmr=0.01``; raises as the class does.

        >>> Objective.parse("fmr=0.01").limit
        0.01
        """
        name, given, limit = text.partition("=")
        try:
            return cls(name.strip(), float(limit) if given else None, cost_fp, cost_fn)
        except ValueError:
            raise LikenessError(f"{limit!r} is no number. Write, for example, {name}=0.01.") from None

    def __str__(self) -> str:
        return self.name if self.limit is None else f"{self.name}={self.limit:g}"

    def utility(self, fmr: Array, fnmr: Array, base_rate: float) -> Array:
        """What is to be made as large as can be, of any shape; minus infinity where the limit is not kept."""
        return OBJECTIVES[self.name].utility(self, fmr, fnmr, base_rate)

    @property
    def yardstick(self) -> Rate:
        """What models or thresholds that serve the objective are compared by: a number, which it may not be itself."""
        costs = self.cost_fp, self.cost_fn
        if self.name == "cost":
            return Rate("cost", "Expected cost", "Mean cost of a pair, at the base rate shown.",
                        lambda fmr, fnmr, base_rate: expected_cost(fmr, fnmr, base_rate, *costs),
                        "lower", by_base_rate=True, most=max(costs))  # fmt: skip
        return RATES[OBJECTIVES[self.name].judged_by]


@dataclass(frozen=True)
class ObjectiveKind:
    """An entry of :data:`OBJECTIVES`; ``limited`` ones take a number, and ``judged_by`` names a rate."""

    name: str
    title: str
    definition: str
    utility: Callable[[Objective, Array, Array, float], Array]
    judged_by: str
    limited: bool = False


def _at_most_fmr(objective: Objective, fmr: Array, fnmr: Array, base_rate: float) -> Array:
    return np.where(fmr <= (objective.limit or 0), -fnmr, -np.inf)


def _at_least_precision(objective: Objective, fmr: Array, fnmr: Array, base_rate: float) -> Array:
    # A threshold that matches nothing has a precision in name only.
    kept = (RATES["precision"].of(fmr, fnmr, base_rate) >= (objective.limit or 1)) & (fnmr < 1)
    return np.where(kept, -fnmr, -np.inf)


def _cheapest(objective: Objective, fmr: Array, fnmr: Array, base_rate: float) -> Array:
    return -expected_cost(fmr, fnmr, base_rate, objective.cost_fp, objective.cost_fn)


OBJECTIVES: dict[str, ObjectiveKind] = {
    kind.name: kind
    for kind in (
        ObjectiveKind("f1", "Best F1", "The highest harmonic mean of precision and recall at the base rate.",
                      lambda objective, fmr, fnmr, base_rate: RATES["f1"].of(fmr, fnmr, base_rate), "f1"),
        ObjectiveKind("accuracy", "Best accuracy", "The most pairs called right at the base rate.",
                      lambda objective, fmr, fnmr, base_rate: RATES["accuracy"].of(fmr, fnmr, base_rate), "accuracy"),
        ObjectiveKind("youden", "Best Youden's J", "The highest recall + specificity, whatever the base rate.",
                      lambda objective, fmr, fnmr, base_rate: 1 - fmr - fnmr, "youden"),
        ObjectiveKind("eer", "Equal error", "False match rate and false non-match rate as close as can be.",
                      lambda objective, fmr, fnmr, base_rate: -np.abs(fmr - fnmr), "youden"),
        ObjectiveKind("fmr", "Largest false match rate", "The most recall with at most this false match rate.",
                      _at_most_fmr, "recall", limited=True),
        ObjectiveKind("precision", "Least precision", "The most recall with at least this precision at the base rate.",
                      _at_least_precision, "recall", limited=True),
        ObjectiveKind("cost", "Least expected cost", "The lowest mean cost of a pair at the base rate.", _cheapest,
                      "cost"),
    )
}  # fmt: skip


def forms() -> list[str]:
    """How each objective is written."""
    return [f"{kind.name}=X" if kind.limited else kind.name for kind in OBJECTIVES.values()]


def expected_cost(fmr: Array, fnmr: Array, base_rate: float, cost_fp: float, cost_fn: float) -> Array:
    """Mean cost of a pair, in the unit of the costs."""
    return np.asarray((1 - base_rate) * cost_fp * fmr + base_rate * cost_fn * fnmr)


@dataclass(frozen=True)
class Choice:
    """A threshold, and between which values it falls for 95% of the draws of items."""

    threshold: float
    low: float
    high: float


def choose(pairs: Verification, objective: Objective, base_rate: float | None = None) -> Choice:
    """The threshold that serves an objective best.

    Args:
        pairs: to choose on: validation, never test.
        objective: what to be good at.
        base_rate: share of same-class pairs where it will be used; None for that of these pairs.

    Raises:
        LikenessError: no threshold keeps the limit, or the base rate is not between 0 and 1.
    """
    share = pairs.base_rate if base_rate is None else base_rate
    if not 0 < share < 1:
        raise LikenessError(f"The base rate is a share between 0 and 1, not {share:g}.")
    utility = objective.utility(pairs.fmr, pairs.fnmr, share)
    if utility.max() == -np.inf:
        reached = float(RATES["precision"].of(pairs.fmr, pairs.fnmr, share)[pairs.fnmr < 1].max())
        raise LikenessError(
            f"No threshold reaches a precision of {objective.limit:g} at a base rate of {share:g}; "
            f"the highest is {reached:.4f}. Ask for less, or choose another model."
        )
    threshold = optimum(utility, pairs.bins)
    return Choice(threshold, *_spread(pairs, objective, share, threshold))


def optimum(utility: Array, bins: NDArray[np.integer]) -> float:
    """The threshold of the largest utility, the lowest of several; ``utility[i]`` is that of ``bins[i]``, ascending.

    Any threshold between two neighbouring scores decides alike; the one with the fewest decimals near the middle is
    taken.
    """
    best = int(utility.argmax())
    return _between(int(bins[best - 1]) if best else int(bins[0]) - 1, int(bins[best]))


def _between(above: int, upto: int) -> float:
    """The shortest decimal number in ``(above, upto]``, both bins, near the middle."""
    low, high = to_thresholds([above, upto]).tolist()
    for decimals in range(1, DECIMALS):
        number = round((low + high) / 2, decimals)
        if low < number <= high:
            return float(number)
    return float(high)


def _spread(pairs: Verification, objective: Objective, base_rate: float, chosen: float) -> tuple[float, float]:
    fmr, fnmr = pairs.draws()
    if not len(fmr):
        return chosen, chosen
    utility = objective.utility(fmr, fnmr, base_rate)
    found = pairs.levels[utility.argmax(axis=1)[(utility > -np.inf).any(axis=1)]]
    low, high = np.percentile(found, [2.5, 97.5]).round(DECIMALS).tolist() if len(found) else (chosen, chosen)
    return min(low, chosen), max(high, chosen)


@dataclass(frozen=True)
class Outcome:
    """What a threshold does on a set of pairs: rates of :data:`REPORTED` with intervals, and counts of pairs."""

    rates: dict[str, Estimate]
    counts: Counts
    cost: float

    def as_json(self) -> dict[str, object]:
        """Values, 95% intervals and counts."""
        return {
            **{name: round(rate.value, 6) for name, rate in self.rates.items()},
            "cost": round(self.cost, 6),
            "ci": {name: [round(rate.low, 6), round(rate.high, 6)] for name, rate in self.rates.items()},
            "counts": {
                "true_match": self.counts.true_match,
                "false_match": self.counts.false_match,
                "true_non_match": self.counts.true_non_match,
                "false_non_match": self.counts.false_non_match,
            },
        }


def outcome(pairs: Verification, threshold: float, objective: Objective, base_rate: float | None = None) -> Outcome:
    """What a threshold does on a set of pairs; arguments as in :func:`choose`."""
    share = pairs.base_rate if base_rate is None else base_rate
    fmr, fnmr = (np.asarray(rate) for rate in pairs.rates(threshold))
    cost = float(expected_cost(fmr, fnmr, share, objective.cost_fp, objective.cost_fn))
    rates = {name: pairs.estimate(name, threshold, share) for name in REPORTED}
    return Outcome(rates, pairs.counts(threshold), cost)
