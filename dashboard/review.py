"""The threshold page's third answer: accept, reject, or let a person look."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.metrics.verification import Estimate, Verification
from core.review import Review, ReviewBand, review_band
from dashboard.text import interval, share


def settings(val: Verification) -> ReviewBand | None:
    """Draw the switch and the two limits; the band they ask for, chosen on validation, or None."""
    wanted = st.toggle(
        "Let a person look at doubtful pairs", key="review", bind="query-params",
        help="Scores between two limits get no automatic answer. The band is chosen on validation and goes into "
        "policy.json.",
    )  # fmt: skip
    if not wanted:
        return None
    fmr = st.number_input(
        "Accept wrongly at most", 0.0, 1.0, 0.001, format="%.4f", step=0.001, key="auto_fmr", bind="query-params",
        help="The largest share of different-class pairs that may be accepted unseen, on validation.",
    )  # fmt: skip
    fnmr = st.number_input(
        "Reject wrongly at most", 0.0, 1.0, 0.05, format="%.4f", step=0.01, key="auto_fnmr", bind="query-params",
        help="The largest share of same-class pairs that may be rejected unseen, on validation.",
    )  # fmt: skip
    return review_band(val, fmr, fnmr)


def draw(found: Review | None, base_rate: float) -> None:
    """What the band does, in words and as a table."""
    if found is None:
        st.caption(
            "Let a person look at doubtful pairs, under *Review and probability* above, "
            "and this says how many those are."
        )
        return
    low, high, test = found.band.reject, found.band.accept, found.test
    if low == high:
        st.markdown(f"Both limits are kept by one threshold, **{low:.4f}**: nothing has to be looked at.")
    else:
        st.markdown(
            f"Below **{low:.4f}** a pair is different, from **{high:.4f}** on the same, and a person looks at "
            f"{share(test.review.value)} {interval(test.review.low, test.review.high)} of test pairs at a base rate of "
            f"{base_rate:.4f}: {test.review.value * 1000:,.0f} of every 1,000."
        )
    rows = [
        ("looked at by a person", found.val.review, test.review),
        ("different pairs accepted unseen", found.val.fmr, test.fmr),
        ("same pairs rejected unseen", found.val.fnmr, test.fnmr),
    ]
    frame = pd.DataFrame(
        [(name, _text(val), _text(on_test)) for name, val, on_test in rows],
        columns=["share of pairs", "val (chosen here)", "test"],
    )
    st.dataframe(frame, hide_index=True, width="content", alt="What the review band does on validation and on test")


def _text(found: Estimate) -> str:
    return f"{found.value:.2%} [{found.low * 100:.2f}\N{EN DASH}{found.high * 100:.2f}]"
