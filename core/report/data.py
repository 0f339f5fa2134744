"""What is said of the images: how many of each class and split, what was left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from core.datasets.overlap import seen_in_pretraining
from core.evaluate import Evaluation
from core.records import SPLITS, Dataset, SkippedFile

_EXAMPLES = 5


@dataclass(frozen=True)
class ClassCount:
    """How many images a class has in each of :data:`core.records.SPLITS`."""

    name: str
    splits: tuple[int, ...]

    @property
    def images(self) -> int:
        """In all splits."""
        return sum(self.splits)


@dataclass(frozen=True)
class SkippedGroup:
    """Files that were left out for one kind of reason, with the paths of the first few."""

    reason: str
    count: int
    examples: tuple[str, ...]


def class_counts(dataset: Dataset) -> list[ClassCount]:
    """Every class, that with most images first."""
    counts = Counter(zip(dataset.labels.tolist(), dataset.splits.tolist(), strict=True))
    found = [ClassCount(name, tuple(counts[name, split] for split in SPLITS)) for name in dataset.classes]
    return sorted(found, key=lambda one: -one.images)


def skipped_groups(skipped: Iterable[SkippedFile]) -> list[SkippedGroup]:
    """Skipped files by kind of reason, the most frequent first; details such as the name of a copy are left off.

    >>> skipped_groups([SkippedFile("b.png", "duplicate of a.png"), SkippedFile("c.png", "duplicate of a.png")])
    [SkippedGroup(reason='duplicate of another image', count=2, examples=('b.png', 'c.png'))]
    """
    paths: dict[str, list[str]] = {}
    for file in skipped:
        copied = file.reason.startswith("duplicate of ")
        kind = "duplicate of another image" if copied else file.reason.split(":")[0]
        paths.setdefault(kind, []).append(file.path)
    found = [SkippedGroup(kind, len(all_), tuple(all_[:_EXAMPLES])) for kind, all_ in paths.items()]
    return sorted(found, key=lambda group: -group.count)


def seen_before(evaluation: Evaluation) -> list[tuple[tuple[str, ...], str]]:
    """What models saw of these images in training: their names, and the rest of a sentence that begins with them."""
    found: dict[str, list[str]] = {}
    for name, result in evaluation.models.items():
        if why := seen_in_pretraining(evaluation.dataset, result.backbone.spec):
            found.setdefault(why.removeprefix(name).strip(), []).append(name)
    return [(tuple(names), rest) for rest, names in found.items()]
