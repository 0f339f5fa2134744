"""The losses against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.training.objectives import CrossEntropy, PairHead, make
from core.training.settings import choose


def _unit(n: int, dim: int, seed: int = 0) -> torch.Tensor:
    found = torch.from_numpy(np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32))
    return torch.nn.functional.normalize(found, dim=1)


def test_cross_entropy_is_that_of_scaled_cosines() -> None:
    torch.manual_seed(0)
    loss, vectors, codes = CrossEntropy(3, 5, 0.1), _unit(8, 5), torch.tensor([0, 1, 2, 0, 1, 2, 0, 0])
    expected = 0.0
    with torch.no_grad():
        for vector, code in zip(vectors, codes.tolist(), strict=True):
            logits = torch.stack([16 * vector @ (row / row.norm()) for row in loss.weight])
            target = [0.1 / 3 + 0.9 * (place == code) for place in range(3)]
            expected -= sum(share * float(one) for share, one in zip(target, logits.log_softmax(0), strict=True)) / 8
        assert float(loss(vectors, codes)) == pytest.approx(expected, rel=1e-5)


def test_cross_entropy_starts_from_the_means_of_the_classes() -> None:
    loss, vectors, codes = CrossEntropy(2, 4, 0.0), _unit(6, 4), torch.tensor([0, 0, 1, 1, 1, 0])
    loss.start(vectors, codes)
    assert torch.allclose(loss.weight[1], vectors[2:5].mean(0))


def test_a_pair_is_the_same_both_ways_round_and_follows_the_formula() -> None:
    torch.manual_seed(1)
    head, a, b = PairHead(6), _unit(4, 6, 1), _unit(4, 6, 2)
    first, last = head.layers[0], head.layers[2]
    with torch.no_grad():
        assert torch.allclose(head.logits(a, b), head.logits(b, a), atol=1e-6)
        for i in range(4):
            x = torch.cat([6**0.5 * (a[i] - b[i]).abs(), 6 * a[i] * b[i]])
            logit = last.weight[0] @ (first.weight @ x + first.bias).clamp(min=0) + last.bias[0]
            assert float(head.logits(a, b)[i]) == pytest.approx(float(logit), abs=1e-5)


def test_pairs_are_judged_first_half_against_second_half() -> None:
    torch.manual_seed(2)
    head, vectors = PairHead(6), _unit(8, 6)
    codes = torch.tensor([0, 0, 1, 1, 0, 1, 1, 0])
    with torch.no_grad():
        chances = head.logits(vectors[:4], vectors[4:]).sigmoid()
        same = [True, False, True, False]
        expected = -np.mean([np.log(float(p if one else 1 - p)) for p, one in zip(chances, same, strict=True)])
        assert float(head(vectors, codes)) == pytest.approx(expected, rel=1e-5)


def _triplets(vectors: torch.Tensor, codes: torch.Tensor, margin: float, mining: str) -> float:
    """Mean loss over the triplets that are mined and have one, found by trying all."""
    far = torch.cdist(vectors, vectors)
    items = range(len(codes))
    found = []
    for a in items:
        positives = [p for p in items if p != a and codes[p] == codes[a]]
        negatives = [n for n in items if codes[n] != codes[a]]
        if mining == "hard" and positives and negatives:
            found.append((max(float(far[a, p]) for p in positives), min(float(far[a, n]) for n in negatives)))
        elif mining == "semihard":
            pairs = [(float(far[a, p]), float(far[a, n])) for p in positives for n in negatives]
            found += [(p, n) for p, n in pairs if p < n < p + margin]
    losses = [max(0.0, p - n + margin) for p, n in found]
    return float(np.mean([loss for loss in losses if loss > 0]))


@pytest.mark.parametrize("mining", ["semihard", "hard"])
def test_triplets_are_mined_as_their_name_says(mining: str) -> None:
    vectors, codes = _unit(12, 8, 5), torch.tensor([0, 1, 2] * 4)
    loss = make(choose("triplet", "m", mining=mining, margin=0.3), 3, 8)
    assert float(loss(vectors, codes)) == pytest.approx(_triplets(vectors, codes, 0.3, mining), rel=1e-4)


@pytest.mark.parametrize("given", [{"mining": "random"}, {"loss": "supcon"}, {"loss": "multi_similarity"}])
def test_every_loss_prefers_classes_that_lie_apart(given: dict[str, str]) -> None:
    loss = make(choose("triplet", "m", **given), 2, 4)
    codes = torch.tensor([0, 0, 0, 1, 1, 1])
    apart = torch.eye(4)[codes] + 0.01 * _unit(6, 4)
    mixed = torch.eye(4)[torch.tensor([0, 1, 0, 1, 0, 1])] + 0.01 * _unit(6, 4)
    good, bad = (float(loss(torch.nn.functional.normalize(one, dim=1), codes)) for one in (apart, mixed))
    assert good < bad
