"""Retrieval metrics: exact per-query values, their averages, and intervals over queries."""

from core.metrics.averaging import average
from core.metrics.catalogue import METRICS, Metric, class_support, per_class_precision, summarise, summary_intervals
from core.metrics.comparison import Difference, compare, holm, tied_for_best
from core.metrics.intervals import bootstrap_averages, bootstrap_weights
from core.metrics.retrieval import CUTOFFS, QueryResults, evaluate_queries

__all__ = [
    "CUTOFFS",
    "METRICS",
    "Difference",
    "Metric",
    "QueryResults",
    "average",
    "bootstrap_averages",
    "bootstrap_weights",
    "class_support",
    "compare",
    "evaluate_queries",
    "holm",
    "per_class_precision",
    "summarise",
    "summary_intervals",
    "tied_for_best",
]
