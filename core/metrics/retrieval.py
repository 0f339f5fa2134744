"""What every query finds in a gallery: the values that all retrieval metrics are averages of."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError
from core.metrics.ranking import Ranked, check_vectors, first_rank, positions, visit_rankings

CUTOFFS = 20


@dataclass(frozen=True)
class QueryResults:
    """One value per counted query; a query counts if the gallery holds its class, apart from the query itself.

    Attributes:
        index: row of each counted query in the input, ascending, ``intp``, shape ``(c,)``.
        codes: class code of each counted query, ``intp``, shape ``(c,)``.
        relevant: R, how many gallery items have the query's class, at least 1, ``intp``, shape ``(c,)``.
        precision: column ``k - 1`` is P@k, relevant in the top k ÷ k, in [0, 1], ``float64``, shape ``(c, 20)``.
            The divisor is k also where the gallery holds fewer than k items.
        reciprocal_rank: 1 / rank of the first relevant item over the whole gallery, in (0, 1], shape ``(c,)``.
        r_precision: relevant in the top R ÷ R, in [0, 1], shape ``(c,)``.
        ap_at_r: (1/R)·Σ_{i≤R} P(i)·rel(i), at most ``r_precision``, shape ``(c,)``; its mean is MAP@R
            (Musgrave et al., "A Metric Learning Reality Check", arXiv 2003.08505).
        nearest: gallery positions of the 20 nearest items, best first, -1 past the end, ``int32``, shape ``(c, 20)``.
        left_out: number of queries that do not count.
    """

    index: NDArray[np.intp]
    codes: NDArray[np.intp]
    relevant: NDArray[np.intp]
    precision: NDArray[np.float64]
    reciprocal_rank: NDArray[np.float64]
    r_precision: NDArray[np.float64]
    ap_at_r: NDArray[np.float64]
    nearest: NDArray[np.int32]
    left_out: int

    def __len__(self) -> int:
        return len(self.index)

    @property
    def hit_at_1(self) -> NDArray[np.float64]:
        """1.0 where the nearest item has the query's class, else 0.0, shape ``(c,)``."""
        return self.precision[:, 0]

    def subset(self, keep: NDArray[np.bool_]) -> QueryResults:
        """The results of some of the counted queries, ``bool (c,)``, as if the others had not been asked.

        Raises:
            LikenessError: the mask is not one boolean for each counted query.
        """
        if keep.shape != (len(self),) or keep.dtype != np.bool_:
            raise LikenessError(
                f"The mask has shape {keep.shape} and type {keep.dtype}: give one boolean for each of the {len(self)} "
                "counted queries."
            )
        columns = {f.name: getattr(self, f.name)[keep] for f in fields(self) if f.name != "left_out"}
        return replace(self, **columns)


def evaluate_queries(
    queries: NDArray[np.float32],
    query_codes: NDArray[np.integer],
    gallery: NDArray[np.float32],
    gallery_codes: NDArray[np.integer],
    self_rows: NDArray[np.intp] | None = None,
) -> QueryResults:
    """Search the gallery with every query; exact, in one pass, with ties going to the lower gallery position.

    Args:
        queries: L2-normalised ``float32``, shape ``(q, d)``.
        query_codes: class of each query, integers, shape ``(q,)``.
        gallery: L2-normalised ``float32``, shape ``(g, d)``.
        gallery_codes: class of each gallery item, shape ``(g,)``.
        self_rows: each query's own row in the gallery, shape ``(q,)``, -1 for none; a query never finds itself.

    Raises:
        LikenessError: shapes do not fit together, or a vector is not finite.

    >>> points = np.array([[1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32)
    >>> found = evaluate_queries(points, np.array([0, 0, 1]), points, np.array([0, 0, 1]), np.arange(3))
    >>> found.index.tolist(), found.reciprocal_rank.tolist(), found.left_out
    ([0, 1], [1.0, 1.0], 1)
    """
    check_vectors(queries, gallery, self_rows)
    _check_codes("queries", query_codes, queries)
    _check_codes("gallery", gallery_codes, gallery)
    relevant = _relevant(query_codes, gallery_codes, self_rows)
    counted = np.flatnonzero(relevant)
    precision = np.zeros((len(queries), CUTOFFS))
    nearest = np.full((len(queries), CUTOFFS), -1, np.int32)
    reciprocal, r_precision, ap_at_r = np.zeros((3, len(queries)))

    def visit(ranked: Ranked) -> None:
        rows, wanted = ranked.rows, relevant[ranked.rows]
        near = ranked.nearest(max(CUTOFFS, int(wanted.max())))
        hits = (gallery_codes[near] == query_codes[rows, None]) & (near >= 0)
        running = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
        precision[rows] = running[:, :CUTOFFS]
        nearest[rows] = near[:, :CUTOFFS]
        at_r = np.arange(len(rows)), wanted - 1
        r_precision[rows] = running[at_r]
        # A running sum adds in rank order, so a query's value does not hang on which others share its block.
        ap_at_r[rows] = np.cumsum(running * hits, axis=1)[at_r] / wanted
        reciprocal[rows] = 1 / _first_ranks(ranked, hits, query_codes[rows], gallery_codes)

    # Queries with alike R go together, so that none is searched deeper than it needs.
    order = counted[np.argsort(relevant[counted], kind="stable")]
    visit_rankings(queries, gallery, visit, rows=order, self_rows=self_rows)
    return QueryResults(
        index=counted,
        codes=query_codes[counted].astype(np.intp),
        relevant=relevant[counted],
        precision=precision[counted],
        reciprocal_rank=reciprocal[counted],
        r_precision=r_precision[counted],
        ap_at_r=ap_at_r[counted],
        nearest=nearest[counted],
        left_out=len(queries) - len(counted),
    )


def _first_ranks(
    ranked: Ranked, hits: NDArray[np.bool_], codes: NDArray[np.integer], gallery_codes: NDArray[np.integer]
) -> NDArray[np.intp]:
    """Rank of each query's first relevant item: read off the hits, or counted over the gallery where there is none."""
    ranks: NDArray[np.intp] = 1 + hits.argmax(axis=1)
    deep = np.flatnonzero(~hits.any(axis=1))
    if len(deep):
        keys = ranked.keys[deep]
        # The query's own row may seem wanted here, but its key comes after every other, so it is never the first.
        ranks[deep] = first_rank(keys, gallery_codes[positions(keys)] == codes[deep, None])
    return ranks


def _relevant(
    query_codes: NDArray[np.integer], gallery_codes: NDArray[np.integer], self_rows: NDArray[np.intp] | None
) -> NDArray[np.intp]:
    """R of every query, shape ``(q,)``: gallery items of its class, less itself."""
    classes, sizes = np.unique(gallery_codes, return_counts=True)
    if not len(classes):
        return np.zeros(len(query_codes), np.intp)
    place = np.minimum(np.searchsorted(classes, query_codes), len(classes) - 1)
    relevant = np.where(classes[place] == query_codes, sizes[place], 0)
    if self_rows is not None:
        relevant -= (self_rows >= 0) & (gallery_codes[self_rows] == query_codes)
    return relevant.astype(np.intp)


def _check_codes(name: str, codes: NDArray[np.integer], vectors: NDArray[np.float32]) -> None:
    if codes.shape != (len(vectors),) or not np.issubdtype(codes.dtype, np.integer):
        raise LikenessError(
            f"The {name} have {len(vectors)} vectors but class codes of shape {codes.shape} and type {codes.dtype}: "
            "give one integer per vector."
        )
