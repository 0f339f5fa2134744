"""A policy: a model, a threshold and where both come from, in one JSON file that decides the same way anywhere.

>>> from core.policy import Policy  # doctest: +SKIP
>>> Policy.load("policy.json").decide("a.jpg", "b.jpg").same  # doctest: +SKIP
True
"""

from __future__ import annotations

import importlib.metadata
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from core.backbones import Backbone, Preprocessing, Runner
from core.calibration import Calibration, checked_share
from core.calibration import from_json as calibration_from_json
from core.embed import embed_picture
from core.errors import LikenessError
from core.fusions import known_networks
from core.metrics.grid import threshold_bin, to_bins
from core.models import Model, from_json, is_whole, score_kind
from core.records import Dataset
from core.threshold_report import ThresholdReport

SCHEMA = 2
KIND = "likeness policy"
_LIBRARIES = ("numpy", "onnxruntime", "pillow", "torch")


Answer = Literal["same", "different", "review"]


@dataclass(frozen=True)
class Decision:
    """What a policy says of two images.

    Attributes:
        same: whether the score reaches the threshold.
        score: their similarity.
        threshold: the policy's.
        probability: that they are of one class, at the base rate the policy was made for.
        answer: ``same`` or ``different``; ``review`` where the policy leaves the pair to a person.
    """

    same: bool
    score: float
    threshold: float
    probability: float
    answer: Answer


def is_match(score: float, threshold: float) -> bool:
    """Whether a score reaches a threshold: asked on the grid that all pairs were counted on."""
    return int(to_bins(score)) >= threshold_bin(threshold)


def told_apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers with two decimals, or as many more as it takes to see which is the larger.

    >>> told_apart(0.554, 0.551)
    ('0.554', '0.551')
    """
    texts = [(f"{a:.{decimals}f}", f"{b:.{decimals}f}") for decimals in range(2, 7)]
    return next((pair for pair in texts if pair[0] != pair[1]), texts[0])


def _load(backbone: Backbone) -> Runner:
    return backbone.load()


@dataclass(frozen=True)
class Policy:
    """A model by its fingerprints, a threshold, and the record of how it was chosen.

    Attributes:
        content: the JSON object of the file.
        load_runner: how a network is loaded; each once, at the first decision.
    """

    content: dict[str, Any]
    load_runner: Callable[[Backbone], Runner] = _load

    @classmethod
    def of(cls, dataset: Dataset, model: Model, report: ThresholdReport) -> Policy:
        """The policy of a threshold that was chosen on a dataset's validation images."""
        objective, choice = report.objective, report.choice
        return cls({
            "kind": KIND,
            "schema": SCHEMA,
            "score": score_kind(model),
            "model": model.as_json(),
            "threshold": report.threshold,
            "calibration": report.calibration.as_json(),
            "chosen": {
                "objective": str(objective), "threshold": choice.threshold, "ci": [choice.low, choice.high],
                "base_rate": report.base_rate, "cost_false_match": objective.cost_fp,
                "cost_false_non_match": objective.cost_fn,
            },
            "val": report.val.as_json(),
            "test": report.test.as_json(),
            **({"review": report.review.as_json()} if report.review else {}),
            "dataset": {
                "name": dataset.ref, "fingerprint": dataset.fingerprint, "images": len(dataset),
                "seed": dataset.options.seed,
            },
            "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        })  # fmt: skip

    @classmethod
    def load(cls, path: str | Path) -> Policy:
        """Read a policy file.

        Raises:
            LikenessError: it cannot be read, or is no policy of this version.
        """
        try:
            content = json.loads(Path(path).read_text("utf-8"))
        except OSError as error:
            raise LikenessError(f"The policy {path} cannot be read: {error.strerror or error}.") from error
        except ValueError as error:
            raise LikenessError(f"{path} is not JSON ({error}). Export the policy again.") from error
        return cls.parse(content, str(path))

    @classmethod
    def parse(cls, content: object, source: str = "This") -> Policy:
        """Check a policy's JSON object; raises as :meth:`load`."""
        if not isinstance(content, dict) or content.get("kind") != KIND:
            raise LikenessError(
                f"{source} is no policy of Likeness. Export one with: python -m core threshold --export"
            )
        if content.get("schema") != SCHEMA:
            raise LikenessError(
                f"{source} is a policy of schema {content.get('schema')!r}; this version reads {SCHEMA}."
            )
        if not _is_whole(content):
            raise LikenessError(
                f"{source} is a damaged policy: its model, score, threshold, calibration or base rate is missing or is "
                "no such thing. Export it again."
            )
        return cls(content)

    @cached_property
    def _calibration(self) -> Calibration:
        return calibration_from_json(self.content["calibration"])

    @property
    def threshold(self) -> float:
        """The score from which on two images are called the same."""
        return float(self.content["threshold"])

    def as_text(self) -> str:
        """The file's content."""
        return json.dumps(self.content, indent=1, ensure_ascii=True, allow_nan=False) + "\n"

    def decide(self, image_a: str | Path | bytes, image_b: str | Path | bytes) -> Decision:
        """Whether two image files (paths, or their bytes) show the same class.

        Raises:
            UnreadableImage: a file is no usable image.
            LikenessError: a file cannot be read, or the model here is not the one of the policy.
        """
        a, b = (embed_picture(_bytes(image), self._networks) for image in (image_a, image_b))
        return self.judge(self.model.score(a, b))

    def judge(self, similarity: float) -> Decision:
        """What the policy says of a pair with this score."""
        same = is_match(similarity, self.threshold)
        probability = float(self._calibration(similarity, float(self.content["chosen"]["base_rate"])))
        answer: Answer = "same" if same else "different"
        band = self.content.get("review")
        if band is not None and is_match(similarity, band["reject"]) != is_match(similarity, band["accept"]):
            answer = "review"
        elif band is not None:
            answer = "same" if is_match(similarity, band["accept"]) else "different"
        return Decision(same, similarity, self.threshold, probability, answer)

    @cached_property
    def model(self) -> Model:
        """The model of this machine that the policy was made with.

        Raises:
            LikenessError: it cannot run here, or the one here is another; the message says what differs.
        """
        try:
            return from_json(self.content["score"], self.content["model"], known_networks())
        except LikenessError as error:
            raise LikenessError(f"The policy cannot decide. {error}") from error

    @cached_property
    def _networks(self) -> dict[str, tuple[Preprocessing, Runner]]:
        return {one.name: (one.spec.preprocessing, self.load_runner(one)) for one in self.model.networks}


def _is_whole(content: dict[str, Any]) -> bool:
    """Whether all that a decision is made from is there."""
    chosen, band = content.get("chosen"), content.get("review")
    try:
        calibration_from_json(content.get("calibration"))
        checked_share(chosen["base_rate"] if isinstance(chosen, dict) and _is_number(chosen.get("base_rate")) else 0)
    except LikenessError:
        return False
    limits = band is None or (isinstance(band, dict) and all(_is_number(band.get(k)) for k in ("reject", "accept")))
    return is_whole(content.get("score"), content.get("model")) and limits and _is_number(content.get("threshold"))


def _is_number(given: object) -> bool:
    return isinstance(given, (int, float)) and not isinstance(given, bool) and math.isfinite(given)


def _bytes(image: str | Path | bytes) -> bytes:
    if isinstance(image, bytes):
        return image
    try:
        return Path(image).read_bytes()
    except OSError as error:
        raise LikenessError(f"{image} cannot be read: {error.strerror or error}.") from error
