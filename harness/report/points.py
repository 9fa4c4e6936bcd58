"""The scatter plot of scores against accuracies; the page switches its column and proxy."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from harness.core.printing import printed
from harness.figures.scatter import X_LABEL, axis_scale
from harness.report.columns import Column
from harness.report.page_style import BLUE, FONT, GRID, INK, LABEL, ORANGE

LIMIT = 2000
"""Points per panel. A seed's first architectures are a uniform draw, so the rest may go."""


def points(column: Column) -> dict[str, Any]:
    """Returns what the page needs to draw any proxy of one column.

    Args:
        column: The architectures of its lowest seed are shown, ``LIMIT`` at most.

    Returns:
        ``keys`` and ``truth`` (one per architecture), ``label`` of the accuracy, ``note`` about
        what is shown, and per proxy ``title``, ``scale``, ``label`` of the axis, ``values`` (null
        where undefined, six digits) and, on a rank axis, ``x``.
    """
    scores = column.scores[column.scores["seed"] == column.scores["seed"].min()]
    keys = list(dict.fromkeys(scores["key"]))
    shown = keys[:LIMIT]
    # With replacement an architecture repeats with the same score.
    table = scores.drop_duplicates(["key", "proxy"]).set_index(["proxy", "key"])
    truth = scores.drop_duplicates("key").set_index("key")["truth"]
    note = f"{len(shown)} architectures of seed {scores['seed'].iloc[0]}"
    return {
        "keys": shown,
        "truth": [_digits(value) for value in truth.loc[shown]],
        "label": str(column.record["truth"]["metric"]),
        "note": note + (f" (the first of {len(keys)})" if len(keys) > LIMIT else ""),
        "proxies": {
            str(row["proxy"]): _panel(row, table.loc[row["proxy"]].reindex(shown))
            for row in column.summary.to_dict("records")
        },
    }


def scatter() -> go.Figure:
    """Returns the empty plot: defined scores as dots, undefined ones as crosses at the left."""
    dots = go.Scatter(
        name="defined",
        mode="markers",
        marker={"size": 6, "color": BLUE, "opacity": 0.5},
        hovertemplate="%{text}<br>score %{customdata}<br>accuracy %{y}<extra></extra>",
    )
    crosses = go.Scatter(
        name="undefined or failed",
        mode="markers",
        marker={"size": 7, "color": ORANGE, "symbol": "x-thin", "line": {"width": 1.5}},
        hovertemplate="%{text}<br>no score (%{customdata})<br>accuracy %{y}<extra></extra>",
        xaxis="x2",
        cliponaxis=False,
    )
    crosses.marker.line.color = ORANGE
    figure = go.Figure([dots, crosses])
    figure.update_layout(
        template="none",
        font={"family": FONT, "size": 13, "color": INK},
        height=440,
        margin={"l": 62, "r": 12, "t": 12, "b": 52},
        hovermode="closest",
        hoverlabel=LABEL,
        dragmode=False,
        showlegend=False,
        xaxis2={"overlaying": "x", "range": [0, 1], "visible": False, "fixedrange": True},
    )
    axis = {"fixedrange": True, "gridcolor": GRID, "zeroline": False, "linecolor": INK}
    figure.update_xaxes(**axis, selector={"overlaying": None})
    figure.update_yaxes(**axis, title={"standoff": 8})
    return figure


def _panel(row: dict[Any, Any], rows: pd.DataFrame) -> dict[str, Any]:
    values = rows["value"].where(rows["status"] == "ok")
    defined = values.notna()
    scale = axis_scale(values[defined].to_numpy(dtype=float))
    low, high = printed(row["spearman_low"]), printed(row["spearman_high"])
    panel = {
        "title": f"ρ = {printed(row['spearman_mean'])} (95 % interval {low} to {high})",
        "scale": "log" if scale == "log" else "linear",
        "label": X_LABEL[scale],
        "values": [_digits(value) for value in values],
        "status": {i: str(s) for i, s in enumerate(rows["status"]) if s != "ok"},
    }
    if scale == "rank":
        panel["x"] = [_digits(rank) for rank in values.rank()]
    return panel


def _digits(value: float) -> float | None:
    """Six digits are more than the eye sees and keep the page small."""
    return None if pd.isna(value) else float(f"{value:.6g}")
