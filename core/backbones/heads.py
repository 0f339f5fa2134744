"""What a network's own classifier says, as vectors of unit length.

Probabilities add up to one, so their square roots have length one: such a vector is stored, exported and compared as
any other. Squared it gives the probabilities back, and the inner product of two is the Bhattacharyya coefficient of
their distributions (Bhattacharyya, 1943): 1 where they are the same, 0 where they share no class.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


class Classes(nn.Module):
    """Square roots of class probabilities.

    Input: float ``(n, 3, h, w)``. Output: float ``(n, classes)``.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.network(images)
        return logits.softmax(1).sqrt()


class Places(nn.Module):
    """Square roots of the joint distribution of class and place, for a linear head on a global average pool.

    Such a head may be applied at every place of the last feature map: the mean over places is the network's output, so
    each place has its share in each class (class activation maps: Zhou et al., CVPR 2016, arXiv 1512.04150). A class's
    probability is laid out over the places that speak for it. Summed over places, this is what the network says of
    classes; summed over classes, it is where the network looks.

    Input: float ``(n, 3, h, w)``. Output: float ``(n, classes * rows * columns)``, classes first.
    """

    def __init__(
        self, network: nn.Module, feature_map: Callable[[torch.Tensor], torch.Tensor], head: nn.Linear
    ) -> None:
        super().__init__()
        self.network = network  # holds the parameters of the two below
        self.feature_map = feature_map
        self.head = head

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        evidence = self.head(self.feature_map(images).movedim(1, 3)).movedim(3, 1)
        classes = evidence.mean((2, 3)).softmax(1)
        share = evidence.clamp(min=0) + 1e-6  # where nothing speaks for a class, every place has the same share
        share = share / share.sum((2, 3), keepdim=True)
        joint: torch.Tensor = (classes[:, :, None, None] * share).sqrt()
        return joint.flatten(1)
