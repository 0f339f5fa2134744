"""An embedding head: what a trained network makes of the feature of the network it started from."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from core.errors import LikenessError

# Names of its tensors in a weights file, beside those of the network.
PREFIX = "embedding_head."


class Projected(nn.Module):
    """A linear map of a network's feature at unit length.

    Input: float ``(n, 3, h, w)``. Output: float ``(n, dim)``.
    """

    def __init__(self, features: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.features = features
        self.head = head

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        projected: torch.Tensor = self.head(nn.functional.normalize(self.features(images).flatten(1), dim=1))
        return projected


def read_head(state: Mapping[str, torch.Tensor], what: str) -> nn.Linear | None:
    """The embedding head among the tensors of a file, or None where there is none.

    Raises:
        LikenessError: its tensors are not those of a linear map.
    """
    found = {name.removeprefix(PREFIX): tensor for name, tensor in state.items() if name.startswith(PREFIX)}
    if not found:
        return None
    weight, bias = found.get("weight"), found.get("bias")
    if (
        set(found) != {"weight", "bias"}
        or weight is None
        or bias is None
        or weight.ndim != 2
        or len(weight) != len(bias)
    ):
        raise LikenessError(f"{what}: its embedding head is damaged ({', '.join(sorted(found))}). Train it again.")
    head = nn.Linear(weight.shape[1], weight.shape[0])
    head.load_state_dict({"weight": weight, "bias": bias})
    return head
