"""The threshold page's parts: what to aim for, what comes of it, and the pairs that go wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core import marks
from core.metrics.rates import RATES
from core.metrics.verification import FAR_LEVELS, RULE_OF_30, Verification
from core.pair_errors import PairList
from core.records import Dataset
from core.review import ReviewBand
from core.threshold_report import ThresholdReport
from core.thresholds import REPORTED, Choice, Objective, Outcome, choose
from dashboard import held_threshold, panels, probability, review
from dashboard.objectives import choose_base_rate, choose_objective
from dashboard.pair_picker import compare_link
from dashboard.selection import is_public
from dashboard.text import interval, plain, share

_WIDTH = 120


@dataclass(frozen=True)
class Setting:
    """What the analyst has set: ``choice`` serves the objective best, ``threshold`` is the one in use.

    ``band`` limits a third answer, or is None; ``method`` makes probabilities of scores.
    """

    objective: Objective
    base_rate: float
    choice: Choice
    threshold: float
    band: ReviewBand | None
    method: str


def settings(val: Verification, of: tuple[str, str]) -> Setting:
    """Draw the controls; the threshold follows the objective until the slider is moved, and again for another model.

    Args:
        val: validation pairs.
        of: the dataset and the model whose pairs they are.

    Raises:
        LikenessError: no threshold serves the objective.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        objective = choose_objective()
        base_rate = choose_base_rate(val.base_rate)
        with st.popover("Review and probability", icon=":material/tune:"):
            method = probability.settings()
            band = review.settings(val)
    choice = choose(val, objective, base_rate)
    low, high = held_threshold.ends(float(val.levels[1]), float(val.levels[-1]))
    threshold = held_threshold.current(choice.threshold, (of, repr(objective), base_rate))
    threshold = st.session_state["_threshold"] = min(max(threshold, low), high)
    st.slider("Threshold", low, high, step=held_threshold.STEP, format="%.4f", key="_threshold", on_change=_move)
    if threshold != choice.threshold:
        held_threshold.draw_back(choice.threshold)
    return Setting(objective, base_rate, choice, threshold, band, method)


def _move() -> None:
    """Callback: use the threshold that was set."""
    held_threshold.put(float(st.session_state["_threshold"]))


def sentence(found: ThresholdReport) -> str:
    """What the threshold does, in plain words."""
    fmr, fnmr = found.test.rates["fmr"], found.test.rates["fnmr"]
    text = (
        f"At **{found.threshold:.4f}** you wrongly match {share(fmr.value)} {interval(fmr.low, fmr.high)} of "
        f"different pairs and miss {share(fnmr.value)} {interval(fnmr.low, fnmr.high)} of same "
        "pairs, on test images that had no say in the choice."
    )
    apart = [RATES[name].title.lower() for name in found.apart]
    if apart:
        text += f" :orange[The {' and the '.join(apart)} differs between validation and test by more than chance.]"
    return text


def table(found: ThresholdReport) -> pd.DataFrame:
    """Validation and test side by side, one row a rate, with the limits of their 95% intervals."""
    rows = []
    for name in REPORTED:
        a, b = found.val.rates[name], found.test.rates[name]
        rows.append({
            "metric": RATES[name].title, "val": a.value, "val low": a.low, "val high": a.high,
            "test": b.value, "test low": b.low, "test high": b.high, "gap": b.value - a.value,
        })  # fmt: skip
    return pd.DataFrame(rows)


def draw_table(found: ThresholdReport) -> None:
    """The table, with the definition of what it holds."""
    frame = table(found)
    shown = frame[["metric", "val", "test", "gap"]].style.format("{:+.4f}", subset=["gap"])
    for side in ("val", "test"):
        for row in frame.index:
            value, low, high = (frame.at[row, f"{side}{end}"] for end in ("", " low", " high"))
            text = f"{value:.4f} {_limits(low, high)}"
            shown.format(lambda _, text=text: text, subset=([row], [side]))
    over = "95% intervals are taken over images, not pairs: pairs share images."
    st.dataframe(
        shown, hide_index=True,
        column_config={
            "metric": st.column_config.TextColumn(
                width=139, help="\n\n".join(f"**{RATES[name].title}**: {RATES[name].definition}" for name in REPORTED)
            ),
            "val": st.column_config.NumberColumn("val (chosen here)", width=151, help=over),
            "test": st.column_config.NumberColumn(width=151, help=over),
            "gap": st.column_config.NumberColumn(
                width=60, help="Test less val. A large gap: the choice does not carry over."
            ),
        },
        alt="Error rates at the threshold on validation and on test, with 95% intervals",
    )  # fmt: skip


