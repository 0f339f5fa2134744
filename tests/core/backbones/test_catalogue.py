from __future__ import annotations

import pytest
import torch
from torch import nn

from core.backbones import BACKBONES, Preprocessing
from core.backbones.spec import IMAGENET_MEAN, IMAGENET_STD
from core.backbones.vision import import_torchvision

TORCHVISION = [spec.name for spec in BACKBONES.values() if spec.source == "torchvision"]
HALF = (0.5, 0.5, 0.5)
CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


@pytest.mark.parametrize("name", TORCHVISION)
def test_a_record_says_what_torchvision_says_of_the_same_file(name):
    spec = BACKBONES[name]
    published = import_torchvision().models.get_model_weights(spec.architecture)
    [weights] = [entry for entry in published if entry.url.rsplit("/", 1)[1] == spec.files[0]]
    told = weights.transforms()
    assert spec.origin == weights.url
    assert spec.parameters == weights.meta["num_params"]
    assert spec.size_mb == pytest.approx(weights.meta["_file_size"] * 2**20 / 1e6, rel=0.05)
    assert spec.preprocessing == Preprocessing(
        resize=told.resize_size[0], crop=told.crop_size[0], interpolation=told.interpolation.value,
        mean=tuple(told.mean), std=tuple(told.std),
    )  # fmt: skip
    assert len(spec.sha256) >= 8


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vit_b16", Preprocessing(224, 224, "bilinear", squash=True, mean=HALF, std=HALF)),
        ("dinov2_small", Preprocessing(256, 224, "bicubic", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))),
        ("clip_vit_b32", Preprocessing(224, 224, "bicubic", mean=CLIP_MEAN, std=CLIP_STD)),
        ("efficientnet_lite0", Preprocessing(256, 224, "bicubic", mean=(127 / 255,) * 3, std=(128 / 255,) * 3)),
        ("efficientnet_lite1", Preprocessing(272, 240, "bicubic", mean=(127 / 255,) * 3, std=(128 / 255,) * 3)),
        ("efficientnet_lite2", Preprocessing(292, 260, "bicubic", mean=(127 / 255,) * 3, std=(128 / 255,) * 3)),
    ],
)
def test_preprocessing_is_the_publishers(name, expected):
    assert BACKBONES[name].preprocessing == expected


def test_a_published_transformer_has_the_recorded_size():
    import_torchvision()
    import transformers

    small = transformers.Dinov2Config(hidden_size=384, num_attention_heads=6, image_size=518, patch_size=14)
    vision = {"patch_size": 32}
    with torch.device("meta"):
        clip = transformers.CLIPVisionModelWithProjection(transformers.CLIPVisionConfig(**vision, projection_dim=512))
        built = {
            "vit_b16": transformers.ViTForImageClassification(transformers.ViTConfig(num_labels=1000)),
            "dinov2_small": transformers.Dinov2Model(small),
            "clip_vit_b32": clip,
        }
    assert {name: count(model) for name, model in built.items()} == {name: BACKBONES[name].parameters for name in built}
    assert clip.visual_projection.out_features == BACKBONES["clip_vit_b32"].dim
    assert built["vit_b16"].config.hidden_size == BACKBONES["vit_b16"].dim
    assert built["dinov2_small"].config.hidden_size == BACKBONES["dinov2_small"].dim


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_published_efficientnet_lite_has_the_recorded_size(number):
    from efficientnet_lite_pytorch import EfficientNet

    spec = BACKBONES[f"efficientnet_lite{number}"]
    with torch.device("meta"):
        network = EfficientNet.from_name(spec.architecture)
    assert (count(network), network._fc.in_features) == (spec.parameters, spec.dim)


def count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_every_record_can_be_told_apart_and_is_complete():
    records = list(BACKBONES.values())
    assert len({str(spec.identity) for spec in records}) == len(records)
    for spec in records:
        assert BACKBONES[spec.name] is spec
        assert all((spec.family, spec.layer, spec.pretraining, spec.licence, spec.files, spec.origin, spec.dim > 0))
        assert spec.preprocessing.resize >= spec.preprocessing.crop > 0


def test_models_with_the_same_geometry_share_pixels_whatever_their_colours():
    one, other = BACKBONES["resnet18"].preprocessing, BACKBONES["squeezenet_ndf"].preprocessing
    assert one != other
    assert one.geometry == other.geometry
    assert (one.geometry.mean, one.geometry.std) == (IMAGENET_MEAN, IMAGENET_STD)
