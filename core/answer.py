"""The answer in short: which model, how good it is, from which similarity on, what goes wrong, and what to beware of.

The model is chosen on validation, by retrieval, and so is its threshold; both are reported on test.
:mod:`core.answer_words` says it in a paragraph.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.calibration import fit
from core.confused import ConfusedPair, confused_pairs
from core.errors import LikenessError
from core.evaluate import HEADLINE, Evaluation, ModelResult
from core.judges import DEFAULT_OBJECTIVE
from core.leaks import Leaks
from core.metrics.verification import Estimate
from core.records import SPLITS, Dataset
from core.threshold_report import ThresholdReport, report
from core.thresholds import Objective
from core.verify import SplitPairs

_CLEARLY_FASTER = 0.8


@dataclass(frozen=True)
class Answer:
    """What is known, ready to be said.

    Attributes:
        val: the evaluation that the model is chosen by: its first.
        test: the same models, asked by test images.
        val_pairs, test_pairs: all pairs of both splits, as the chosen model scores them.
        threshold: the one chosen on ``val_pairs``, and what it does on ``test_pairs``.
        confused: classes that the model takes for each other on test, most often first.
        leaks: test queries that have a near duplicate in the gallery; None where nobody has looked.
        suspects: how many images bear a label that looks wrong; None where nobody has looked.
    """

    val: Evaluation
    test: Evaluation
    val_pairs: SplitPairs
    test_pairs: SplitPairs
    threshold: ThresholdReport
    confused: tuple[ConfusedPair, ...]
    leaks: Leaks | None = None
    suspects: int | None = None

    @property
    def dataset(self) -> Dataset:
        """The images."""
        return self.val.dataset

    @property
    def model(self) -> str:
        """The one to use: the best on validation."""
        return next(iter(self.val.models))

    @property
    def result(self) -> ModelResult:
        """What it does on test."""
        return self.test.models[self.model]

    @property
    def tied(self) -> tuple[str, ...]:
        """The models that cannot be told from it on validation."""
        return tuple(name for name in self.val.tied if name != self.model)

    @property
    def cheaper(self) -> str | None:
        """The fastest of the tied models, where it saves a fifth of the time of the model to use, or more."""
        speeds = {name: self.val.models[name].latency.p50 for name in (self.model, *self.tied)}
        fastest = min(speeds, key=lambda name: speeds[name])
        return fastest if speeds[fastest] <= _CLEARLY_FASTER * speeds[self.model] else None

    @property
    def better_on_test(self) -> str | None:
        """The best model on test, where it is measurably better there than the model to use."""
        return None if self.model in self.test.tied else self.test.tied[0]

    @property
    def found(self) -> Estimate:
        """Its headline metric on test."""
        return Estimate(self.result.values[HEADLINE], *self.result.intervals[HEADLINE])


def answer(
    val: Evaluation, test: Evaluation, objective: Objective = DEFAULT_OBJECTIVE, base_rate: float | None = None,
    method: str = "isotonic", leaks: Leaks | None = None, suspects: int | None = None,
) -> Answer:  # fmt: skip
    """Choose a model and a threshold on validation, and see on test what they do.

    Args:
        val: models asked by validation images.
        test: the same models asked by test images.
        objective: what the threshold is to be good at.
        base_rate: share of same-class pairs where it will be used; None for that of validation.
        method: of :data:`core.calibration.METHODS`.
        leaks: of ``test``, where known.
        suspects: how many labels look wrong, where known.

    Raises:
        LikenessError: validation or test lacks pairs of one kind, or no threshold serves the objective.
    """
    best = next(iter(val.models))
    on_val, on_test = (_pairs(found, best) for found in (val, test))
    scores = on_val.verification
    found = report(scores, on_test.verification, objective, fit(scores, method), base_rate)
    return Answer(val, test, on_val, on_test, found, tuple(confused_pairs(test, best)), leaks, suspects)


def check_splits(dataset: Dataset) -> None:
    """Raise a LikenessError unless there is something to search, to choose on and to test on."""
    sizes = {split: len(dataset.rows(split)) for split in SPLITS}
    if lacking := [split for split, size in sizes.items() if not size]:
        counts = ", ".join(f"{split} {size:,}" for split, size in sizes.items())
        raise LikenessError(
            f"{dataset.title} has no images in {' and '.join(lacking)} ({counts}): a model is chosen on val, tested on "
            "test, and searches train. Move images there, or cut the dataset with --split 70/15/15."
        )


def _pairs(evaluation: Evaluation, model: str) -> SplitPairs:
    pairs = evaluation.models[model].pairs
    if pairs is None:
        raise LikenessError(
            f"The {evaluation.protocol.split} images of {evaluation.dataset.title} do not make pairs of one class and "
            "pairs of two, so no threshold can be chosen and tested. Add images to that split."
        )
    return pairs
