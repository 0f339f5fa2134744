"""How long a training will take at most: as a run of the same kind took, else by the model's latency."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from core.training.runs import Run
from core.training.settings import Settings

# Measured with MobileNetV2 and EfficientNet-Lite0 on two cores, batches of 32: decoding, forward, backward and update
# take eleven times as long on one core as the exported network takes for one image. Validation only looks at images.
_STEP, _LOOK = 11.0, 1 / 3
# A head on stored vectors knows no pictures: 0.15 seconds an epoch for 2,000 images, on any model.
_FAST_S = 0.15 / 2000
# Loading the libraries, preparing the images and judging the result.
_AROUND_S = 10.0


def estimate(
    settings: Settings, train: int, val: int, images: int, latency_ms: float, cores: int, past: Sequence[Run] = ()
) -> float:
    """Seconds until the new model is ready, if no epoch is spared.

    Args:
        settings: of the training.
        train: training images.
        val: validation images; after every epoch both kinds are embedded.
        images: of the whole dataset; the new model embeds them all.
        latency_ms: of the start model, as :func:`core.latency.measure` tells it.
        cores: how many the machine has.
        past: earlier runs, the last one first; the first of the same model, objective and kind tells more than latency.
    """
    image_s = latency_ms / 1000 / cores
    pace = next((pace for run in past if _alike(run.settings, settings) and (pace := _pace(run))), None)
    seen = train * (2 if settings.objective == "siamese" else 1)  # as many pairs as images
    if pace is not None:
        epoch_s = (train + val) * pace
    elif settings.fast:
        epoch_s = seen * _FAST_S
    else:
        epoch_s = (seen + (train + val) * _LOOK) * _STEP * image_s
    return settings.epochs * epoch_s + images * image_s + _AROUND_S


def _alike(one: Settings, other: Settings) -> bool:
    return (one.model, one.objective, one.fast) == (other.model, other.objective, other.fast)


def _pace(run: Run) -> float | None:
    """Seconds an epoch for each image, of epochs that train all there is to train; None before the first."""
    whole = [epoch.seconds for epoch in run.history if epoch.number > run.settings.frozen_epochs]
    return median(whole) / (run.counts.train + run.counts.val) if whole else None
