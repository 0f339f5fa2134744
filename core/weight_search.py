"""Two ways to find the weights of a sum: a logistic regression, and trying mixtures.

A mixture is hundredths that add up to 100, one for each part: finer ones make no difference that pairs could show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise, permutations
from math import comb

import numpy as np
from numpy.typing import NDArray

from core.fusion import LABELS
from core.part_scores import PartScores, SampledCurve
from core.progress import Progress, silent
from core.thresholds import Objective

Array = NDArray[np.float64]
Mixture = tuple[int, ...]
_MOST_MIXTURES = 2000
# So small that it only keeps weights finite where the parts tell the kinds of pairs apart without an error.
_PENALTY = 1e-6


def logistic_weights(scores: PartScores, base_rate: float) -> Array:
    """Weights of at least 0, ``(k,)``, of the most likely logistic regression on the parts' scores.

    Pairs are weighted so that ``base_rate`` of them are of one class. Solved by L-BFGS-B (Byrd, Lu, Nocedal and Zhu,
    SIAM Journal on Scientific Computing 16, 1995).
    """
    from scipy.optimize import minimize

    values = np.concatenate([scores.same, scores.different]).astype(np.float64)
    sign = np.repeat([1.0, -1.0], [len(scores.same), len(scores.different)])
    mass = np.where(sign > 0, base_rate / len(scores.same), (1 - base_rate) / len(scores.different))

    def loss(at: Array) -> tuple[float, Array]:
        margin = sign * (values @ at[:-1] + at[-1])
        pull = -sign * mass * np.exp(-np.logaddexp(0, margin))
        gradient = np.append(pull @ values + 2 * _PENALTY * at[:-1], pull.sum())
        return float(mass @ np.logaddexp(0, -margin) + _PENALTY * (at[:-1] ** 2).sum()), gradient

    bounds = [(0, None)] * values.shape[1] + [(None, None)]
    result = minimize(loss, np.zeros(len(bounds)), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(result.x[:-1])


def best_mixture(scores: PartScores, objective: Objective, base_rate: float, progress: Progress = silent) -> Mixture:
    """The mixture that reaches most at its best threshold; of several, one with the fewest parts.

    All coarse ones are tried, then finer ones around the best of them. Some model always has a weight.
    """
    steps = _steps(len(scores.names))
    models = [place for place, name in enumerate(scores.names) if name != LABELS]
    worths: dict[Mixture, tuple[float, int]] = {}

    def worth(mixture: Mixture) -> tuple[float, int]:
        if mixture not in worths:
            curve = scores.curve(dict(zip(scores.names, (share / 100 for share in mixture), strict=True)))
            worths[mixture] = rank(reached(curve, objective, base_rate), sum(share > 0 for share in mixture))
        return worths[mixture]

    coarse = [one for one in mixtures(len(scores.names), steps) if any(one[place] for place in models)]
    for done, mixture in enumerate(coarse):
        worth(mixture)
        progress("Trying mixtures", done + 1, len(coarse))
    best, move = max(coarse, key=worth), 100 // steps // 2
    while move:
        nearby = [one for one in _neighbours(best, move) if any(one[place] for place in models)]
        better = max(nearby, key=worth, default=best)
        if worth(better) > worth(best):
            best = better
        else:
            move //= 2
    return best


def rank(value: float, parts: int) -> tuple[float, int]:
    """What weights are ranked by, higher is better: what they reach, to a ten-thousandth, then how few parts they have.

    Finer differences are no reason to run another network.
    """
    return round(value, 4), -parts


def reached(curve: SampledCurve, objective: Objective, base_rate: float) -> float:
    """The objective's yardstick at the best threshold of a curve, with its sign turned where lower is better.

    Minus infinity where no threshold keeps the objective's limit.
    """
    place = best_place(curve, objective, base_rate)
    if place is None:
        return -np.inf
    value = float(objective.yardstick.of(curve.fmr[place], curve.fnmr[place], base_rate))
    return value if objective.yardstick.better == "higher" else -value


def best_place(curve: SampledCurve, objective: Objective, base_rate: float) -> int | None:
    """Where on a curve an objective is served best, the lowest of several places; None where its limit never holds."""
    utility = objective.utility(curve.fmr, curve.fnmr, base_rate)
    best = int(utility.argmax())
    return None if utility[best] == -np.inf else best


def mixtures(parts: int, steps: int) -> Iterator[Mixture]:
    """All mixtures of so many parts whose shares are multiples of one of ``steps`` equal steps.

    >>> list(mixtures(2, 2))
    [(0, 100), (50, 50), (100, 0)]
    """
    for bars in combinations(range(steps + parts - 1), parts - 1):
        yield tuple((stop - start - 1) * (100 // steps) for start, stop in pairwise((-1, *bars, steps + parts - 1)))


def hundredths(weights: Sequence[float]) -> Mixture:
    """Weights of at least 0, one of them above, as the mixture nearest to them: by largest remainders.

    >>> hundredths([1, 1, 1])
    (34, 33, 33)
    """
    shares = np.asarray(weights, np.float64) / sum(weights) * 100
    # Rounded first: 0.29 * 100 is a little less than 29.
    whole = np.floor(shares.round(9)).astype(int)
    order = np.argsort(whole - shares.round(9), kind="stable")
    whole[order[: 100 - whole.sum()]] += 1
    return tuple(whole.tolist())


def rebalanced(weights: Mapping[str, float], moved: str, weight: float) -> dict[str, float]:
    """Weights that add up to 1: ``moved`` gets ``weight``, and the others share the rest in their proportions.

    Others that had nothing share it evenly.

    >>> rebalanced({"a": 0.5, "b": 0.375, "c": 0.125}, "a", 0.75)
    {'a': 0.75, 'b': 0.1875, 'c': 0.0625}
    """
    others = {name: before for name, before in weights.items() if name != moved}
    if not any(others.values()):
        others = dict.fromkeys(others, 1.0)
    total = sum(others.values())
    return {name: (1 - weight) * (others[name] / total) if name in others else weight for name in weights}


def _steps(parts: int) -> int:
    """Into how many equal steps 100 is cut, so that there are not too many mixtures."""
    divisors = [steps for steps in range(1, 101) if 100 % steps == 0]
    return max(steps for steps in divisors if steps == 1 or comb(steps + parts - 1, parts - 1) <= _MOST_MIXTURES)


def _neighbours(mixture: Mixture, move: int) -> Iterator[Mixture]:
    """Mixtures in which one part gives so much, or all it has, to another."""
    for giver, taker in permutations(range(len(mixture)), 2):
        given = min(move, mixture[giver])
        changed = list(mixture)
        changed[giver], changed[taker] = mixture[giver] - given, mixture[taker] + given
        yield tuple(changed)
