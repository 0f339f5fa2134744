"""Figures of three images and of test triplets."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from core.at_least_two import TripletScores, draw_mixed
from core.metrics.grid import threshold_bin
from core.palette import DIFFERENT, SAME
from core.triplets import PAIRS, ScoredPair, TripletDecision
from dashboard.triplet_charts import curves, triangle
from tests.core.test_sampled import CODES, DATASET

PAIRED = zip(PAIRS, (0.2, 0.7, 0.4), strict=True)
FOUND = TripletDecision("m", 0.5, tuple(ScoredPair(a, b, score, 1.25, score >= 0.5) for (a, b), score in PAIRED))


def test_edges_of_matching_pairs_are_thick_and_blue() -> None:
    figure = triangle(FOUND, [b"a", b"b", b"c"], distances=False)
    assert [line.line.color for line in figure.data] == [DIFFERENT, SAME, DIFFERENT]
    widths = [line.line.width for line in figure.data]
    assert widths[1] > max(widths[0], widths[2])
    labels = [note.text for note in figure.layout.annotations if note.bgcolor]
    assert labels == ["≠ 0.200", "= 0.700", "≠ 0.400"]


def test_edges_bear_distances_where_they_are_asked_for() -> None:
    figure = triangle(FOUND, [b"a", b"b", b"c"], distances=True)
    assert {note.text for note in figure.layout.annotations if note.bgcolor} == {"≠ d 1.250", "= d 1.250"}


def test_every_picture_stands_at_its_corner_under_its_letter() -> None:
    figure = triangle(FOUND, [b"a", b"b", b"c"], distances=False)
    letters = [note for note in figure.layout.annotations if not note.bgcolor]
    assert [note.text for note in letters] == ["<b>A</b>", "<b>B</b>", "<b>C</b>"]
    for image, letter, data in zip(figure.layout.images, letters, (b"a", b"b", b"c"), strict=True):
        assert image.source.endswith(base64.b64encode(data).decode())
        assert (image.x, image.y) == (letter.x, pytest.approx(letter.y - image.sizey / 2))
    for line, (a, b) in zip(figure.data, PAIRS, strict=True):
        assert list(line.x) == [figure.layout.images[a].x, figure.layout.images[b].x]


def test_the_curves_are_what_the_report_says_and_both_thresholds_are_marked() -> None:
    sample = draw_mixed(DATASET, "test", 60)
    codes = CODES[sample.rows]
    alike = np.stack([codes[:, a] == codes[:, b] for a, b in PAIRS], axis=1)
    bins = np.random.default_rng(0).integers(400_000, 900_000, (60, 3)).astype(np.int32)
    scores = TripletScores(sample, alike, bins)
    figure = curves(scores, 0.3, 0.4)
    for name, line in zip(("precision", "recall", "f1"), figure.data, strict=True):
        for at, value in list(zip(line.x, line.y, strict=True))[::9]:
            assert threshold_bin(at) in scores.levels
            assert getattr(scores.report(float(at)).kinds["match"], name).value == pytest.approx(value)
    assert [shape.x0 for shape in figure.layout.shapes] == [0.3, 0.4]
    assert {note.text: note.x for note in figure.layout.annotations} == {"in use": 0.3, "best on val": 0.4}