def draw_confusion(test: Outcome) -> None:
    """Counts and rates of the four outcomes on test."""
    counts, fmr, fnmr = test.counts, test.rates["fmr"].value, test.rates["fnmr"].value
    cells = pd.DataFrame(
        {
            "test pairs": ["one class", "two classes"],
            "called same": [f"{counts.true_match:,} ({1 - fnmr:.1%})", f"{counts.false_match:,} ({fmr:.2%})"],
            "called different": [
                f"{counts.false_non_match:,} ({fnmr:.1%})",
                f"{counts.true_non_match:,} ({1 - fmr:.2%})",
            ],
        }
    )
    st.dataframe(cells, hide_index=True, alt="Confusion matrix of the test pairs in counts and rates")


def draw_tar(test: Verification) -> None:
    """Recall at small false match rates; greyed out where the pairs of the split cannot support it."""
    rows = []
    for far in FAR_LEVELS:
        found = test.tar_at_far(far)
        needed = f"needs {RULE_OF_30 / far:,.0f} pairs; there are {test.pairs[1]:,}"
        text = needed if found is None else f"{found.value:.4f} {_limits(found.low, found.high)}"
        rows.append({"FAR": f"{far:g}", "TAR (recall) on test": text})
    frame = pd.DataFrame(rows)
    unsupported = frame["TAR (recall) on test"].str.startswith("needs")
    st.dataframe(
        frame.style.apply(lambda row: ["color: #8a8a8a" * bool(unsupported[row.name])] * len(row), axis=1),
        hide_index=True,
        column_config={"FAR": st.column_config.TextColumn(help="False accept rate: another name of FMR."),
                       "TAR (recall) on test": st.column_config.TextColumn(
                           help="With fewer than 30 expected false matches such a rate is not known (rule of 30).")},
        alt="Recall at false match rates of 0.1, 0.01 and 0.001",
    )  # fmt: skip


def _limits(low: float, high: float) -> str:
    return f"[{low:.4f}\N{EN DASH}{high:.4f}]"


def draw_pairs(
    dataset: Dataset, found: PairList, name: str, empty: str,
    compare: Callable[[Dataset, int, int], None] = compare_link,
) -> None:  # fmt: skip
    """Image pairs with their scores, a way to compare each, and at each image a button for a wrong label."""
    marked = set(marks.marked_rows(dataset).tolist())
    if not len(found):
        st.caption(empty)
        return
    with st.container(horizontal=True, gap="medium"):
        for place, (ends, score) in enumerate(zip(found.rows.tolist(), found.scores.tolist(), strict=True)):
            with st.container(width=2 * _WIDTH + 20, gap=None):
                with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                    first, second = dataset.labels[ends]
                    st.caption(f"**{score:.4f}** {'one class' if first == second else 'two classes'}")
                    compare(dataset, ends[0], ends[1])
                with st.container(horizontal=True, gap="small"):
                    for side, row in enumerate(ends):
                        with st.container(width=_WIDTH, gap=None):
                            panels.picture(dataset, row, _WIDTH)
                            flag(dataset, row, f"flag-{name}-{place}-{side}", row in marked)


def flag(dataset: Dataset, row: int, key: str, marked: bool) -> None:
    """A button that marks the label of an image as wrong, or takes the mark away; in a public demo its label alone."""
    label = plain(str(dataset.labels[row]))
    if is_public():
        st.caption(label)
        return
    st.button(
        f":orange[{label}, marked]" if marked else label, key=key, type="tertiary",
        icon=":material/flag:" if marked else ":material/outlined_flag:",
        on_click=marks.unmark if marked else marks.mark, args=(dataset, row),
        help="Take the mark away." if marked else "This label looks wrong. The sidebar can leave marked images out.",
    )  # fmt: skip
