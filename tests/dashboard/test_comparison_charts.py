"""Charts of one pair's score show the very numbers they are given."""

from __future__ import annotations

import pytest

from core.fusion import LABELS
from core.palette import colour
from dashboard import comparison_charts
from tests.core.metrics.pair_data import items, verified


def test_the_parts_are_stacked_up_to_the_score_against_the_threshold() -> None:
    figure = comparison_charts.contributions({"mobilenet_v2": 0.3, "<b>mine</b>": 0.25, LABELS: 0.1}, 0.45)
    assert figure.layout.barmode == "stack"
    assert sum(bar.x[0] for bar in figure.data) == pytest.approx(0.65)
    assert [bar.name for bar in figure.data] == ["mobilenet_v2", "&lt;b&gt;mine&lt;/b&gt;", LABELS]
    assert figure.data[0].marker.color == colour("mobilenet_v2")
    assert [line.x0 for line in figure.layout.shapes] == [0.45]
    assert figure.layout.annotations[0].text == "same from 0.4500"


def test_the_score_is_marked_beside_the_threshold() -> None:
    figure = comparison_charts.placed(verified(*items(40)), 0.4, 0.71)
    assert [bar.name for bar in figure.data] == ["different class", "same class"]
    assert [line.x0 for line in figure.layout.shapes] == [0.4, 0.71]
    assert figure.layout.annotations[0].text == "this pair: 0.7100"
