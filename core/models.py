"""What scores pairs of images: one backbone by the cosine, a fusion of several, or the pair head of a siamese network.

Each has a ``name``, a ``fingerprint``, a ``spec``, the ``networks`` that have to be run on an image, ``score`` for two
images from what these give, and ``as_json`` for a file that names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.backbones import Backbone
from core.fusion import Fusion, matching
from core.fusion import from_json as fusion_from_json
from core.siamese import Siamese

Model = Backbone | Fusion | Siamese


@dataclass(frozen=True)
class _Form:
    """How models of a kind stand in a file.

    Attributes:
        kind: their class.
        read: makes the model of what its ``as_json`` gave, with the networks of this machine by name.
        needed: keys that have to be there.
    """

    kind: type[Model]
    read: Callable[[Any, Mapping[str, Backbone]], Model]
    needed: tuple[str, ...]


_FORMS = {
    "cosine": _Form(Backbone, matching, ("name", "fingerprint")),
    "fusion": _Form(Fusion, fusion_from_json, ("name", "components")),
    "pair head": _Form(Siamese, lambda given, known: Siamese(matching(given, known)), ("name", "fingerprint")),
}


def score_kind(model: Model) -> str:
    """What makes a model's scores, as files call it."""
    return next(name for name, form in _FORMS.items() if isinstance(model, form.kind))


def is_whole(kind: object, content: object) -> bool:
    """Whether these may be what :func:`score_kind` and ``as_json`` gave of a model."""
    form = _FORMS.get(str(kind))
    return form is not None and isinstance(content, dict) and all(content.get(key) for key in form.needed)


def from_json(kind: str, content: Any, known: Mapping[str, Backbone]) -> Model:
    """The model that a file speaks of.

    Args:
        kind: what :func:`score_kind` gave.
        content: what its ``as_json`` gave, and :func:`is_whole`.
        known: the backbones and classifiers of this machine by name.

    Raises:
        LikenessError: it is damaged, or a network is not here or is another than the one it was made with.
    """
    return _FORMS[kind].read(content, known)
