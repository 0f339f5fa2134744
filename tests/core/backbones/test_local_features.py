from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from core.backbones import BACKBONES, Backbone, BackboneSpec, WeightsFile, available, weights
from core.backbones.local_features import LocalRunner
from core.backbones.runtime import build_module
from core.backbones.vision import import_torchvision
from tests.core.backbones.conftest import Save, normalised, pictures, random_network, unit
from tests.core.backbones.test_torchvision import penultimate
from tests.core.backbones.test_transformers import NAMES, tiny

TORCHVISION = [spec.name for spec in BACKBONES.values() if spec.source == "torchvision"]
BUNDLED = [spec.name for spec in BACKBONES.values() if spec.source == "bundled"]


def small(spec: BackboneSpec) -> BackboneSpec:
    """The record with a smaller input, which is faster and still leaves a map of several places."""
    return replace(spec, preprocessing=replace(spec.preprocessing, resize=96, crop=96))


def features(spec: BackboneSpec, file: WeightsFile, own: np.ndarray, averages: bool) -> tuple[np.ndarray, np.ndarray]:
    """Local features and vector of random pixels, after comparing the vector with the model's own unit vector."""
    run = LocalRunner(spec, file)
    local, vector = run(pictures(spec, 1)[0])
    assert run.averages == averages
    assert local.dtype == vector.dtype == np.float32
    assert local.shape[2:] == vector.shape == (spec.dim,)
    assert own @ vector / np.linalg.norm(vector) >= 0.99999
    if averages:
        np.testing.assert_allclose(local.mean((0, 1)), vector, atol=1e-5 * np.abs(vector).max())
    return local, vector


def own_vector(spec: BackboneSpec, file: WeightsFile) -> np.ndarray:
    """The model's vector of the same pixels, with nothing watching."""
    with torch.inference_mode():
        return build_module(spec, file)(torch.from_numpy(pictures(spec, 1))).numpy()[0]


def last_map(name: str, network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """What each torchvision family averages, by running its parts in order."""
    if name.startswith("resnet"):
        return nn.Sequential(*list(network.children())[:-2])(images)
    if name.startswith("shufflenet"):
        return nn.Sequential(*list(network.children())[:-1])(images)
    if name.startswith("swin"):
        return network.permute(network.norm(network.features(images)))
    return network.features(images)


def random_features(name: str, save: Save) -> tuple[np.ndarray, np.ndarray, nn.Module]:
    """Local features of a random network and the map that it averages, both ``(rows, columns, dim)``."""
    spec, network = small(BACKBONES[name]), random_network(name)
    for norm in network.modules():
        if isinstance(norm, nn.LayerNorm):
            nn.init.uniform_(norm.weight, 0.5, 2)
            nn.init.normal_(norm.bias)
    images = normalised(spec, pictures(spec, 1))
    [own] = unit(penultimate(name, network, images))
    local, _ = features(spec, WeightsFile(save(f"{name}.pth", network.state_dict()), "0" * 64), own, averages=True)
    with torch.inference_mode():
        averaged = last_map(name, network, images)[0].movedim(0, 2).numpy()
    assert min(local.shape[:2]) >= 3
    return local, averaged, network


@pytest.mark.parametrize("name", [name for name in TORCHVISION if name not in ("convnext_tiny", "resnet50")])
def test_the_vector_is_the_mean_of_the_map_that_the_network_averages(name, save):
    local, averaged, _ = random_features(name, save)
    np.testing.assert_allclose(local, averaged, atol=2e-4 * np.abs(averaged).max())


def test_a_layer_norm_after_the_mean_is_taken_into_each_region_with_the_deviation_of_the_mean(save):
    local, averaged, network = random_features("convnext_tiny", save)
    norm = network.classifier[0]
    weight, bias = norm.weight.detach().numpy(), norm.bias.detach().numpy()
    deviation = np.sqrt(averaged.mean((0, 1)).var() + norm.eps)
    for row, column in np.ndindex(local.shape[:2]):
        centred = averaged[row, column] - averaged[row, column].mean()
        np.testing.assert_allclose(local[row, column], centred / deviation * weight + bias, atol=2e-3)


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_networks_too(name):
    spec = BACKBONES[name]
    if (file := weights.find(spec)) is None:
        pytest.skip(f"the package {spec.origin} is not installed")
    local, _ = features(spec, file, own_vector(spec, file), averages=True)
    assert min(local.shape[:2]) >= 7


def test_a_fine_tuned_checkpoint_too(save, squeezenet_state, weights_dir):
    save("tuned.pth", {**squeezenet_state, "classifier.1.weight": torch.zeros(7, 512, 1, 1)})
    (weights_dir / "tuned.json").write_text(json.dumps({"schema": 1, "base": "squeezenet1_1"}))
    tuned = available()["tuned"]
    features(tuned.spec, tuned.weights, own_vector(tuned.spec, tuned.weights), averages=True)


def tokens(name: str, model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """The class token and the patches in the space of the model's vector, from the published network."""
    if name == "vit_b16":
        return model.vit(images).last_hidden_state
    if name == "dinov2_small":
        return model(images).last_hidden_state
    return model.visual_projection(model.vision_model.post_layernorm(model.vision_model(images).last_hidden_state))


@pytest.mark.parametrize("name", NAMES)
def test_a_transformer_gives_its_class_token_and_its_patches_row_by_row(name, weights_dir):
    import_torchvision()
    import transformers

    model, spec = tiny(transformers, name)
    model.save_pretrained(weights_dir / name)
    file = weights.find(spec)
    local, vector = features(spec, file, own_vector(spec, file), averages=False)
    with torch.inference_mode():
        expected = tokens(name, model, normalised(spec, pictures(spec, 1)))[0].numpy()
    assert local.shape == (4, 4, spec.dim)
    np.testing.assert_allclose(vector, expected[0], atol=2e-5)
    for row, column in np.ndindex(4, 4):
        np.testing.assert_allclose(local[row, column], expected[1 + 4 * row + column], atol=2e-5)


@pytest.fixture
def squeezenet(save, squeezenet_state) -> Backbone:
    file = WeightsFile(save("squeezenet1_1.pth", squeezenet_state), "0" * 64)
    return Backbone(small(BACKBONES["squeezenet1_1"]), file)


def test_many_threads_get_the_features_of_their_own_image(squeezenet):
    run = LocalRunner(squeezenet.spec, squeezenet.weights)
    images = pictures(squeezenet.spec, 8)
    alone = [run(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        for (local, vector), (expected, its_vector) in zip(pool.map(run, images), alone, strict=True):
            np.testing.assert_allclose(local, expected, atol=1e-5)
            np.testing.assert_allclose(vector, its_vector, atol=1e-5)
    assert np.abs(alone[0][1] - alone[1][1]).max() > 1e-3


def test_features_stay_as_they_are_when_the_next_image_comes(squeezenet):
    run = LocalRunner(squeezenet.spec, squeezenet.weights)
    one, other = pictures(squeezenet.spec, 2)
    local, vector = run(one)
    kept = local.copy(), vector.copy()
    run(other)
    np.testing.assert_array_equal(local, kept[0])
    np.testing.assert_array_equal(vector, kept[1])
