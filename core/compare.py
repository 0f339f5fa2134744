"""Whether two images show the same class: what is seen in each, what every model says of the pair, and what decides.

>>> from core.compare import compare, look, sentence  # doctest: +SKIP
>>> a, b = (look(Path(name).read_bytes(), networks, classifier) for name in ("a.jpg", "b.jpg"))  # doctest: +SKIP
>>> print(sentence(compare(a, b, judges, judges["mobilenet_v2"])))  # doctest: +SKIP
Same class: 0.83 >= 0.62. Among pairs scoring like this, 94% [90-97] were the same class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core import images
from core.backbones import Backbone
from core.boxes import Box, crop
from core.classify import ClassLabel, probabilities, top_labels
from core.default_fusion import default_fusion
from core.detect import WORKING_SIDE, Detection, Detector, load_detector
from core.embed import Networks, picture_vectors
from core.errors import LikenessError
from core.fusion import Fusion
from core.judges import Judge
from core.label_groups import LabelGroups
from core.labelling import LabelAnswer, match_labels
from core.models import Model
from core.policy import Decision, Policy, told_apart
from core.records import Dataset
from core.reliability import ReliabilityPoint
from core.store import EmbeddingStore

Decider = Judge | Policy
_VERDICTS = {"same": "Same class", "different": "Different classes", "review": "For a person to decide"}


@dataclass(frozen=True)
class Look:
    """What is seen in an image file, or in the part of it that was asked for.

    Attributes:
        key: content id of the file.
        part: of the upright picture, what was looked at; None for all of it.
        picture: what the networks looked at, upright and RGB.
        vectors: by network name, float32 ``(dim,)``: for a whole file, bit for bit those that are stored.
        chances: probability of each ImageNet class, float32 ``(1000,)``; None without a classifier.
        labels: the three most probable classes, best first; none without a classifier.
    """

    key: str
    part: Box | None
    picture: Image.Image
    vectors: Mapping[str, NDArray[np.float32]]
    chances: NDArray[np.float32] | None
    labels: tuple[ClassLabel, ...]


def look(data: bytes, networks: Networks, classifier: str | None = None, detection: Detection | None = None) -> Look:
    """Look at an image file with several networks; it is decoded once.

    Args:
        data: the file's bytes.
        networks: preprocessing and loaded network of each model.
        classifier: the one of them that gives labels.
        detection: what was found in the file, to look at its crop only; None for the whole picture.

    Raises:
        UnreadableImage: whatever is wrong with the file.
    """
    part = None if detection is None else detection.crop
    picture = images.decode(data) if part is None else crop(images.decode(data, WORKING_SIDE), part)
    vectors = picture_vectors(picture, networks)
    said = None if classifier is None else vectors[classifier]
    labels = () if said is None else top_labels(said)
    return Look(images.content_id(data), part, picture, vectors, None if said is None else probabilities(said), labels)


@dataclass(frozen=True)
class NoDetector:
    """Stands in where nothing can detect, and says why."""

    because: str
    fingerprint: str = "none"

    def __call__(self, picture: Image.Image) -> Detection:
        """See :class:`core.detect.Detector`."""
        return Detection((), None, "none", f"Nothing was looked for: the whole picture. {self.because}")


def best_detector() -> Detector:
    """The best detector of this machine; where there is none, one that finds nothing and says why."""
    try:
        return load_detector()
    except LikenessError as error:
        return NoDetector(str(error))


def find_subject(data: bytes, detector: Detector) -> Detection:
    """What a detector finds in an image file.

    Raises:
        UnreadableImage: whatever is wrong with the file.
    """
    return detector(images.decode(data, WORKING_SIDE))


@dataclass(frozen=True)
class Comparison:
    """What is said of a pair.

    Attributes:
        models: what each model says, with its own threshold, by name.
        decided_by: name of what decides.
        decision: what it says.
        contributions: what each part of a fusion adds to its score; empty for a single model.
        like_this: what validation pairs with such a score turned out to be; None for a policy, which keeps no pairs.
        label_match: None without a classifier.
    """

    models: dict[str, Decision]
    decided_by: str
    decision: Decision
    contributions: dict[str, float]
    like_this: ReliabilityPoint | None
    label_match: LabelAnswer | None


def compare(
    a: Look, b: Look, judges: Mapping[str, Decider], decider: Decider, groups: LabelGroups | None = None
) -> Comparison:
    """What models say of two images that their networks have looked at.

    Args:
        a: the first image.
        b: the second.
        judges: the models to ask, by name.
        decider: what decides; a policy has no pairs to compare with.
        groups: the mapping from ImageNet's classes to those of the dataset, if it is known.
    """
    decision = _decide(decider, a, b)
    model = decider.model
    return Comparison(
        models={name: _decide(one, a, b) for name, one in judges.items()},
        decided_by=model.name,
        decision=decision,
        contributions=model.contributions(a.vectors, b.vectors) if isinstance(model, Fusion) else {},
        like_this=decider.like_this(decision.score) if isinstance(decider, Judge) else None,
        label_match=match_labels(a.chances, b.chances, groups),
    )


def _decide(judge: Decider, a: Look, b: Look) -> Decision:
    found = judge.model.score(a.vectors, b.vectors)
    if isinstance(judge, Policy):
        return judge.judge(found)
    same = judge.same(found)
    return Decision(same, found, judge.threshold, judge.probability(found), "same" if same else "different")


def sentence(found: Comparison) -> str:
    """The decision in plain words."""
    decision = found.decision
    left, right = told_apart(decision.score, decision.threshold)
    text = f"{_VERDICTS[decision.answer]}: {left} {'>=' if decision.same else '<'} {right}."
    if found.like_this is None:
        return f"{text} A pair with this score is of one class with a probability of {decision.probability:.0%}."
    return f"{text} Among pairs scoring like this, {_share(found.like_this)} were the same class."


def _share(found: ReliabilityPoint) -> str:
    """94% [90-97]; with a decimal where its interval would otherwise be no wider than one number."""
    if found.interval is None:
        return f"{found.observed:.0%}"
    low, high = (100 * end for end in found.interval)
    decimals = 0 if f"{low:.0f}" != f"{high:.0f}" else 1
    return f"{found.observed:.{decimals}%} [{low:.{decimals}f}-{high:.{decimals}f}]"


def deciding_model(dataset: Dataset, models: Sequence[Model], store: EmbeddingStore) -> Model:
    """What decides where nothing else was chosen: the only model, or the default fusion of all single networks.

    Raises:
        LikenessError: there are none, or only fusions and pair heads, of which one has to be named.
    """
    if len(models) == 1:
        return models[0]
    single = [model for model in models if isinstance(model, Backbone)]
    if models and not single:
        names = ", ".join(model.name for model in models)
        raise LikenessError(
            f"{names} are all fusions or pair heads, and none of them comes first. Name the one that decides."
        )
    return default_fusion(dataset, single, store)
