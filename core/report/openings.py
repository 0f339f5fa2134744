"""The plain sentences that open the sections of a report."""

from __future__ import annotations

import numpy as np

from core.answer import Answer
from core.answer_words import Sentence, Strong
from core.evaluate import HEADLINE
from core.metrics import METRICS
from core.per_class import ClassTable
from core.report.data import class_counts
from core.report.findings import Findings
from core.words import count, interval, listed, share

_UNEVEN = 1.5


def models(found: Answer) -> Sentence:
    """Whether test agrees with the choice made on validation."""
    tested = found.test
    best = next(iter(tested.models))
    if len(tested.models) == 1:
        return "Only ", Strong(best), " was compared."
    if found.better_on_test:
        return "On test images ", Strong(best), " is measurably better than ", Strong(found.model), "."
    if best != found.model:
        return "On test images ", Strong(found.model), " cannot be told from ", Strong(best), ", which is first there."
    others = [name for name in tested.tied if name != best]
    rest = f"{listed(others)} cannot be told from it." if others else "the others are measurably worse."
    return "On test images too ", Strong(best), f" is best; {rest}"


def classes(table: ClassTable, model: str) -> Sentence:
    """The hardest and the easiest class."""
    column = table.models.index(model)
    values = table.values[:, column]
    worst, best = int(np.nanargmin(values)), int(np.nanargmax(values))
    limits = interval(float(table.low[worst, column]), float(table.high[worst, column]))
    return (
        "Hardest for ", Strong(model), " is ", Strong(table.classes[worst]),
        f" with {METRICS[HEADLINE].title} {share(float(values[worst]))} {limits} over "
        f"{count(int(table.support[worst]), 'query', 'queries')}; easiest is ", Strong(table.classes[best]),
        f" with {share(float(values[best]))}.",
    )  # fmt: skip


def threshold(found: Answer) -> Sentence:
    """What a match is worth where the threshold will be used."""
    used = found.threshold
    right = used.test.rates["precision"]
    return (
        f"Where {share(used.base_rate)} of all pairs are of one class, ",
        Strong(f"{share(right.value)} {interval(*right.interval)}"),
        " of the pairs that ", Strong(found.model), " calls the same are.",
    )  # fmt: skip


def mistakes(found: Findings) -> Sentence:
    """What to look for in the gallery."""
    if not (len(found.matches) or len(found.misses) or found.worst):
        return ("No test image was retrieved wrongly, and no test pair was called wrongly.",)
    return ("The worst mistakes on test images: look for wrong labels, and for classes that overlap.",)


def on_map(found: Findings) -> Sentence:
    """How far to believe the map."""
    if found.map is None:
        return ("There are too few images for a map.",)
    return (
        "Images that ", Strong(found.network.name), " finds alike lie together; those that mix it can hardly tell "
        f"apart. Of each image's nearest images {share(found.map.preservation)} are among its nearest on the map too.",
    )  # fmt: skip


def data(found: Findings) -> Sentence:
    """How many images, and how even."""
    dataset = found.answer.dataset
    counts = class_counts(dataset)
    said = f"{count(len(dataset), 'image')} in {count(len(counts), 'class', 'classes')}"
    most, least = counts[0], counts[-1]
    if most.images >= _UNEVEN * least.images:
        return (
            f"{said}, unevenly spread: ", Strong(most.name), f" has {most.images:,}, ", Strong(least.name),
            f" only {least.images:,}.",
        )  # fmt: skip
    return (f"{said}, about evenly spread.",)
