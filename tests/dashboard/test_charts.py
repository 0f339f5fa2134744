from __future__ import annotations

from core.backbones import BACKBONES
from core.palette import colour
from dashboard.charts import ModelPoint, accuracy_against_latency, class_counts


def test_every_model_has_its_own_colour_and_keeps_it() -> None:
    colours = [colour(name) for name in BACKBONES]
    assert len(set(colours)) == len(BACKBONES)
    assert colour("a checkpoint") == colour("a checkpoint")


def test_bubbles_stand_where_the_numbers_are_and_grow_with_size() -> None:
    small = ModelPoint("squeezenet1_1", 0.87, 0.85, 0.90, 6.0, 5.0)
    large = ModelPoint("efficientnet_lite2", 0.96, 0.95, 0.98, 18.0, 25.0)
    figure = accuracy_against_latency([small, large], "P@5")
    first, second = figure.data
    assert (first.x, first.y) == ((6.0,), (0.87,))
    assert abs(first.error_y.arrayminus[0] - 0.02) < 1e-9
    assert second.marker.size > first.marker.size


def test_class_counts_are_stacked_in_the_order_of_the_classes() -> None:
    figure = class_counts(["a", "b"], {"train": [3, 4], "val": [1, 0], "test": [0, 2]})
    assert [bar.name for bar in figure.data] == ["train", "val", "test"]
    assert figure.data[0].x == (3, 4)
    assert list(figure.layout.yaxis.ticktext) == ["a", "b"]
