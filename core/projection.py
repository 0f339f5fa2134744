"""A dataset on a map: UMAP of the stored vectors, kept once it is computed. The only module that imports umap.

UMAP (McInnes, Healy and Melville, arXiv 1802.03426) is given exact neighbours from :mod:`core.neighbours` and starts
from the first principal components. That takes a fraction of the time that it takes on its own, for maps as faithful
(``benchmarks/projection.py``); the same settings and seed give the same map.

How faithful a map is, is measured over each image's 15 nearest: *trustworthiness* falls when images that are far apart
come close on the map (Venna and Kaski, ICANN 2001), *preservation* is the share of the nearest images that are still
among the nearest on the map.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.backbones import Backbone
from core.errors import LikenessError
from core.neighbours import MOST, Neighbours, nearest_neighbours, neighbours_key
from core.progress import Progress, silent
from core.records import Dataset
from core.store import EmbeddingStore
from core.vectors import class_codes, stored_vectors

MOST_SHOWN = 100_000
FEWEST = 8
JUDGED = 15
_MOST_JUDGED = 10_000
# Up to so many images. UMAP's own are 500 and 200; from the principal components 300 give maps as faithful.
_EPOCHS = ((10_000, 300), (MOST_SHOWN, 200))
_SCHEMA = 1
_KIND = "projections"
_BLOCK = 256
Points = NDArray[np.float32]


@dataclass(frozen=True)
class Settings:
    """How a map is made.

    Attributes:
        dimensions: 2 or 3.
        neighbours: how many images, itself among them, UMAP holds together: few show detail, many the whole.
        min_dist: how closely points may be packed, 0 to 1.
        seed: of all chance.
    """

    dimensions: int = 2
    neighbours: int = 15
    min_dist: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise a LikenessError for what UMAP could not use."""
        if self.dimensions not in (2, 3):
            raise LikenessError(f"A map has 2 or 3 dimensions, not {self.dimensions}.")
        if not 2 <= self.neighbours <= MOST:
            raise LikenessError(f"A map holds 2 to {MOST} neighbours together, not {self.neighbours}.")
        if not 0 <= self.min_dist <= 1:
            raise LikenessError(f"The least distance on a map is between 0 and 1, not {self.min_dist:g}.")


@dataclass(frozen=True)
class Projection:
    """A map of a dataset, as one model sees it.

    Attributes:
        rows: rows of the dataset that it shows, ascending, ``(m,)``: all, or a sample of 100,000 drawn by class.
        points: where they are, float32 ``(m, dimensions)``; the axes and the scale mean nothing.
        trustworthiness: at most 1; 0.5 is about what chance gives.
        preservation: share of each image's 15 nearest that are among its 15 nearest on the map.
        seconds: what it took to make, the neighbours included.
    """

    rows: NDArray[np.intp]
    points: Points
    trustworthiness: float
    preservation: float
    seconds: float


def project(
    dataset: Dataset, backbone: Backbone, store: EmbeddingStore, settings: Settings = Settings(),
    progress: Progress = silent,
) -> Projection:  # fmt: skip
    """The map of a dataset, from the store or made now and kept.

    Args:
        dataset: the images; of more than 100,000 a sample is shown that keeps the shares of the classes.
        backbone: a model that has embedded them.
        store: holds the vectors, the neighbours and the maps.
        settings: how the map is made.
        progress: told of the stages ``Finding neighbours`` and ``Drawing the map``.

    Raises:
        LikenessError: there are fewer than 8 images, or the model lacks some of their vectors.
    """
    found = kept_projection(dataset, backbone, store, settings)
    if found is not None:
        return found
    if len(dataset) < FEWEST:
        raise LikenessError(f"{dataset.title} has {len(dataset)} images: a map needs at least {FEWEST}. Add images.")
    started = time.perf_counter()
    rows = shown_rows(dataset, settings.seed)
    shown = dataset.take(rows)
    vectors = stored_vectors(shown, backbone, store)
    neighbours = nearest_neighbours(shown, backbone, store, progress)
    points = _lay_out(vectors, neighbours, settings, progress)
    seconds = time.perf_counter() - started
    trustworthiness, preservation = faithfulness(vectors, neighbours, points, settings.seed)
    made = Projection(rows, points, trustworthiness, preservation, seconds)
    facts = np.array([trustworthiness, preservation, seconds])
    store.write_arrays(_KIND, _key(shown, backbone, settings), {"points": points, "facts": facts})
    return made


