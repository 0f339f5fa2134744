"""The chart of image sizes holds every image, whatever its size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import data_charts

sides = st.lists(st.tuples(st.integers(1, 30_000), st.integers(1, 30_000)), min_size=1, max_size=50)


@given(sides)
def test_every_image_is_counted_once(found: list[tuple[int, int]]) -> None:
    width, height = np.array(found).T
    heat = data_charts.sizes(width, height).data[0]
    assert heat.customdata.sum() == len(found)
    assert np.isnan(heat.z).sum() == (heat.customdata == 0).sum()
    assert (len(heat.y), len(heat.x)) == heat.customdata.shape


def test_width_goes_across_and_height_up() -> None:
    heat = data_charts.sizes(np.array([100, 100, 400]), np.array([50, 50, 900])).data[0]
    (up, across) = np.unravel_index(heat.customdata.argmax(), heat.customdata.shape)
    assert heat.customdata[up, across] == 2
    assert heat.x[across] == pytest.approx(100, rel=0.15)
    assert heat.y[up] == pytest.approx(50, rel=0.15)
