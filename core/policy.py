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
from pathlib import Path
from typing import Any

from core.backbones import Backbone, Runner, all_specs, available, missing_reason
from core.embed import embed_picture
from core.errors import LikenessError
from core.metrics.grid import similarity, threshold_bin, to_bins
from core.records import Dataset
from core.thresholds import Choice, Objective, Outcome

SCHEMA = 1
KIND = "likeness policy"
_LIBRARIES = ("numpy", "onnxruntime", "pillow", "torch")


@dataclass(frozen=True)
class Decision:
    """What a policy says of two images; ``score`` is their cosine, ``same`` whether it reaches ``threshold``."""

    same: bool
    score: float
    threshold: float


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
    def of(
        cls, dataset: Dataset, backbone: Backbone, objective: Objective, base_rate: float, choice: Choice,
        val: Outcome, test: Outcome, threshold: float | None = None,
    ) -> Policy:  # fmt: skip
        """The policy of a choice on a dataset's validation images; ``threshold`` if it was then set by hand."""
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
            "threshold": choice.threshold if threshold is None else threshold,
            "chosen": {
                "objective": str(objective), "threshold": choice.threshold, "ci": [choice.low, choice.high],
                "base_rate": base_rate, "cost_false_match": objective.cost_fp,
                "cost_false_non_match": objective.cost_fn,
            },
            "val": val.as_json(),
            "test": test.as_json(),
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
        model, threshold = content.get("model"), content.get("threshold")
        whole = isinstance(model, dict) and all(isinstance(model.get(key), str) for key in ("name", "fingerprint"))
        number = isinstance(threshold, (int, float)) and not isinstance(threshold, bool) and math.isfinite(threshold)
        if not whole or not number or content.get("score") != "cosine":
            raise LikenessError(
                f"{source} is a damaged policy: its model, score or threshold is missing. Export it again."
            )
        return cls(content)

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
        score = float(similarity(a, b))
        return Decision(is_match(score, self.threshold), score, self.threshold)

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


def _bytes(image: str | Path | bytes) -> bytes:
    if isinstance(image, bytes):
        return image
    try:
        return Path(image).read_bytes()
    except OSError as error:
        raise LikenessError(f"{image} cannot be read: {error.strerror or error}.") from error
