"""Figures show the very numbers they are given."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from core.calibration import fit
from core.evaluate import HEADLINE, Evaluation
from core.latency import Latency
from core.palette import COLOURS, colour
from core.projection import Projection
from core.records import Dataset
from core.reliability import quality
from core.report import model_figures, pair_figures
from core.report.map_figure import draw_map
from core.threshold_report import report
from core.thresholds import Objective
from tests.core.metrics.pair_data import items, verified
from tests.evaluations import evaluated

HOSTILE = "<b>bad</b>"


@pytest.fixture
def evaluation(monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    sizes = dict.fromkeys("abc", (12, 10))
    found = evaluated(monkeypatch, sizes, {"good": 1.0, "fair": 1.6, HOSTILE: 2.5})
    times = dict(zip(found.models, (9.0, 3.0, 1.0), strict=True))
    models = {name: replace(one, latency=Latency(times[name], 9.0, "x")) for name, one in found.models.items()}
    return replace(found, models=models)


def _circles(read: ElementTree.Element) -> list[tuple[float, float]]:
    return [(float(one.attrib["cx"]), float(one.attrib["cy"])) for one in read.iter("circle")]


def test_intervals_are_drawn_in_order_with_their_numbers(evaluation: Evaluation) -> None:
    read = ElementTree.fromstring(model_figures.intervals(evaluation, "good"))
    circles = _circles(read)
    values = [result.values[HEADLINE] for result in evaluation.models.values()]
    assert len(circles) == 3
    assert [y for _, y in circles] == sorted(y for _, y in circles)
    assert np.corrcoef([x for x, _ in circles], values)[0, 1] == pytest.approx(1, abs=1e-4)
    assert [one.attrib["fill"] for one in read.iter("circle")] == [colour(name) for name in evaluation.models]
    texts = [one.text or "" for one in read.iter("text")]
    for name, result in evaluation.models.items():
        assert any(text.startswith(name) and f"{result.values[HEADLINE]:.1%}" in text for text in texts)


def test_latency_is_across_and_quality_is_up(evaluation: Evaluation) -> None:
    read = ElementTree.fromstring(model_figures.accuracy_against_latency(evaluation, "good"))
    circles, results = _circles(read), list(evaluation.models.values())
    assert np.corrcoef([x for x, _ in circles], [r.latency.p50 for r in results])[0, 1] == pytest.approx(1, abs=1e-4)
    assert np.corrcoef([y for _, y in circles], [r.values[HEADLINE] for r in results])[0, 1] == pytest.approx(
        -1, abs=1e-4
    )


def test_names_stand_in_nobody_s_way(evaluation: Evaluation) -> None:
    one = next(iter(evaluation.models.values()))
    long = "a model called something so long that it has to be cut "
    crowd = replace(evaluation, models={f"{long}{number}": one for number in range(9)})
    read = ElementTree.fromstring(model_figures.accuracy_against_latency(crowd, ""))
    labels = [text for text in read.iter("text") if (text.text or "").startswith("a model")]
    assert len(labels) == 9
    for a, b in combinations(labels, 2):
        apart = abs(float(a.attrib["y"]) - float(b.attrib["y"])) >= 13
        aside = abs(float(a.attrib["x"]) - float(b.attrib["x"])) >= 8 * len(a.text or "")
        assert apart or aside


def test_scores_of_both_kinds_are_shares_and_the_threshold_lies_where_it_is() -> None:
    pairs = verified(*items(60, 3))
    read = ElementTree.fromstring(pair_figures.distributions(pairs, 0.25))
    outlines = [one.attrib["d"] for one in read.iter("path")]
    assert len(outlines) == 2
    ticks = {one.text: float(one.attrib["x"]) for one in read.iter("text") if one.attrib.get("class") == "axis"}
    (line,) = (one for one in read.iter("line") if one.attrib.get("class") == "chosen")
    known = sorted((float(text), x) for text, x in ticks.items() if text and re.fullmatch(r"-?\d(\.\d+)?", text))
    (a, left), (b, right) = known[0], known[-1]
    assert float(line.attrib["x1"]) == pytest.approx(left + (0.25 - a) / (b - a) * (right - left), abs=0.5)


def test_the_chosen_threshold_is_ringed_on_the_curve() -> None:
    val, test = verified(*items(60, 3)), verified(*items(60, 3, seed=1))
    found = report(val, test, Objective("f1"), fit(val, "isotonic"))
    read = ElementTree.fromstring(pair_figures.det(test, found))
    ((x, y),) = _circles(read)
    (curve,) = (one.attrib["d"] for one in read.iter("path"))
    points = np.array([[float(part) for part in pair.split(",")] for pair in curve[1:].split(" ")])
    assert np.hypot(*(points - (x, y)).T).min() < 6


def test_every_group_of_probabilities_has_its_point() -> None:
    val, test = verified(*items(60, 3)), verified(*items(60, 3, seed=1))
    points = quality(fit(val, "isotonic"), test).points
    circles = _circles(ElementTree.fromstring(pair_figures.reliability(points)))
    assert len(circles) == len(points)
    order = np.argsort([point.predicted for point in points])
    assert sorted(x for x, _ in circles) == [circles[place][0] for place in order]


def _dataset(labels: list[str]) -> Dataset:
    ids, paths = (np.array([form.format(row) for row in range(len(labels))]) for form in ("{:032x}", "{:05}.png"))
    return Dataset("r", "t", Path("/nowhere"), ids, paths, np.array(labels), np.full(len(labels), "train"))


def test_every_image_has_a_dot_in_the_colour_of_its_class() -> None:
    labels = [HOSTILE, "b", HOSTILE, "b", HOSTILE]
    points = np.array([[0, 0], [1, 1], [0, 1], [1, 0], [0.5, 0.5]], np.float32)
    found = draw_map(_dataset(labels), Projection(np.arange(5), points, 1.0, 1.0, 0.1))
    read = ElementTree.fromstring(found.svg)
    dots = {one.attrib["stroke"]: one.attrib["d"].count("h0") for one in read.iter("path")}
    assert dots == {entry.colour: entry.images for entry in found.legend} == {COLOURS[0]: 3, COLOURS[1]: 2}
    assert [entry.name for entry in found.legend] == [HOSTILE, "b"]
    x, y = re.match(r"M([\d.]+) ([\d.]+)h0", next(read.iter("path")).attrib["d"]).groups()  # type: ignore[union-attr]
    assert float(x) < 20, "the first image lies on the left"
    assert float(y) > 500, "and at the bottom: up is up"


def test_the_rarest_classes_share_a_colour() -> None:
    labels = [f"class {number:02}" for number in range(20) for _ in range(40 - number)]
    points = np.random.default_rng(0).standard_normal((len(labels), 2)).astype(np.float32)
    found = draw_map(_dataset(labels), Projection(np.arange(len(labels)), points, 1.0, 1.0, 0.1))
    assert len(found.legend) == 16
    assert found.legend[-1].name == "other classes"
    assert found.legend[-1].images == sum(40 - number for number in range(15, 20))
    assert len({entry.colour for entry in found.legend}) == 16
    assert sum(entry.images for entry in found.legend) == found.shown == len(labels)


def test_points_that_all_lie_in_one_place_are_drawn() -> None:
    found = draw_map(_dataset(["a", "b"]), Projection(np.arange(2), np.zeros((2, 2), np.float32), 1.0, 1.0, 0.1))
    assert "nan" not in found.svg
