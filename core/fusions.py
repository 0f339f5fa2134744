"""Fusions that were saved under a name: one JSON file each in the cache folder."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from core import files
from core.backbones import Backbone, all_specs, available
from core.classify import classifiers
from core.errors import LikenessError
from core.fusion import Fusion, from_json
from core.paths import cache_dir
from core.siamese import pair_scorers

_log = logging.getLogger(__name__)


def save(fusion: Fusion) -> None:
    """Keep a fusion under its name; one of that name is replaced.

    Raises:
        LikenessError: the name is no file name or is a model's, or the disk is full.
    """
    check_name(fusion.name)
    files.write_json(_file(fusion.name), fusion.as_json())


def check_name(name: str) -> None:
    """Raise a LikenessError where a fusion cannot be saved under a name."""
    files.check_name(name)
    if name in all_specs() or name in pair_scorers(available()):
        raise LikenessError(f"{name} is the name of a model. Choose another.")


def remove(name: str) -> None:
    """Forget a fusion; nothing happens where there is none."""
    if files.is_name(name):
        _file(name).unlink(missing_ok=True)


def saved(known: Mapping[str, Backbone] | None = None) -> dict[str, Fusion]:
    """The fusions whose models are all on this machine, by name. Others are warned about and left out.

    Args:
        known: backbones and classifiers by name; None for those of this machine.
    """
    paths = sorted(_folder().glob("*.json"))
    if not paths:
        return {}
    models = known_networks() if known is None else known
    found = {}
    for path in paths:
        try:
            fusion = from_json(files.read_json(path), models)
        except LikenessError as error:
            _log.warning("The fusion %s is left out: %s", path.stem, error)
            continue
        found[fusion.name] = fusion
    return found


def known_networks() -> dict[str, Backbone]:
    """The backbones and classifiers whose weights are on this machine, by name."""
    return {**available(), **{one.name: one for one in classifiers()}}


def _folder() -> Path:
    return cache_dir() / "fusions"


def _file(name: str) -> Path:
    return _folder() / f"{name}.json"
