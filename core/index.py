"""Exact nearest neighbours. The only module that imports FAISS; a vector database could take its place here.

One index a backbone, over every vector in the store, kept beside the vectors and memory-mapped. A dataset, a split or
a class is a list of rows that a search is restricted to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core import files
from core.errors import LikenessError
from core.progress import Progress, silent
from core.store import EmbeddingStore, Vectors

if TYPE_CHECKING:  # loaded at the first search: most pages make none
    import faiss

SCHEMA = 2
_AT_ONCE = 1024  # queries of one step of a long search


class SimilarityIndex:
    """Inner-product search over the unit vectors of one backbone. Higher scores are more alike, at most 1."""

    def __init__(self, index: faiss.Index, vectors: Vectors) -> None:
        self._index = index
        self._vectors = vectors

    @classmethod
    def open(cls, store: EmbeddingStore, fingerprint: str) -> SimilarityIndex:
        """The index of a backbone; built and kept at first use, and again whenever vectors were added.

        Raises:
            LikenessError: nothing is stored for this backbone.
        """
        vectors = store.load(fingerprint)
        if not len(vectors.keys):
            raise LikenessError("No vectors are stored for this model. Embed a dataset with it first.")
        path = store.folder / "embeddings" / fingerprint / "index.faiss"
        digest = hashlib.sha256("".join(vectors.keys.tolist()).encode()).hexdigest()
        with files.locked(path):
            index = _read(path, digest, vectors.values.shape)
            if index is None:
                _write(path, digest, vectors.values)
                index = _read(path, digest, vectors.values.shape)
        assert index is not None
        return cls(index, vectors)

    def vector(self, key: str) -> NDArray[np.float32] | None:
        """The stored vector of an image, float32 ``(dim,)``, or None."""
        row = int(self._vectors.rows(np.array([key]))[0])
        return None if row < 0 else self._vectors.values[row]

    def search(
        self, query: NDArray[np.float32], k: int, among: NDArray[np.str_]
    ) -> tuple[NDArray[np.str_], NDArray[np.float32]]:
        """The ``k`` most similar of the images ``among``; fewer where there are fewer.

        Args:
            query: unit vector, float32 ``(dim,)``.
            k: how many.
            among: content ids to choose from; those without a vector are passed over.

        Returns:
            Content ids and scores, best first; equal scores in the order of ``among``'s rows in the store.
        """
        import faiss

        rows = self._vectors.rows(among)
        rows = np.unique(rows[rows >= 0])
        if not len(rows) or k < 1:
            return np.empty(0, "U32"), np.empty(0, np.float32)
        allowed = np.zeros(len(self._vectors.keys), bool)
        allowed[rows] = True
        bits = np.packbits(allowed, bitorder="little")
        selector = faiss.IDSelectorBitmap(len(bits) * 8, faiss.swig_ptr(bits))
        found = min(k, len(rows))
        search = _numpy_search(self._index)
        parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        scores, places = search(np.ascontiguousarray(query[None], np.float32), found, params=parameters)
        order = np.lexsort((places[0], -scores[0]))
        return self._vectors.keys[places[0][order]], scores[0][order]


def all_nearest(
    values: NDArray[np.float32], k: int, progress: Progress = silent
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The ``k`` most similar rows of each row among all others, by exact search.

    Args:
        values: unit vectors, float32 ``(n, dim)``.
        k: how many, less than ``n``.
        progress: told of the stage ``Finding neighbours``.

    Returns:
        Rows int32 ``(n, k)`` and cosine similarities float32 ``(n, k)``, best first, equal ones by row; no row finds
        itself.
    """
    import faiss

    index = faiss.IndexFlatIP(values.shape[1])
    index.add(np.ascontiguousarray(values))
    search = _numpy_search(index)
    rows, scores = np.empty((len(values), k), np.int32), np.empty((len(values), k), np.float32)
    for start in range(0, len(values), _AT_ONCE):
        progress("Finding neighbours", start, len(values))
        found, places = search(np.ascontiguousarray(values[start : start + _AT_ONCE]), k + 1)
        # Where more than k others are equal to a row, it may not be among what it finds.
        itself = places == np.arange(start, start + len(places))[:, None]
        itself[~itself.any(axis=1), -1] = True
        others = ~itself
        found, places = found[others].reshape(-1, k), places[others].reshape(-1, k)
        order = np.lexsort((places, -found), axis=1)
        rows[start : start + len(places)] = np.take_along_axis(places, order, axis=1)
        scores[start : start + len(places)] = np.take_along_axis(found, order, axis=1)
    progress("Finding neighbours", len(values), len(values))
    return rows, scores


def _numpy_search(index: faiss.Index) -> Callable[..., Any]:
    """FAISS's own search: some training libraries replace it by one for torch tensors and keep it by this name."""
    found: Callable[..., Any] = getattr(index, "search_numpy", index.search)
    return found


def _read(path: Path, digest: str, shape: tuple[int, ...]) -> faiss.Index | None:
    import faiss

    if files.read_json(path.with_suffix(".json")) != _manifest(path, digest):
        return None
    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError:
        return None
    return index if (index.ntotal, index.d) == shape else None


def _write(path: Path, digest: str, values: NDArray[np.float32]) -> None:
    import faiss

    index = faiss.IndexFlatIP(values.shape[1])
    index.add(np.ascontiguousarray(values))
    path.with_suffix(".json").unlink(missing_ok=True)
    with files.replacing(path) as temporary:
        try:
            faiss.write_index(index, str(temporary))
        except RuntimeError as error:
            raise LikenessError(f"{path} could not be written: {error}. Free some space, or name --cache.") from error
    files.write_json(path.with_suffix(".json"), _manifest(path, digest))


def _manifest(path: Path, digest: str) -> dict[str, object]:
    """What must be recorded of the index file as it is now; its own checksum, since FAISS believes what it reads."""
    import faiss

    return {"schema": SCHEMA, "keys": digest, "sha256": files.sha256(path), "faiss": faiss.__version__}
