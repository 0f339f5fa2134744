"""Reading state dicts from files, without ever running what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from core.errors import LikenessError

# Training scripts wrap the tensors in one of these.
_WRAPPERS = ("state_dict", "model_state_dict", "model")
# The classifier of a checkpoint is not needed for features, and a fine-tuned one has another size.
_HEADS = ("fc.", "_fc.", "classifier.", "head.", "heads.")


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a ``.safetensors`` or ``.pth`` file by name.

    Raises:
        LikenessError: the file is damaged, or holds something other than tensors.
    """
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises unpickling, zip, key and runtime errors on damaged files
        raise LikenessError(f"{path} cannot be read as weights: {' '.join(str(error).split())[:200]}") from error
    state = next(
        (state[key] for key in _WRAPPERS if isinstance(state, dict) and isinstance(state.get(key), dict)), state
    )
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise LikenessError(f"{path} holds no state dict (names with tensors). Save model.state_dict() instead.")
    return {str(name).removeprefix("module."): tensor for name, tensor in state.items()}


def holds_head(state: Mapping[str, torch.Tensor], classes: int) -> bool:
    """Whether a state dict has a classifier for this many classes."""
    return any(
        name.startswith(_HEADS) and name.endswith("weight") and tensor.shape[:1] == (classes,)
        for name, tensor in state.items()
    )


def load_features(features: nn.Module, state: Mapping[str, torch.Tensor], what: str) -> None:
    """Load a whole network's state dict into its features, leaving out the classifier.

    Args:
        features: the network, whole or with its classifier already taken off.
        state: names and tensors.
        what: file and architecture, for the message.

    Raises:
        LikenessError: tensors are missing, left over, or of another shape.
    """
    wanted = features.state_dict()
    missing = [name for name in wanted if name not in state and not name.endswith("num_batches_tracked")]
    extra = [name for name in state if name not in wanted and not name.startswith(_HEADS)]
    shapes = [name for name in wanted if name in state and wanted[name].shape != state[name].shape]
    for names, verdict in ((missing, "missing"), (extra, "unknown"), (shapes, "of another shape")):
        if names:
            raise LikenessError(f"{what}: {len(names)} of {len(wanted)} tensors are {verdict}, such as {names[0]}.")
    features.load_state_dict({name: state[name] for name in wanted if name in state}, strict=False)
