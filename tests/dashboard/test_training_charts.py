"""The train page's charts show the numbers of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.training import runs
from core.training.runs import Run
from core.training.settings import METRICS
from dashboard import training_charts
from tests import trained


@pytest.fixture
def run() -> Run:
    trained.write("one")
    found = runs.load("one")
    assert found is not None
    return found


def test_every_step_and_the_mean_of_every_epoch_are_drawn(run: Run) -> None:
    steps, means = training_charts.loss(run).data
    assert list(zip(steps.x, steps.y, strict=True)) == list(run.losses)
    assert list(means.x) == [1, 2, 3]  # the first is the network before any step
    assert list(means.y) == [1, 1 / 2, 1 / 3]
    assert steps.line.width < means.line.width


@pytest.mark.parametrize("metric", METRICS)
def test_the_best_epoch_has_a_ring_on_the_metric_that_chose_it(metric: str, run: Run) -> None:
    values = tuple(
        replace(epoch, values={name: place / 10 + epoch.number / 100 for place, name in enumerate(METRICS)})
        for epoch in run.history
    )
    run = replace(run, settings=replace(run.settings, metric=metric), history=values, best=1)
    figure = training_charts.metrics(run)
    *lines, ring = figure.data
    for line, (name, title) in zip(lines, METRICS.items(), strict=True):
        assert (line.name, list(line.x)) == (title, [0, 1, 2, 3])
        assert list(line.y) == [epoch.values[name] for epoch in values]
    assert (ring.x[0], ring.y[0]) == (1, values[1].values[metric])
    assert figure.layout.shapes[0].x0 == 1
    assert max(lines, key=lambda line: line.line.width).name == METRICS[metric]


def test_a_run_without_an_epoch_has_lines_without_points(run: Run) -> None:
    begun = replace(run, history=(), losses=())
    assert all(len(line.x) == 0 for line in training_charts.loss(begun).data)
    assert all(len(line.x) == 0 for line in training_charts.metrics(begun).data)
