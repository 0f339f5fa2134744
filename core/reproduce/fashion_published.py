"""What the source of the fashion protocol published: two tables of its README, to four decimals."""

from __future__ import annotations

from dataclasses import dataclass

# As in the source: the order of the columns of its table.
FOUR = ("precision_at_5", "retrieval_accuracy", "weighted_precision_at_5", "mrr")
SETTING = (
    "Published for the ten largest of 45 classes of 44,072 images in all, queries from validation, gallery train; "
    "the source does not say how many queries."
)
ASSUMED = "It does not name variants: MobileNetV3 large, SqueezeNet 1.1 and ShuffleNet-V2 x1.0 are assumed."
UNNAMED = "The source numbers its classes and does not name them: which is which of the classes here is not known."


@dataclass(frozen=True)
class Published:
    """One model's figures in the source.

    Attributes:
        name: what the source calls it.
        values: by the names of :data:`FOUR`, which are those of :data:`core.metrics.METRICS`.
        per_class: P@5 of its ten classes, by the source's numbers 0 to 9; it does not say which class is which.
    """

    name: str
    values: dict[str, float]
    per_class: tuple[float, ...]


def _published(name: str, four: tuple[float, ...], *per_class: float) -> Published:
    return Published(name, dict(zip(FOUR, four, strict=True)), per_class)


# By our names of the models, in the source's order.
PUBLISHED: dict[str, Published] = {
    "resnet18": _published(
        "ResNet-18", (0.9651, 0.9778, 0.9651, 0.9848),
        0.9699, 0.9692, 1.0000, 0.9413, 0.8827, 0.9068, 0.7125, 0.9699, 0.9876, 0.9780,
    ),
    "shufflenet_v2_x1_0": _published(
        "ShuffleNet-V2", (0.9666, 0.9796, 0.9666, 0.9862),
        0.9672, 0.9722, 1.0000, 0.9333, 0.8952, 0.9395, 0.7125, 0.9672, 0.9883, 0.9843,
    ),
    "efficientnet_b0": _published(
        "EfficientNet-B0", (0.9695, 0.9794, 0.9695, 0.9865),
        0.9699, 0.9677, 1.0000, 0.9680, 0.9188, 0.9605, 0.7611, 0.9612, 0.9889, 0.9843,
    ),
    "mobilenet_v3_large": _published(
        "MobileNetV3", (0.9701, 0.9805, 0.9700, 0.9867),
        0.9729, 0.9727, 1.0000, 0.9667, 0.9063, 0.9543, 0.7306, 0.9679, 0.9891, 0.9859,
    ),
    "squeezenet1_1": _published(
        "SqueezeNet", (0.9610, 0.9767, 0.9610, 0.9837),
        0.9620, 0.9658, 1.0000, 0.9413, 0.8731, 0.8975, 0.6861, 0.9617, 0.9873, 0.9780,
    ),
    "convnext_tiny": _published(
        "ConvNeXt-Tiny", (0.9739, 0.9816, 0.9739, 0.9873),
        0.9834, 0.9777, 1.0000, 0.9573, 0.9262, 0.9753, 0.8069, 0.9685, 0.9881, 0.9796,
    ),
}  # fmt: skip