def kept_projection(
    dataset: Dataset, backbone: Backbone, store: EmbeddingStore, settings: Settings = Settings()
) -> Projection | None:
    """The map that was made before, or None. Loads neither umap nor the vectors."""
    rows = shown_rows(dataset, settings.seed)
    kept = store.read_arrays(_KIND, _key(dataset.take(rows), backbone, settings))
    if kept is None or set(kept) != {"points", "facts"} or kept["points"].shape != (len(rows), settings.dimensions):
        return None
    return Projection(rows, kept["points"], *kept["facts"].tolist())


def shown_rows(dataset: Dataset, seed: int = 0, most: int = MOST_SHOWN) -> NDArray[np.intp]:
    """The rows that a map shows, ascending: all, or ``most`` drawn so that every class keeps its share."""
    if len(dataset) <= most:
        return np.arange(len(dataset))
    random = np.random.default_rng(seed)
    codes = class_codes(dataset)
    order = random.permutation(len(dataset))
    order = order[np.argsort(codes[order], kind="stable")]
    # Of the rows class by class, every step-th: each class gets its share, rounded up or down.
    return np.sort(order[np.linspace(0, len(order), most, endpoint=False).astype(np.intp)])


class OpenMap:
    """A map that new images can be placed on, by ``UMAP.transform``."""

    def __init__(
        self, dataset: Dataset, backbone: Backbone, store: EmbeddingStore, settings: Settings = Settings()
    ) -> None:
        """Prepare a map that has been made; takes seconds.

        Raises:
            LikenessError: as :func:`project`.
        """
        found = project(dataset, backbone, store, settings)
        shown = dataset.take(found.rows)
        vectors = stored_vectors(shown, backbone, store)
        neighbours = nearest_neighbours(shown, backbone, store)
        # umap's fitted state could only be kept by pickle. What ``transform`` needs of it is quickly made again: the
        # graph, by a fit of no epochs; the points are ours, and so is the search.
        self._umap = _umap(neighbours, settings, init=found.points, epochs=0)
        self._umap.fit(vectors)
        self._umap.embedding_ = found.points
        self._umap.n_epochs = None  # those of transform
        self._umap._knn_search_index = _Search(vectors)

    def place(self, vectors: NDArray[np.float32]) -> Points:
        """Where images belong on the map.

        Args:
            vectors: of the map's model, unit length, float32 ``(q, dim)``.

        Returns:
            float32 ``(q, dimensions)``.
        """
        placed: Points = self._umap.transform(vectors)
        return placed


