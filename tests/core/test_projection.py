"""Maps: faithful as scikit-learn measures it, the same for the same seed, kept, and open to new images."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core import projection as module
from core.errors import LikenessError
from core.index import all_nearest
from core.neighbours import Neighbours
from core.paths import REPOSITORY
from core.projection import OpenMap, Settings, faithfulness, kept_projection, project, shown_rows
from core.records import Dataset
from tests.core.test_neighbours import MODEL, dataset, stored, unit


def clustered(data: Dataset, noise: float = 0.35) -> NDArray[np.float32]:
    """Vectors around a direction for each class."""
    classes = np.unique(data.labels, return_inverse=True)[1]
    values = unit(int(classes.max()) + 1, seed=5)[classes] + noise * unit(len(data), seed=6)
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


@settings(max_examples=15, deadline=None)
@given(st.integers(10, 80), st.integers(0, 10_000), st.sampled_from([2, 3]))
def test_faithfulness_is_scikit_learn_s_trustworthiness_and_a_plain_count(count: int, seed: int, width: int) -> None:
    from sklearn.manifold import trustworthiness

    vectors, points = unit(count, 5, seed), unit(count, width, seed + 1)
    k = min(15, (count - 1) // 2)
    found = faithfulness(vectors, Neighbours(*all_nearest(vectors, count - 1)), points)
    assert found[0] == pytest.approx(trustworthiness(vectors, points, n_neighbors=k, metric="cosine"), abs=1e-9)
    kept = []
    for row in range(count):
        near, far = (
            np.argsort(distance)[1 : k + 1]
            for distance in (np.linalg.norm(points - points[row], axis=1), 1 - vectors @ vectors[row])
        )
        kept.append(len(set(near.tolist()) & set(far.tolist())) / k)
    assert found[1] == pytest.approx(np.mean(kept))


def test_of_many_images_a_sample_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = unit(600, 5)
    neighbours, points = Neighbours(*all_nearest(vectors, 30)), unit(600, 2, 1) + vectors[:, :2]
    whole = faithfulness(vectors, neighbours, points)
    monkeypatch.setattr(module, "_MOST_JUDGED", 300)
    assert faithfulness(vectors, neighbours, points) == pytest.approx(whole, abs=0.03)
    assert faithfulness(vectors, neighbours, points) != whole


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_map_keeps_classes_together_and_is_the_same_each_time(dimensions: int) -> None:
    data = dataset(90)
    store, chosen = stored(data, clustered(data)), Settings(dimensions)
    found = project(data, MODEL, store, chosen)
    assert found.points.shape == (90, dimensions)
    assert found.rows.tolist() == list(range(90))
    assert found.trustworthiness > 0.8
    assert np.isfinite(found.points).all()
    centres = np.stack([found.points[data.labels == name].mean(axis=0) for name in data.classes])
    nearest = np.linalg.norm(found.points[:, None] - centres[None], axis=2).argmin(axis=1)
    assert (np.array(data.classes)[nearest] == data.labels).mean() > 0.95
    for file in (store.folder / "projections").glob("*.safetensors"):
        file.unlink()
    assert (project(data, MODEL, store, chosen).points == found.points).all()
    assert (project(data, MODEL, store, Settings(dimensions, seed=1)).points != found.points).any()


def test_a_map_is_kept_under_all_that_decides_it(monkeypatch: pytest.MonkeyPatch) -> None:
    data = dataset(30)
    store = stored(data, clustered(data))
    assert kept_projection(data, MODEL, store) is None
    made = project(data, MODEL, store)
    monkeypatch.setattr(module, "_lay_out", None)  # nothing may be drawn again
    for again in (project(data, MODEL, store), kept_projection(data, MODEL, store)):
        assert again is not None
        assert (again.points == made.points).all()
        assert (again.trustworthiness, again.preservation, again.seconds) == pytest.approx(
            (made.trustworthiness, made.preservation, made.seconds)
        )
    for other in (Settings(3), Settings(neighbours=5), Settings(min_dist=0.5), Settings(seed=2)):
        assert kept_projection(data, MODEL, store, other) is None
    assert kept_projection(data.take(np.arange(20)), MODEL, store) is None


def test_a_new_photo_lands_among_its_like() -> None:
    data = dataset(120)
    vectors = clustered(data)
    store = stored(data, vectors)
    found, opened = project(data, MODEL, store), OpenMap(data, MODEL, store)
    nudged = vectors[:12] + 0.02 * unit(12, seed=9)
    nudged /= np.linalg.norm(nudged, axis=1, keepdims=True)
    placed = opened.place(nudged)
    centres = np.stack([found.points[data.labels == name].mean(axis=0) for name in data.classes])
    nearest = np.linalg.norm(placed[:, None] - centres[None], axis=2).argmin(axis=1)
    assert (np.array(data.classes)[nearest] == data.labels[:12]).all()
    assert (opened.place(nudged[:1]) == opened.place(nudged[:1])).all()


def test_equal_images_do_not_break_a_map() -> None:
    data = dataset(20)
    found = project(data, MODEL, stored(data, np.repeat(unit(2), 10, axis=0)))
    assert np.isfinite(found.points).all()


def test_progress_counts_the_epochs() -> None:
    data = dataset(40)
    told: list[tuple[str, int, int]] = []
    project(data, MODEL, stored(data, clustered(data)), progress=lambda *step: told.append(step))
    drawn = [step for step in told if step[0] == "Drawing the map"]
    assert drawn[0][1:] == (0, 300)
    assert drawn[-1][1:] == (300, 300)
    assert [done for _, done, _ in drawn] == sorted(done for _, done, _ in drawn)
    assert {stage for stage, _, _ in told} == {"Finding neighbours", "Drawing the map"}


def test_too_few_images_say_so() -> None:
    data = dataset(7)
    with pytest.raises(LikenessError, match="at least 8"):
        project(data, MODEL, stored(data, unit(7)))


@pytest.mark.parametrize("wrong", [{"dimensions": 4}, {"neighbours": 1}, {"neighbours": 51}, {"min_dist": 1.5}])
def test_settings_that_umap_could_not_use_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(LikenessError, match="not"):
        Settings(**wrong)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 200), st.integers(1, 6), st.integers(1, 200))
def test_a_sample_keeps_every_class_s_share(count: int, classes: int, most: int) -> None:
    data = dataset(count, classes)
    rows = shown_rows(data, 3, most)
    assert len(rows) == min(count, most) == len(set(rows.tolist()))
    assert (np.diff(rows) > 0).all()
    for name in data.classes:
        fair = (data.labels == name).sum() * min(1, most / count)
        assert abs((data.labels[rows] == name).sum() - fair) < 1 + 1e-9


def test_looking_at_a_kept_map_loads_no_umap() -> None:
    code = (
        "import sys; from core.projection import kept_projection; from core.store import EmbeddingStore;"
        "from tests.core.test_neighbours import dataset, MODEL;"
        "print(kept_projection(dataset(9), MODEL, EmbeddingStore()), 'umap' in sys.modules, 'numba' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["None", "False", "False"]
