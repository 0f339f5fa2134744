from __future__ import annotations

import numpy as np

from core.metrics import Difference
from core.preference import Candidate, Weights, prefer
from dashboard.model_charts import preference, significance


def test_only_significant_differences_are_coloured_and_each_shows_both_ways() -> None:
    pairs = [
        Difference("a", "b", 0.10, (0.05, 0.15), 0.001, 0.003),
        Difference("a", "c", 0.01, (-0.02, 0.04), 0.4, 0.4),
        Difference("b", "c", -0.02, (-0.03, -0.01), 0.02, 0.04),
    ]
    (heatmap,) = significance(["a", "b", "c"], pairs).data
    z, text = np.array(heatmap.z), np.array(heatmap.text)
    np.testing.assert_array_equal(np.isnan(z), np.eye(3, dtype=bool))
    assert (z[0, 1], z[1, 0], z[0, 2], z[2, 0]) == (1.0, -1.0, 0.0, 0.0)
    assert 0.4 < z[2, 1] == -z[1, 2] < 0.6  # small but significant, so it shows
    assert text[1, 2] == "-0.0200<br>[-0.030, -0.010]"
    assert text[2, 1] == "+0.0200<br>[+0.010, +0.030]"
    assert "<b>c</b> less <b>b</b><br>+0.0200" in heatmap.customdata[2][1]
    assert "adjusted p = 0.0400 (0.0200 for this pair alone)" in heatmap.customdata[2][1]


def test_equal_models_differ_by_plus_nothing() -> None:
    (heatmap,) = significance(["a", "b"], [Difference("a", "b", 0.0, (0.0, 0.0), 1.0, 1.0)]).data
    assert heatmap.text[0][1] == heatmap.text[1][0] == "+0.0000<br>[+0.000, +0.000]"
    assert heatmap.z[0][1] == 0.0


def test_many_models_leave_room_for_the_value_only() -> None:
    names = [str(i) for i in range(9)]
    (heatmap,) = significance(names, [Difference("0", "8", 0.5, (0.4, 0.6), 0.01, 0.01)]).data
    assert heatmap.text[0][8] == "+0.500"


def test_the_parts_of_a_score_are_stacked_best_first() -> None:
    ranked = prefer([Candidate("slow", 0.9, 20.0, 8.0), Candidate("fast", 0.8, 5.0, 4.0)], Weights(1, 2, 1))
    figure = preference(ranked)
    *bars, labels = figure.data
    assert [bar.name for bar in bars] == ["quality", "speed", "small size"]
    assert all(list(bar.y) == ["fast", "slow"] for bar in bars)
    assert list(labels.x) == [sum(parts) for parts in zip(*(bar.x for bar in bars), strict=True)] == [0.75, 0.25]
    assert figure.layout.barmode == "stack"
