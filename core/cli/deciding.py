"""Who decides about images that are given on the command line: options that ``compare`` and ``triplet`` share."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.cli import options as shared
from core.compare import deciding_model
from core.embed import embed_picture
from core.errors import LikenessError, UnreadableImage
from core.judges import Judge, judge
from core.models import Model
from core.policy import Policy
from core.progress import Progress
from core.store import EmbeddingStore


def add_images(parser: argparse.ArgumentParser, letters: str) -> None:
    """An image file for each letter, in ``options.images``."""
    for letter in letters:
        parser.add_argument("images", metavar=letter, action="append", help="an image file")


def add_deciding(parser: argparse.ArgumentParser) -> None:
    """Dataset and models, or a policy."""
    shared.add_dataset(parser)
    shared.add_models(parser, "every one that has embedded the dataset; several are added up to the default fusion")
    parser.add_argument(
        "--policy", metavar="FILE", help="decide as this policy says, instead of by a threshold of the dataset"
    )


def deciders(options: argparse.Namespace, store: EmbeddingStore, progress: Progress) -> list[Judge | Policy]:
    """Who decides, and after it each of several models on its own.

    A policy decides alone, and so does one model or one fusion. Several models are added up to the default fusion.

    Raises:
        LikenessError: the policy or the dataset cannot be used, models come with a policy, or none can decide.
    """
    if options.policy is not None:
        if options.models or options.dataset:
            raise LikenessError("A policy names its model and its threshold. Leave --models and --dataset out.")
        return [Policy.load(options.policy)]
    dataset = shared.load(options, store, progress)
    models = shared.embedded_models(options, dataset, store)
    decider = deciding_model(dataset, models, store)
    others = models if len(models) > 1 else []
    return [judge(dataset, model, store) for model in (decider, *others)]


def vectors_of(paths: Sequence[str], models: Iterable[Model]) -> list[dict[str, NDArray[np.float32]]]:
    """The vectors of image files, by the name of each network that the models need.

    Raises:
        LikenessError: a file cannot be read or is no usable image; the message names it.
    """
    data = [read(path) for path in paths]
    needed = {network.name: network for model in models for network in model.networks}
    loaded = {name: (network.spec.preprocessing, network.load()) for name, network in needed.items()}
    found = []
    for path, image in zip(paths, data, strict=True):
        try:
            found.append(embed_picture(image, loaded))
        except UnreadableImage as error:
            raise LikenessError(f"{path} cannot be used: {error}.") from error
    return found


def read(path: str) -> bytes:
    """An image file's bytes; raises LikenessError where it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise LikenessError(f"{path} cannot be read: {error.strerror or error}.") from error
