"""How long a training takes: as measured, or as runs of the same kind took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.training import runs
from core.training.estimate import estimate
from core.training.runs import Run
from core.training.settings import OBJECTIVES, Settings, choose
from tests import trained

FAST = choose("triplet", "mobilenet_v2", fast=True)
WHOLE = choose("triplet", "mobilenet_v2")


def _run(**options: object) -> Run:
    trained.write("past", **options)  # type: ignore[arg-type]
    found = runs.load("past")
    assert found is not None
    return found


def _epochs(settings: Settings, train: int, val: int, latency: float, cores: int, past: Sequence[Run] = ()) -> float:
    """Seconds of the epochs alone."""
    around = estimate(settings, 0, 0, 0, latency, cores)
    return estimate(settings, train, val, 0, latency, cores, past) - around


# Medians of one image in milliseconds, and images a second of forward and backward, on two cores.
@pytest.mark.parametrize(("latency", "rate"), [(6.58, 28), (8.81, 20)])
def test_a_network_s_steps_take_as_long_as_was_measured(latency: float, rate: float) -> None:
    found = _epochs(replace(WHOLE, epochs=1), 3000, 0, latency, 2)
    validation = found / 4  # a look at each image takes a third of a step
    assert found - validation == pytest.approx(3000 / rate, rel=0.1)


def test_a_head_takes_as_long_as_was_measured_on_any_model() -> None:
    assert _epochs(replace(FAST, epochs=30), 2000, 500, 0.0, 2) == pytest.approx(30 * 0.15)
    assert _epochs(FAST, 2000, 500, 9.0, 16) == _epochs(FAST, 2000, 500, 0.0, 2)


def test_pairs_show_two_images_each() -> None:
    pairs = choose("siamese", "mobilenet_v2", fast=True)
    assert _epochs(pairs, 1000, 200, 5.0, 2) == 2 * _epochs(FAST, 1000, 200, 5.0, 2)
    whole = _epochs(choose("siamese", "mobilenet_v2"), 1000, 0, 5.0, 2)
    assert whole == pytest.approx((2 + 1 / 3) / (1 + 1 / 3) * _epochs(WHOLE, 1000, 0, 5.0, 2))


def test_the_last_run_of_the_same_kind_tells_more() -> None:
    past = _run(settings=FAST, seconds=6.0)  # 120 images
    assert _epochs(replace(FAST, epochs=10), 200, 40, 0.0, 2, [past]) == pytest.approx(10 * 6.0 * 2)
    newer = replace(past, history=tuple(replace(one, seconds=1.0) for one in past.history))
    assert _epochs(replace(FAST, epochs=10), 200, 40, 0.0, 2, [newer, past]) == pytest.approx(20)


@pytest.mark.parametrize("other", [{"model": "resnet18"}, {"objective": "finetune"}, {"fast": False}])
def test_a_run_of_another_kind_tells_nothing(other: dict[str, object]) -> None:
    past = _run(settings=replace(FAST, **other), seconds=600.0)  # type: ignore[arg-type]
    assert _epochs(FAST, 200, 40, 0.0, 2, [past]) == _epochs(FAST, 200, 40, 0.0, 2)


def test_frozen_epochs_and_a_run_without_any_tell_nothing() -> None:
    settings = replace(WHOLE, frozen_epochs=1)
    past = _run(settings=settings, seconds=6.0)
    quick_first = replace(past, history=(past.history[0], replace(past.history[1], seconds=0.1), *past.history[2:]))
    assert _epochs(settings, 100, 20, 5.0, 2, [quick_first]) == pytest.approx(settings.epochs * 6.0)
    short = replace(past, history=past.history[:2])
    assert _epochs(settings, 100, 20, 5.0, 2, [short]) == _epochs(settings, 100, 20, 5.0, 2)


@given(
    objective=st.sampled_from(OBJECTIVES), fast=st.booleans(), train=st.integers(1, 10**6), val=st.integers(1, 10**5),
    epochs=st.integers(1, 500), latency=st.floats(0.1, 500), cores=st.integers(1, 64),
)  # fmt: skip
def test_more_images_and_epochs_take_longer_and_more_cores_never(
    objective: str, fast: bool, train: int, val: int, epochs: int, latency: float, cores: int
) -> None:
    settings = choose(objective, "m", fast=fast, epochs=epochs)
    found = _epochs(settings, train, val, latency, cores)
    assert found > 0
    assert _epochs(settings, 2 * train, 2 * val, latency, cores) == pytest.approx(2 * found)
    assert _epochs(replace(settings, epochs=2 * epochs), train, val, latency, cores) == pytest.approx(2 * found)
    assert _epochs(settings, train, val, latency, 2 * cores) <= found


@given(images=st.integers(0, 10**6), latency=st.floats(0.1, 500))
def test_the_new_model_embeds_the_whole_dataset(images: int, latency: float) -> None:
    whole, none = (estimate(FAST, 100, 20, count, latency, 4) for count in (images, 0))
    assert whole - none == pytest.approx(images * latency / 4000)
    assert none > 1  # loading the libraries
