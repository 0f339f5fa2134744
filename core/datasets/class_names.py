"""English names for datasets that are shipped with others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# Imagenette's folders are WordNet ids (https://github.com/fastai/imagenette).
IMAGENETTE = {
    "n01440764": "tench",
    "n02102040": "English springer",
    "n02979186": "cassette player",
    "n03000684": "chain saw",
    "n03028079": "church",
    "n03394916": "French horn",
    "n03417042": "garbage truck",
    "n03425413": "gas pump",
    "n03445777": "golf ball",
    "n03888257": "parachute",
}
# Animals-10's folders are Italian; its own translate.py has these.
ANIMALS10 = {
    "cane": "dog",
    "cavallo": "horse",
    "elefante": "elephant",
    "farfalla": "butterfly",
    "gallina": "chicken",
    "gatto": "cat",
    "mucca": "cow",
    "pecora": "sheep",
    "ragno": "spider",
    "scoiattolo": "squirrel",
}


def english_names(labels: Iterable[str]) -> Mapping[str, str]:
    """What to call each class, for a source all of whose classes belong to one of the vocabularies above; else empty.

    A user's own copy of these datasets is recognised this way too.
    """
    classes = set(labels)
    for vocabulary in (IMAGENETTE, ANIMALS10):
        if classes <= vocabulary.keys():
            return vocabulary
    return {}
