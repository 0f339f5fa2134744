"""What training starts from."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from core.backbones import BACKBONES
from core.training.network import start_head, trunk_of


@pytest.mark.parametrize("base", ["efficientnet_lite0", "squeezenet1_1"])
def test_random_weights_of_a_checkpoint_are_those_of_its_base(base: str) -> None:
    tuned = replace(BACKBONES[base], name="tuned", source="checkpoint", architecture=base)
    trunk = trunk_of(tuned, None).eval()
    with torch.inference_mode():
        found = trunk(torch.zeros(1, 224, 224, 3, dtype=torch.uint8))
    assert found.shape == (1, BACKBONES[base].dim)


def test_a_head_starts_with_all_that_the_features_hold() -> None:
    torch.manual_seed(0)
    features = torch.randn(20, 6) @ torch.randn(6, 6)
    head = torch.nn.Linear(6, 9)
    start_head(head, features)
    with torch.no_grad():
        found = head(features)
    centred = features - features.mean(0)
    assert torch.allclose(torch.cdist(found, found), torch.cdist(centred, centred), atol=1e-3)
    assert (found[:, 6:] == 0).all()
