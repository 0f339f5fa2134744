"""What scores pairs of images: one backbone, or a fusion of several. Both have a name, a fingerprint and a spec."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.backbones import Backbone
from core.fusion import Fusion
from core.metrics.grid import similarity

Model = Backbone | Fusion


def networks(model: Model) -> tuple[Backbone, ...]:
    """What has to be run on an image before the model can score it."""
    return model.networks if isinstance(model, Fusion) else (model,)


def score(model: Model, a: Mapping[str, NDArray[np.float32]], b: Mapping[str, NDArray[np.float32]]) -> float:
    """The similarity of two images from their vectors, by network name; higher is more alike."""
    if isinstance(model, Fusion):
        return sum(model.contributions(a, b).values())
    return float(similarity(a[model.name], b[model.name]))
