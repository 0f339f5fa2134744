"""What every query finds in a gallery: the values that all retrieval metrics are averages of."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import LikenessError
from core.metrics.ranking import visit_rows
from core.metrics.scorer import Items, Scorer

CUTOFFS = 20


@dataclass(frozen=True)
class QueryResults:
    """One value per counted query; a query counts if a candidate, other than itself, has its class.

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


def evaluate_queries(scorer: Scorer, codes: NDArray[np.integer], queries: Items, candidates: Items) -> QueryResults:
    """Rank the candidates for every query; exact, with ties going to the lower position among the candidates.

    A query never finds itself: the candidate of the same item number.

    Args:
        scorer: of n items.
        codes: class of each item, integers, shape ``(n,)``.
        queries: numbers of the items that ask, shape ``(q,)``.
        candidates: numbers of the items that are searched, the gallery, no two alike, shape ``(g,)``.

    Raises:
        LikenessError: the arrays do not fit together.

    >>> from core.metrics.scorer import Cosine
    >>> points, items = np.array([[1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32), np.arange(3)
    >>> found = evaluate_queries(Cosine(points), np.array([0, 0, 1]), items, items)
    >>> found.index.tolist(), found.reciprocal_rank.tolist(), found.left_out
    ([0, 1], [1.0, 1.0], 1)
    """
    _check(scorer, codes, queries, candidates)
    from core.metrics.ranking_kernels import judge

    kind = np.unique(codes, return_inverse=True)[1]
    asked, classes = kind[queries], kind[candidates]
    relevant = np.bincount(classes, minlength=len(codes))[asked] - np.isin(queries, candidates)
    precision = np.zeros((len(queries), CUTOFFS))
    nearest = np.full((len(queries), CUTOFFS), -1, np.int32)
    reciprocal, r_precision, ap_at_r = np.zeros((3, len(queries)))

    def visit(part: slice, scores: NDArray[np.float32]) -> None:
        judge(
            scores, asked[part], classes, relevant[part],
            precision[part], nearest[part], reciprocal[part], r_precision[part], ap_at_r[part],
        )  # fmt: skip

    visit_rows(scorer, queries, candidates, visit)
    counted = np.flatnonzero(relevant)
    return QueryResults(
        index=counted,
        codes=codes[queries][counted].astype(np.intp),
        relevant=relevant[counted],
        precision=precision[counted],
        reciprocal_rank=reciprocal[counted],
        r_precision=r_precision[counted],
        ap_at_r=ap_at_r[counted],
        nearest=nearest[counted],
        left_out=len(queries) - len(counted),
    )


def _check(scorer: Scorer, codes: NDArray[np.integer], queries: Items, candidates: Items) -> None:
    items = len(scorer)
    if codes.shape != (items,) or not np.issubdtype(codes.dtype, np.integer):
        raise LikenessError(
            f"There are {items} items but class codes of shape {codes.shape} and type {codes.dtype}: "
            "give one integer for each item."
        )
    for name, chosen in (("queries", queries), ("candidates", candidates)):
        whole = chosen.ndim == 1 and np.issubdtype(chosen.dtype, np.integer)
        if not whole or np.any((chosen < 0) | (chosen >= items)):
            raise LikenessError(f"The {name} must be a row of item numbers from 0 to {items - 1}.")
    if len(np.unique(candidates)) < len(candidates):
        raise LikenessError("An item is among the candidates twice: give each once.")