def faithfulness(
    vectors: NDArray[np.float32], neighbours: Neighbours, points: Points, seed: int = 0
) -> tuple[float, float]:
    """Trustworthiness and preservation of a map; of more than 10,000 images, as a seeded sample of them sees it.

    Equal to ``sklearn.manifold.trustworthiness`` with ``metric="cosine"``, without its matrix of all ranks.
    """
    n = len(points)
    k = min(JUDGED, (n - 1) // 2)
    judged = np.arange(n)
    if n > _MOST_JUDGED:
        judged = np.sort(np.random.default_rng(seed).choice(n, _MOST_JUDGED, replace=False))
    near = _nearest_points(points, k, judged)
    excess, kept = 0, 0
    for start in range(0, len(judged), _BLOCK):
        rows, found = judged[start : start + _BLOCK], near[start : start + _BLOCK]
        scores = vectors[rows] @ vectors.T
        scores[np.arange(len(rows)), rows] = -np.inf
        theirs = np.take_along_axis(scores, found, axis=1)
        ranks = np.stack([(scores > theirs[:, [place]]).sum(axis=1) + 1 for place in range(k)], axis=1)
        excess += int(np.maximum(ranks - k, 0).sum())
        kept += int((found[:, :, None] == neighbours.rows[rows, None, :k]).any(axis=2).sum())
    worst = len(judged) * k * (2 * n - 3 * k - 1) / 2
    return 1 - excess / worst, kept / (len(judged) * k)


def _nearest_points(points: Points, k: int, judged: NDArray[np.intp]) -> NDArray[np.intp]:
    """Places of the ``k`` nearest other points of those ``judged``."""
    from scipy.spatial import KDTree

    found = KDTree(points).query(points[judged], k + 1, workers=-1)[1]
    itself = found == judged[:, None]
    itself[~itself.any(axis=1), -1] = True  # more than k points in one place
    near: NDArray[np.intp] = found[~itself].reshape(-1, k)
    return near


def _lay_out(vectors: NDArray[np.float32], neighbours: Neighbours, settings: Settings, progress: Progress) -> Points:
    epochs = next(epochs for most, epochs in _EPOCHS if len(vectors) <= most)
    progress("Drawing the map", 0, epochs)
    points: Points = _umap(neighbours, settings, "pca", epochs, progress).fit_transform(vectors)
    progress("Drawing the map", epochs, epochs)
    # An image without any neighbour has no place of its own.
    return np.nan_to_num(points, nan=0.0)


def _umap(
    neighbours: Neighbours, settings: Settings, init: str | Points, epochs: int, progress: Progress = silent
) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import umap

    class Quiet(umap.UMAP):  # type: ignore[misc]
        def fit(self, *arguments: Any, **options: Any) -> Any:
            with warnings.catch_warnings():
                # It warns that a search index other than its own cannot place new points; ours can.
                warnings.simplefilter("ignore")
                return super().fit(*arguments, **options)

    count = min(settings.neighbours, neighbours.rows.shape[1] + 1)
    itself = np.arange(len(neighbours.rows), dtype=np.int32)[:, None]
    indices = np.concatenate([itself, neighbours.rows[:, : count - 1]], axis=1)
    distances = np.concatenate([np.zeros_like(itself), 1 - neighbours.scores[:, : count - 1]], axis=1)
    return Quiet(
        n_neighbors=count, n_components=settings.dimensions, min_dist=settings.min_dist, metric="cosine",
        init=init, n_epochs=epochs, random_state=settings.seed, transform_seed=settings.seed, n_jobs=1,
        precomputed_knn=(indices, np.maximum(distances, 0).astype(np.float32)),
        tqdm_kwds={"disable": False, "file": _Epochs(progress, epochs), "bar_format": "{n}"},
    )  # fmt: skip


class _Epochs(io.StringIO):
    """Where umap's progress bar writes the number of its epoch."""

    def __init__(self, progress: Progress, epochs: int) -> None:
        super().__init__()
        self._progress, self._epochs = progress, epochs

    def write(self, text: str) -> int:
        if text.strip().isdecimal():
            self._progress("Drawing the map", int(text), self._epochs)
        return len(text)


class _Search:
    """What ``UMAP.transform`` asks of a search index, answered exactly."""

    _angular_trees = True

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self._vectors = vectors

    def query(
        self, queries: NDArray[np.float32], k: int, epsilon: float
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Rows and cosine distances of the ``k`` nearest, nearest first."""
        distances = np.maximum(1 - queries @ self._vectors.T, 0)
        rows = np.argsort(distances, axis=1, kind="stable")[:, :k]
        return rows.astype(np.int32), np.take_along_axis(distances, rows, axis=1)


def _key(shown: Dataset, backbone: Backbone, settings: Settings) -> str:
    """Covers all that decides a map, the library that draws it included."""
    version = importlib.metadata.version("umap-learn")
    content = f"{_SCHEMA} {neighbours_key(shown, backbone)} {settings} {_EPOCHS} {version}"
    return hashlib.sha256(content.encode()).hexdigest()[:32]
