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
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from core.backbones import Backbone, Runner, all_specs, available, missing_reason
from core.calibration import Calibration, checked_share, from_json
from core.embed import embed_picture
from core.errors import LikenessError
from core.metrics.grid import similarity, threshold_bin, to_bins
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
        score: their cosine.
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


def _load(backbone: Backbone) -> Runner:
    return backbone.load()


@dataclass(frozen=True)
class Policy:
    """A model by name and fingerprint, a threshold, and the record of how it was chosen.

    Attributes:
        content: the JSON object of the file.
        load_runner: how the network is loaded; once, at the first decision.
    """

    content: dict[str, Any]
    load_runner: Callable[[Backbone], Runner] = _load
    _loaded: dict[str, tuple[Backbone, Runner]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, dataset: Dataset, backbone: Backbone, report: ThresholdReport) -> Policy:
        """The policy of a threshold that was chosen on a dataset's validation images."""
        objective, choice = report.objective, report.choice
        return cls({
            "kind": KIND,
            "schema": SCHEMA,
            "model": {
                "name": backbone.name,
                "fingerprint": backbone.fingerprint,
                "weights_sha256": backbone.weights.sha256,
                **backbone.spec.identity,
            },
            "score": "cosine",
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
        return from_json(self.content["calibration"])

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
        backbone, runner = self._model()
        loaded = {backbone.name: (backbone.spec.preprocessing, runner)}
        a, b = (embed_picture(_bytes(image), loaded)[backbone.name] for image in (image_a, image_b))
        return self.judge(float(similarity(a, b)))

    def judge(self, score: float) -> Decision:
        """What the policy says of a pair with this score."""
        same = is_match(score, self.threshold)
        probability = float(self._calibration(score, float(self.content["chosen"]["base_rate"])))
        answer: Answer = "same" if same else "different"
        band = self.content.get("review")
        if band is not None:
            certain = is_match(score, band["accept"]) or not is_match(score, band["reject"])
            answer = ("same" if is_match(score, band["accept"]) else "different") if certain else "review"
        return Decision(same, score, self.threshold, probability, answer)

    def _model(self) -> tuple[Backbone, Runner]:
        if not self._loaded:
            backbone = self._backbone()
            self._loaded["model"] = backbone, self.load_runner(backbone)
        return self._loaded["model"]

    def _backbone(self) -> Backbone:
        wanted = self.content["model"]
        name = wanted["name"]
        backbone = available().get(name)
        if backbone is None:
            spec = all_specs().get(name)
            reason = missing_reason(spec) if spec else "No model of this name is known here."
            raise LikenessError(f"The policy was made with {name}, which cannot run here. {reason}")
        if backbone.fingerprint != wanted["fingerprint"]:
            here = {"weights_sha256": backbone.weights.sha256, **backbone.spec.identity}
            differing = [key for key, value in here.items() if json.loads(json.dumps(value)) != wanted.get(key)]
            raise LikenessError(
                f"The policy was made with another {name}: its {' and '.join(differing) or 'fingerprint'} differ from "
                "those here, so its threshold means nothing for this one. Get the same weights, or choose anew."
            )
        return backbone


def _is_whole(content: dict[str, Any]) -> bool:
    """Whether all that a decision is made from is there."""
    model, chosen, band = (content.get(key) for key in ("model", "chosen", "review"))
    try:
        from_json(content.get("calibration"))
        checked_share(chosen["base_rate"] if isinstance(chosen, dict) and _is_number(chosen.get("base_rate")) else 0)
    except LikenessError:
        return False
    named = isinstance(model, dict) and all(isinstance(model.get(key), str) for key in ("name", "fingerprint"))
    limits = band is None or (isinstance(band, dict) and all(_is_number(band.get(k)) for k in ("reject", "accept")))
    return named and limits and _is_number(content.get("threshold")) and content.get("score") == "cosine"


def _is_number(given: object) -> bool:
    return isinstance(given, (int, float)) and not isinstance(given, bool) and math.isfinite(given)


def _bytes(image: str | Path | bytes) -> bytes:
    if isinstance(image, bytes):
        return image
    try:
        return Path(image).read_bytes()
    except OSError as error:
        raise LikenessError(f"{image} cannot be read: {error.strerror or error}.") from error
