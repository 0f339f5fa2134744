"""What training makes smaller: cross-entropy over classes, over pairs, or a loss of metric learning.

An objective takes vectors of unit length and the class of each, and gives one number; lower is better.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from core.training.settings import Settings

# Cosines lie within [-1, 1]: times this they can become probabilities near 0 and 1.
_SCALE = 16.0
_HIDDEN = 64
_TEMPERATURE = 0.1


class CrossEntropy(nn.Module):
    """Cross-entropy over the classes, by the cosine to one vector a class (NormFace: Wang et al., arXiv 1704.06369).

    What is trained is what will be used: the cosine.

    Args:
        classes: how many.
        dim: length of the vectors.
        smoothing: share of the target laid evenly over all classes (Szegedy et al., arXiv 1512.00567).
    """

    def __init__(self, classes: int, dim: int, smoothing: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, dim))
        self._smoothing = smoothing

    def start(self, vectors: torch.Tensor, codes: torch.Tensor) -> None:
        """Begin with the mean of each class, from vectors ``(n, dim)`` and their classes ``(n,)``."""
        with torch.no_grad():
            for code in range(len(self.weight)):
                self.weight[code] = vectors[codes == code].mean(0)

    def forward(self, vectors: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        logits = _SCALE * vectors @ nn.functional.normalize(self.weight, dim=1).T
        return nn.functional.cross_entropy(logits, codes, label_smoothing=self._smoothing)


class PairHead(nn.Module):
    """Whether two images are of one class, from |a - b| and a * b of their vectors; a and b may change places.

    Both are scaled so that their size does not hang on the vectors' length.

    Args:
        dim: length of the vectors.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self._dim = dim
        self.layers = nn.Sequential(nn.Linear(2 * dim, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, 1))

    def logits(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Log-odds of one class ``(n,)``, of vectors ``(n, dim)``."""
        parts = math.sqrt(self._dim) * (a - b).abs(), self._dim * a * b
        found: torch.Tensor = self.layers(torch.cat(parts, dim=1))[:, 0]
        return found

    def forward(self, vectors: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Binary cross-entropy of pairs: the first half of the vectors against the second half."""
        (a, b), (one, other) = vectors.chunk(2), codes.chunk(2)
        return nn.functional.binary_cross_entropy_with_logits(self.logits(a, b), (one == other).to(vectors.dtype))


class MetricLoss(nn.Module):
    """A loss of pytorch-metric-learning over the batch, with its miner.

    Triplets: FaceNet (Schroff et al., arXiv 1503.03832); hard ones as in Hermans et al. (arXiv 1703.07737); supervised
    contrastive: Khosla et al. (arXiv 2004.11362); multi-similarity: Wang et al. (arXiv 1904.06627).
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        from pytorch_metric_learning import losses, miners

        self._loss: Any
        self._miner: Any = None
        if settings.loss == "supcon":
            self._loss = losses.SupConLoss(_TEMPERATURE)
        elif settings.loss == "multi_similarity":
            self._loss, self._miner = losses.MultiSimilarityLoss(), miners.MultiSimilarityMiner()
        elif settings.mining == "random":
            self._loss = losses.TripletMarginLoss(settings.margin, triplets_per_anchor=1)
        else:
            self._loss = losses.TripletMarginLoss(settings.margin)
            self._miner = miners.BatchHardMiner()
            if settings.mining == "semihard":
                self._miner = miners.TripletMarginMiner(settings.margin, "semihard")

    def forward(self, vectors: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        chosen = None if self._miner is None else self._miner(vectors, codes)
        found: torch.Tensor = self._loss(vectors, codes, chosen)
        return found


Objective = CrossEntropy | PairHead | MetricLoss


def make(settings: Settings, classes: int, dim: int) -> Objective:
    """The objective of some settings, for vectors of ``dim``."""
    if settings.objective == "finetune":
        return CrossEntropy(classes, dim, settings.label_smoothing)
    return PairHead(dim) if settings.objective == "siamese" else MetricLoss(settings)
