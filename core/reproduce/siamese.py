"""Siamese networks: do two images match, and do at least two of three? Trained and judged as the source did.

The source trained EfficientNet-B0 on a balanced subset of Imagenette, 1,280 training and 320 test images: once on
pairs, half of them of one class, with binary cross-entropy, and once on triplets with the triplet loss, whose distances
it then compared with a threshold. It chose that by the test images; here validation images choose it and test images
report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.at_least_two import TripletReport, TripletScores, most, score_triplets
from core.backbones import available
from core.errors import LikenessError
from core.judges import judge
from core.metrics.distance import to_cosines, to_distances
from core.metrics.pair_sampling import pair_counts
from core.metrics.verification import Estimate
from core.models import Model
from core.progress import Progress, silent
from core.records import Dataset
from core.sampled import Sample, draw_pairs, draw_triplets, pair_rates, triplet_accuracy
from core.scorers import scorer_of
from core.siamese import pair_scorers
from core.store import EmbeddingStore
from core.thresholds import Objective
from core.training import runs
from core.training.protocol import balanced
from core.training.run import train
from core.training.runs import Run
from core.training.settings import Settings, choose
from core.vectors import class_codes, split_rows

PUBLISHED = (
    "The source shows its results as pictures without numbers: a report of pairs, and one of triplets at a Euclidean "
    "distance of 6 between vectors that were not of unit length; here they are, so distances lie between 0 and 2."
)
# The source's network, and who stands in for it where its weights are not here.
NETWORKS = ("efficientnet_b0", "efficientnet_lite0", "mobilenet_v2")
SIZE = 320
DISTANCES = tuple(round(0.1 * step, 1) for step in range(3, 18))
_BASE_RATE = 0.5


@dataclass(frozen=True)
class PairRow:
    """A scorer on the test pairs, at a threshold that validation chose."""

    model: str
    threshold: float
    rates: dict[str, Estimate]


@dataclass(frozen=True)
class Siamese:
    """Both problems of the source.

    Attributes:
        pairs: the run that was trained on pairs.
        triplets: the run that was trained on triplets.
        pair_rows: on the same test pairs: the pair head, the cosine of its encoder, and the network both started from.
        sample: those pairs.
        triplet_accuracy: how often the anchor is closer to the positive, of test triplets.
        scores: test triplets of both kinds as the second network scores them, to ask about any threshold.
        distance: the Euclidean distance that tells validation triplets best, by F1.
    """

    dataset: Dataset
    pairs: Run
    triplets: Run
    pair_rows: tuple[PairRow, ...]
    sample: Sample
    triplet_accuracy: Estimate
    scores: TripletScores
    distance: float

    def report(self, distance: float) -> TripletReport:
        """What a largest distance of a match, between 0 and 2, does on the test triplets."""
        return self.scores.report(float(to_cosines(distance)))

    def as_json(self) -> dict[str, Any]:
        """The result in the form of the command line's ``--json``."""
        return {
            "protocol": "siamese",
            "dataset": self.dataset.ref,
            "published": PUBLISHED,
            "training": {run.settings.objective: run.as_json() for run in (self.pairs, self.triplets)},
            "pairs": {
                "sample": self.sample.as_json(),
                "models": {
                    row.model: {"threshold": row.threshold, **{name: one.as_json() for name, one in row.rates.items()}}
                    for row in self.pair_rows
                },
            },
            "triplets": {
                "triplet_accuracy": self.triplet_accuracy.as_json(),
                "distance": self.distance,
                "report": self.report(self.distance).as_json(),
                "sweep": [{"distance": one, **self.report(one).as_json()} for one in DISTANCES],
                "sample": self.scores.sample.as_json(),
            },
        }


def start_of(names: Sequence[str] | None) -> str:
    """The network to start from: the one that was named, or the source's, or who stands in for it.

    Raises:
        LikenessError: none is here, or more than one was named.
    """
    if names:
        if len(names) > 1:
            raise LikenessError(
                f"Training starts from one network, not from {', '.join(names)}. Name one with --model."
            )
        return names[0]
    known = available()
    found = next((name for name in NETWORKS if name in known), None)
    if found is None:
        raise LikenessError(f"None of {', '.join(NETWORKS)} has weights on this machine. Run: python -m core doctor")
    return found


def reproduce(
    dataset: Dataset, model: str, store: EmbeddingStore, progress: Progress = silent, *, fast: bool = False,
    epochs: int | None = None, offline: bool = False,
) -> Siamese:  # fmt: skip
    """Train on pairs and on triplets, and judge both on test images; runs that were finished before are used again.

    Args:
        dataset: Imagenette, or any other with enough images of each class.
        model: the network to start from.
        store: keeps what is computed.
        progress: told of each stage.
        fast: train heads on stored vectors only.
        epochs: at most; None for the default.
        offline: never download weights.

    Raises:
        LikenessError: a class has too few images, or training cannot start; see :func:`core.training.run.train`.
    """
    first, second = (
        _trained(dataset, _settings(objective, model, fast, epochs), store, progress, offline=offline)
        for objective in ("siamese", "triplet")
    )
    view = balanced(dataset, first.settings.seed)
    known = available()
    encoder, other = known[first.name], known[second.name]
    judged: list[Model] = [*pair_scorers({first.name: encoder}).values(), encoder, known[model]]
    sample = draw_pairs(view, "test", min(SIZE, 2 * min(pair_counts(class_codes(view)[split_rows(view, "test")]))))
    val = score_triplets(view, other, store, "val", min(SIZE, most(view, "val")))
    triplets = draw_triplets(view, "test", min(SIZE, pair_counts(class_codes(view)[split_rows(view, "test")])[0]))
    return Siamese(
        dataset,
        first,
        second,
        tuple(_pair_row(view, one, store, sample) for one in judged),
        sample,
        triplet_accuracy(triplets, scorer_of(view, other, store)),
        score_triplets(view, other, store, "test", min(SIZE, most(view, "test"))),
        float(to_distances(val.best_threshold())),
    )


def _settings(objective: str, model: str, fast: bool, epochs: int | None) -> Settings:
    given = {} if epochs is None else {"epochs": epochs}
    return choose(objective, model, fast=fast, protocol="siamese", **given)


def _trained(
    dataset: Dataset, settings: Settings, store: EmbeddingStore, progress: Progress, *, offline: bool
) -> Run:  # fmt: skip
    """The run with these settings on this dataset: the finished one, the unfinished one to its end, or a new one."""
    for run in runs.runs():
        if run.settings == settings and run.dataset.ref == dataset.ref and run.dataset.options == dataset.options:
            if run.state == "finished" and run.name in available():
                return run
            if run.state == "unfinished":
                return train(dataset, settings, run.name, store, progress, resume=True, offline=offline)
    name = runs.free_name(f"{settings.model}_{settings.objective}_protocol")
    return train(dataset, settings, name, store, progress, offline=offline)


def _pair_row(view: Dataset, model: Model, store: EmbeddingStore, sample: Sample) -> PairRow:
    threshold = judge(view, model, store, Objective("accuracy"), _BASE_RATE).threshold
    return PairRow(model.name, threshold, pair_rates(sample, scorer_of(view, model, store), threshold))
