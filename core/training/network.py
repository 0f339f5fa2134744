"""The network in training: a trunk, an embedding head, and what judges its vectors."""

from __future__ import annotations

import torch
from torch import nn

from core.backbones import Backbone
from core.backbones.checkpoint import base_of
from core.backbones.module import Embedder
from core.backbones.projection import PREFIX
from core.backbones.runtime import build_module
from core.backbones.spec import BackboneSpec
from core.training.objectives import Objective, PairHead


class Learner(nn.Module):
    """Inputs to a loss. Inputs are pixels uint8 ``(n, h, w, 3)`` or, without a trunk, features ``(n, d)``.

    Attributes:
        trunk: pixels to features of unit length; None where stored vectors are the input.
        head: a linear map of them; None where the feature itself is trained.
        objective: judges the vectors.
        fixed: whether the trunk's batch norms keep the statistics they came with. Those of a few hundred small batches
            of zoomed pictures are worse than those of its pretraining.
    """

    def __init__(self, trunk: Embedder | None, head: nn.Linear | None, objective: Objective, fixed: bool) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = head
        self.objective = objective
        self.fixed = fixed
        self.frozen = False

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        """What the trunk gives, ``(n, d)``, of unit length."""
        found: torch.Tensor = inputs if self.trunk is None else self.trunk(inputs)
        return found

    def embed(self, inputs: torch.Tensor) -> torch.Tensor:
        """Vectors of unit length, ``(n, dim)``."""
        features = self.features(inputs)
        return features if self.head is None else nn.functional.normalize(self.head(features), dim=1)

    def forward(self, inputs: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.objective(self.embed(inputs), codes)
        return found

    def train(self, mode: bool = True) -> Learner:
        """Training mode; a frozen trunk stays as it is, and so do batch statistics that are fixed."""
        super().train(mode)
        if self.trunk is not None:
            if self.frozen:
                self.trunk.eval()
            for module in self.trunk.modules():
                if self.fixed and isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def freeze(self, frozen: bool) -> None:
        """Leave the trunk out of training, or take it in."""
        self.frozen = frozen
        if self.trunk is not None:
            self.trunk.requires_grad_(not frozen)


def trunk_of(spec: BackboneSpec, parent: Backbone | None) -> Embedder:
    """The network that training starts from; with random weights where there is no parent.

    Raises:
        LikenessError: its weights do not fit.
    """
    if parent is not None:
        module = build_module(parent.spec, parent.weights)
        assert isinstance(module, Embedder)
        return module
    base = base_of(spec)
    if base.source == "bundled":
        from core.backbones.bundled_loader import fresh
    else:
        from core.backbones.torchvision_loader import fresh
    return Embedder(fresh(base), base)


def start_head(head: nn.Linear, features: torch.Tensor) -> None:
    """Begin with the directions in which the training features vary most, so that nothing is lost at first.

    The mean is taken off; directions past the number of features start as zero.

    Args:
        head: to set.
        features: of training images, ``(n, d)``.
    """
    mean = features.mean(0)
    _, _, directions = torch.linalg.svd(features - mean, full_matrices=False)
    directions = directions[: head.out_features]
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
        head.weight[: len(directions)] = directions
        head.bias[: len(directions)] = -(directions @ mean)


def tensors_of(trunk: Embedder, head: nn.Linear | None, objective: Objective) -> dict[str, torch.Tensor]:
    """What goes into the weights file of a trained backbone, under the names that its base's loader reads."""
    features = trunk.features
    inner = next((part for name, part in features.named_children() if name in ("network", "model")), None)
    found = dict((features if inner is None else inner).state_dict())
    if head is not None:
        found |= {PREFIX + name: tensor for name, tensor in head.state_dict().items()}
    if isinstance(objective, PairHead):
        found |= {f"pair_head.{name}": tensor for name, tensor in objective.layers.state_dict().items()}
    return {name: tensor.detach().cpu().clone().contiguous() for name, tensor in found.items()}
