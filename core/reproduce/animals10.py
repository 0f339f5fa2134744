"""Animal similarity: do two photos show the same species? Judged on four balanced sets of pairs, as the source was.

The source compared MobileNetV2 fine-tuned on Animals-10, ResNet, ViT and CLIP on 95, 335, 635 and 935 pairs, and added
0.6 MobileNetV2 + 0.3 CLIP + 0.1 label match. It published no table, only what it found; :data:`PUBLISHED` has that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.backbones import Backbone
from core.classify import stored_probabilities
from core.default_fusion import default_fusion
from core.embed import embed
from core.errors import LikenessError
from core.fusion import Fusion
from core.judges import judge
from core.label_groups import class_vectors, group_vectors, learn
from core.metrics.pair_sampling import pair_counts
from core.metrics.scorer import Cosine, Scorer
from core.metrics.verification import Estimate
from core.models import Model
from core.progress import Progress, silent
from core.records import Dataset
from core.sampled import SIZES, Sample, draw_pairs, pair_rates
from core.scorers import scorer_of
from core.store import EmbeddingStore
from core.thresholds import Objective
from core.vectors import class_codes, split_rows

PUBLISHED = (
    "The fine-tuned MobileNetV2 was best overall, CLIP did well too, label match was a useful supporting signal, and "
    "ViT and ResNet were less effective without fine-tuning."
)
_EXACT, _GROUP = "label match, same ImageNet class", "label match, same group"
# Half of the sampled pairs are of one class.
_BASE_RATE = 0.5


@dataclass(frozen=True)
class Row:
    """One scorer on one set of pairs; ``threshold`` was chosen on validation, None for labels, which need none."""

    scorer: str
    pairs: int
    threshold: float | None
    rates: dict[str, Estimate]

    def as_json(self) -> dict[str, Any]:
        """Values and 95% intervals."""
        return {
            "model": self.scorer, "pairs": self.pairs, "threshold": self.threshold,
            **{name: round(one.value, 6) for name, one in self.rates.items()},
            "ci": {name: [round(one.low, 6), round(one.high, 6)] for name, one in self.rates.items()},
        }  # fmt: skip


@dataclass(frozen=True)
class Animals10:
    """The table, every model alone and fused, and what the fusion is made of."""

    dataset: Dataset
    seed: int
    fusion: Fusion
    rows: tuple[Row, ...]
    samples: tuple[Sample, ...]

    def as_json(self) -> dict[str, Any]:
        """The result in the form of the command line's ``--json``."""
        return {
            "protocol": "animals10",
            "dataset": self.dataset.ref,
            "dataset_fingerprint": self.dataset.fingerprint,
            "seed": self.seed,
            "published": PUBLISHED,
            "fusion": {"weights": self.fusion.weights, "origin": self.fusion.origin},
            "table": [row.as_json() for row in self.rows],
            "samples": [sample.as_json() for sample in self.samples],
        }


def reproduce(
    dataset: Dataset, models: Sequence[Backbone], classifier: Backbone | None, store: EmbeddingStore, seed: int = 0,
    progress: Progress = silent,
) -> Animals10:  # fmt: skip
    """Embed what is missing, choose thresholds on validation, and judge every scorer on the same test pairs.

    Args:
        dataset: Animals-10, or any other with three splits.
        models: to compare, at least one.
        classifier: that predicts labels; None leaves them out.
        store: keeps what is computed.
        seed: of the pairs.
        progress: told of each stage.

    Raises:
        LikenessError: there is no model, a split is empty, or the test split makes fewer than two pairs.
    """
    if not models:
        raise LikenessError("No model has its weights on this machine. Run: python -m core doctor")
    embed(dataset, [*models, *([classifier] if classifier else [])], store, progress)
    samples = tuple(draw_pairs(dataset, "test", size, seed) for size in _sizes(dataset))
    fusion = default_fusion(dataset, models, store, classifier)
    rows: list[Row] = []
    judged: list[Model] = [*models, fusion]
    for done, model in enumerate(judged):
        progress("Judging", done, len(judged))
        threshold = judge(dataset, model, store, Objective("accuracy"), _BASE_RATE).threshold
        rows += _judged(model.name, scorer_of(dataset, model, store), threshold, samples)
    for name, scorer in _labels(dataset, classifier, store).items():
        # The cosine of two labels is 1 or 0.
        rows += [Row(row.scorer, row.pairs, None, row.rates) for row in _judged(name, scorer, 0.5, samples)]
    progress("Judging", len(judged), len(judged))
    return Animals10(dataset, seed, fusion, tuple(rows), samples)


def _sizes(dataset: Dataset) -> list[int]:
    """The published sizes that the test split can give, or else the largest that it can."""
    most = 2 * min(pair_counts(class_codes(dataset)[split_rows(dataset, "test")]))
    return [size for size in SIZES if size <= most] or [most]


def _judged(name: str, scorer: Scorer, threshold: float, samples: Sequence[Sample]) -> list[Row]:
    return [Row(name, len(sample), threshold, pair_rates(sample, scorer, threshold)) for sample in samples]


def _labels(dataset: Dataset, classifier: Backbone | None, store: EmbeddingStore) -> dict[str, Scorer]:
    if classifier is None:
        return {}
    said = stored_probabilities(dataset, classifier, store)
    found: dict[str, Scorer] = {_EXACT: Cosine(class_vectors(said))}
    if len(dataset.rows("train")):
        found[_GROUP] = Cosine(group_vectors(learn(dataset, classifier, store), said))
    return found
