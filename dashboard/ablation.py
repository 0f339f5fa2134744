"""The fusion page's ablation: what each part is worth, and whether adding up pays."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.ablation import ALPHA, Ablation
from core.fusion import Fusion, reweighted
from core.metrics.verification import Estimate
from core.thresholds import Objective
from dashboard import fusion_charts, loaders, panels
from dashboard.fusing import Weights
from dashboard.selection import Selection, is_public
from dashboard.text import count, literal, plain

_NAME = "these weights"


def draw(
    selection: Selection, parts: Fusion, weights: Weights, usual: Fusion | None, objective: Objective, base_rate: float
) -> None:
    """A button, and once it was pressed the verdict, a chart and the table; other weights have to be asked for anew."""
    whole = reweighted(parts, weights, _NAME)
    crops = not is_public() and st.toggle(
        "Also on images cropped to their subject", key="crops", bind="query-params",
        help="Finds the subject of every validation and test image and embeds the crops once, which takes its time.",
    )  # fmt: skip
    asked = whole.fingerprint, repr(objective), base_rate, crops
    if st.session_state.get("_ablated") != asked:
        st.caption(
            "Every part left out and every part alone, each with its own threshold from validation, compared with the "
            "whole on the same test images. All pairs are counted, which takes a while for new weights."
        )
        st.button("Take it apart", icon=":material/account_tree:", type="primary", on_click=_ask, args=(asked,))
        return
    with panels.progress() as progress:
        others = [usual] if usual else []
        finder = loaders.detector() if crops else None
        found = loaders.ablation(selection.dataset, [whole, parts, *others], objective, base_rate, finder, progress)
    st.markdown(plain(found.verdict()))
    if found.left_out:
        st.caption(plain(found.note()))
    titles = {name: found.title(name) for name in found.rows[0].values}
    number = st.segmented_control(
        "By", list(titles), default=found.yardstick.name, format_func=titles.__getitem__, key="ablation_by",
        bind="query-params", required=True,
    )  # fmt: skip
    number = number if number in titles else found.yardstick.name
    panels.chart(
        fusion_charts.gains(found, number, titles[number]), table(found, number), "ablation",
        "Points with intervals: what the fusion gains over each variant",
    )  # fmt: skip
    _draw_table(found, number, titles)
    if usual:
        st.caption(f"{plain(usual.name)}: {plain(usual.origin)}")


def _ask(asked: object) -> None:
    st.session_state["_ablated"] = asked


def table(found: Ablation, number: str) -> pd.DataFrame:
    """One row a variant: a number on test, and what the whole fusion gains over it."""
    rows = []
    for row in found.rows:
        value, gain = row.values[number], row.gains.get(number)
        rows.append({
            "variant": literal(row.variant.label), "threshold": row.threshold, "value": value.value, "low": value.low,
            "high": value.high,
            **({"gain": gain.value, "gain low": gain.low, "gain high": gain.high, "p": gain.p_value,
                "p adjusted": gain.adjusted} if gain else {}),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _draw_table(found: Ablation, number: str, titles: dict[str, str]) -> None:
    rows = []
    for row in found.rows:
        gain = row.gains.get(number)
        rows.append({
            "variant": literal(row.variant.label),
            "threshold": f"{row.threshold:.4f}",
            **{title: _cell(row.values[name]) for name, title in titles.items()},
            f"gain in {titles[number]}": f"{gain.value:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]" if gain else "",
            "p": f"{gain.adjusted:.4f}" if gain else "",
        })  # fmt: skip
    comparisons = count(len(found.rows) - 1, "comparison")
    st.dataframe(
        pd.DataFrame(rows), hide_index=True,
        column_config={
            "threshold": st.column_config.TextColumn(help="Chosen on validation for the objective."),
            f"gain in {titles[number]}": st.column_config.TextColumn(
                help="How much better the whole fusion is on the same test images; positive is better. 95% intervals."
            ),
            "p": st.column_config.TextColumn(
                help=f"Two-sided, after Holm's correction for {comparisons}: below {ALPHA} it is more than chance."
            ),
        },
        alt="Each variant on test with intervals, and what the whole fusion gains over it",
    )  # fmt: skip


def _cell(found: Estimate) -> str:
    return f"{found.value:.4f} [{found.low:.4f}\N{EN DASH}{found.high:.4f}]"
