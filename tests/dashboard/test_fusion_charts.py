"""The fusion page's charts show the numbers they are given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.ablation import ablate
from core.fusion import LABELS
from core.palette import CHOSEN, SAME, colour
from core.part_scores import PartScores
from core.thresholds import Objective
from core.trial import Trial, trial
from core.variants import Variant
from dashboard import fusion_charts
from tests.core.metrics.pair_data import items, verified

RANDOM = np.random.default_rng(0)
PAIRS = PartScores(
    ("<b>a</b>", LABELS), RANDOM.uniform(0.3, 1, (300, 2)).astype(np.float32),
    RANDOM.uniform(0, 0.7, (700, 2)).astype(np.float32), (300, 700),
)  # fmt: skip


@pytest.fixture
def tried() -> Trial:
    found = trial(PAIRS, PAIRS, {"<b>a</b>": 0.7, LABELS: 0.3}, Objective("f1"), 0.3)
    assert found is not None
    return found


def test_weights_fill_one_bar() -> None:
    figure = fusion_charts.weights({"mobilenet_v2": 0.6, "<b>a</b>": 0.3, LABELS: 0.1})
    assert [bar.x[0] for bar in figure.data] == [0.6, 0.3, 0.1]
    assert figure.data[0].marker.color == colour("mobilenet_v2")
    assert figure.data[2].marker.color not in (bar.marker.color for bar in figure.data[:2])
    assert figure.data[1].text == "&lt;b&gt;a&lt;/b&gt;<br>0.30"


def test_distributions_add_up_to_all_pairs_of_each_kind(tried: Trial) -> None:
    figure = fusion_charts.distributions(tried)
    assert [sum(bar.y) for bar in figure.data] == pytest.approx([1, 1])
    assert figure.layout.shapes[0].x0 == tried.threshold
    edge = figure.data[0].x[1] - figure.data[0].x[0]
    for bars, scores in zip(figure.data, (PAIRS.different, PAIRS.same), strict=True):
        sums = scores @ np.array([0.7, 0.3], np.float32)
        for place in (10, 40, 70):  # a bar holds a pair or two more or less, for sums lie on a grid
            inside = np.abs(sums - bars.x[place]) <= edge / 2
            assert bars.y[place] == pytest.approx(inside.mean(), abs=0.01)


def test_the_curve_rings_what_was_chosen(tried: Trial) -> None:
    figure = fusion_charts.roc(tried, "<b>a</b>", None)
    curve, ring = figure.data
    assert (ring.x[0], ring.y[0]) == (tried.fmr, 1 - tried.fnmr)
    place = int(np.flatnonzero(np.isclose(curve.customdata, tried.threshold))[0])
    assert (curve.x[place], curve.y[place]) == (tried.fmr, 1 - tried.fnmr)
    assert (np.array(curve.x) > 0).all()
    both = fusion_charts.roc(tried, "<b>a</b>", tried)
    assert both.data[0].name == "&lt;b&gt;a&lt;/b&gt; alone"
    for x, y in list(zip(curve.x, curve.y, strict=True))[::50]:
        place = int(np.flatnonzero((tried.test.fmr == x) & (1 - tried.test.fnmr == y))[0])
        threshold = tried.test.thresholds[place] - 5e-7
        sums = [scores @ np.array([0.7, 0.3], np.float32) for scores in (PAIRS.different, PAIRS.same)]
        assert (x, y) == pytest.approx(tuple((one >= threshold).mean() for one in sums))


def test_gains_are_blue_where_they_are_more_than_chance() -> None:
    def variant(name: str, kind: str, noise: float) -> Variant:
        val, test = (verified(*items(noise=noise, seed=seed)) for seed in (1, 2))
        return Variant(name, kind, {name: 1.0}, val, test)  # type: ignore[arg-type]

    rows = [variant("sum", "whole", 0.5), variant("a", "alone", 1.6), variant("b", "alone", 0.5)]
    found = ablate(rows, Objective("f1"))
    figure = fusion_charts.gains(found, "f1", "F1")
    assert [point.y[0] for point in figure.data] == ["a alone", "b alone"]
    assert [point.marker.color for point in figure.data] == [SAME, CHOSEN]
    doubtful = replace(found.rows[1].gains["f1"], p_value=0.03, adjusted=0.06)
    corrected = replace(found, rows=(found.rows[0], replace(found.rows[1], gains={"f1": doubtful})))
    assert fusion_charts.gains(corrected, "f1", "F1").data[0].marker.color == CHOSEN
    gain = found.rows[1].gains["f1"]
    assert figure.data[0].x[0] == gain.value
    assert figure.data[0].error_x.array[0] == pytest.approx(gain.high - gain.value)
    assert figure.data[0].error_x.arrayminus[0] == pytest.approx(gain.value - gain.low)
