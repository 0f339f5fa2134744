"""Searching by words: the text tower of an image-and-text model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.backbones import Backbone
from core.backbones.vision import import_torchvision
from core.errors import LikenessError

_NEEDED = ("config.json", "tokenizer_config.json")


def has_words(backbone: Backbone) -> bool:
    """Whether a model was trained on images with text and its tokenizer lies beside its weights."""
    return backbone.spec.family == "CLIP" and all((backbone.weights.path.parent / n).is_file() for n in _NEEDED)


class TextEncoder:
    """Turns words into vectors of the same space as the model's image vectors.

    Raises:
        LikenessError: the model has no text tower, or its tokenizer is not beside its weights.
    """

    def __init__(self, backbone: Backbone) -> None:
        if not has_words(backbone):
            raise LikenessError(
                f"{backbone.name} cannot search by words here: it needs {' and '.join(_NEEDED)} and the vocabulary of "
                f"{backbone.spec.origin} beside {backbone.weights.path.name}."
            )
        import_torchvision()  # transformers looks for it
        import transformers

        folder = backbone.weights.path.parent
        try:
            self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model: Any = transformers.CLIPTextModelWithProjection.from_pretrained(folder, local_files_only=True)
        except Exception as error:  # each missing or damaged file raises its own kind
            reason = " ".join(str(error).split())[:200]
            raise LikenessError(f"{backbone.name} cannot search by words: {folder} is incomplete ({reason})") from error
        self._model = model.float().eval()

    def __call__(self, words: str) -> NDArray[np.float32]:
        """The unit vector of a phrase, float32 ``(dim,)``."""
        import torch

        with torch.inference_mode():
            tokens = self._tokenizer([words], return_tensors="pt", truncation=True)
            vector = torch.nn.functional.normalize(self._model(**tokens).text_embeds, dim=1)
        return np.asarray(vector[0].numpy(), np.float32)
