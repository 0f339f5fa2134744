"""The datasets that have a name. Adding one is adding a record here, and its module."""

from __future__ import annotations

from core.datasets import animals10, demo, fashion, imagenette
from core.datasets.spec import DatasetSpec

_RECORDS = (
    DatasetSpec(
        name="demo",
        title="OpenMoji drawings",
        description="About 950 drawn emoji in 20 classes, rendered on this machine; needs no download",
        licence="CC BY-SA 4.0",
        attribution="All emojis designed by OpenMoji – the open-source emoji and icon project. License: CC BY-SA 4.0",  # noqa: RUF001 - their wording
        available=demo.available,
        how_to_get=demo.how_to_get,
        prepare=demo.prepare,
    ),
    DatasetSpec(
        name="imagenette",
        title=imagenette.TITLE,
        description="13,394 ImageNet photographs in 10 easily told classes, 160 pixels on the short side",
        licence="Apache 2.0 (the collection); the photographs are ImageNet's",
        attribution="Imagenette by fast.ai, a subset of ImageNet",
        available=imagenette.available,
        how_to_get=imagenette.how_to_get,
        prepare=imagenette.prepare,
    ),
    DatasetSpec(
        name="fashion",
        title=fashion.TITLE,
        description="44,072 product photographs of 60 x 80 pixels in 45 sub-categories, very unequal in size",
        licence="MIT, as stated on Kaggle",
        attribution="Fashion Product Images by Param Aggarwal (Kaggle)",
        available=fashion.available,
        how_to_get=fashion.how_to_get,
        prepare=fashion.prepare,
    ),
    DatasetSpec(
        name="animals10",
        title=animals10.TITLE,
        description="26,179 photographs of 10 animals",
        licence="GPL 2, as stated on Kaggle",
        attribution="Animals-10 by Corrado Alessio (Kaggle)",
        available=animals10.available,
        how_to_get=animals10.how_to_get,
        prepare=animals10.prepare,
    ),
)

DATASETS: dict[str, DatasetSpec] = {spec.name: spec for spec in _RECORDS}
