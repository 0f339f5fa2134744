"""The leaderboard without the queries that leak: those with a near duplicate in the gallery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.duplicates import Duplicates
from core.evaluate import HEADLINE, Evaluation
from core.metrics import summarise, summary_intervals
from core.metrics.verification import Estimate


@dataclass(frozen=True)
class Leaks:
    """Metrics of every model without the queries that have a near duplicate in the gallery.

    Attributes:
        queries: how many queries leak, of those that count.
        counted: how many queries count.
        without: estimate of each metric by model, in the order of the evaluation; empty where no query leaks or none
            would be left.
    """

    queries: int
    counted: int
    without: dict[str, dict[str, Estimate]]

    def as_json(self) -> dict[str, Any]:
        """The result in the form of the command line's ``--json``."""
        return {
            "queries": self.queries,
            "counted": self.counted,
            "without": {
                name: {
                    **{metric: round(one.value, 6) for metric, one in found.items()},
                    "ci": {metric: [round(one.low, 6), round(one.high, 6)] for metric, one in found.items()},
                }
                for name, found in self.without.items()
            },
        }


def without_leaks(evaluation: Evaluation, duplicates: Duplicates) -> Leaks:
    """Leave out the queries whose near duplicate is in the gallery; intervals as on the leaderboard.

    Exact copies never leak: a dataset holds one of each.

    Args:
        evaluation: the leaderboard.
        duplicates: found in the same dataset.
    """
    protocol = evaluation.protocol
    gallery = protocol.split if protocol.leave_one_out else protocol.gallery
    leaked = duplicates.leaked(protocol.split, gallery)
    results = next(iter(evaluation.models.values())).results
    keep = ~np.isin(protocol.queries(evaluation.dataset)[results.index], leaked)
    found: dict[str, dict[str, Estimate]] = {}
    if keep.any() and not keep.all():
        for name, model in evaluation.models.items():
            left = model.results.subset(keep)
            ends = summary_intervals(left)
            found[name] = {key: Estimate(value, *ends[key]) for key, value in summarise(left).items()}
    return Leaks(int((~keep).sum()), len(keep), found)


def headline_change(evaluation: Evaluation, leaks: Leaks, model: str) -> float:
    """By how much the metric that decides the order falls for a model when the leaks are left out."""
    return leaks.without[model][HEADLINE].value - evaluation.models[model].values[HEADLINE]
