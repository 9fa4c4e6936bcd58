"""The heat map of all proxies and columns; the pointer shows what a number rests on."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.colors import diverging, sample_colorscale

from harness.core.printing import DASH, printed
from harness.figures.heatmap import FADING
from harness.figures.style import is_dark
from harness.proxies.contract import seeing_truth
from harness.report.columns import Column
from harness.report.page_style import FONT, GRID, INK, LABEL, MUTED
from harness.stats.ordering import rows_by_mean

ROW, LETTER = 27, 4.8  # pixels: one proxy; what a letter of a slanted name adds in height
BAR = 130  # pixels: the key of the colours
Cells = list[list[tuple[dict[Any, Any], str] | None]]
"""Proxy by column: the row of the summary and what the pointer shows; None where not scored."""

_GAPS = {"xgap": 2, "ygap": 2}
_HOVER = {"hovertemplate": "%{customdata}<extra></extra>", "hoverongaps": False}


def heatmap(columns: Sequence[Column]) -> go.Figure:
    """Draws Spearman's ρ of every proxy on every column, centred at 0 from red to blue.

    A cell whose correlation is undefined is grey with a dash; one that was not scored is empty. A
    column of few architectures steps back.

    Args:
        columns: One per column, in the order to show.
    """
    order = proxy_order(columns)
    cells = {
        (column.name, row["proxy"]): (row, _hover(column, row))
        for column in columns
        for row in column.summary.to_dict("records")
    }
    grid = [[cells.get((column.name, proxy)) for column in columns] for proxy in order]
    labels = [column.label for column in columns]
    few = [column.few for column in columns]
    undefined = [[cell is not None and _value(cell) is None for cell in row] for row in grid]
    faded = [
        [pale and cell is not None for pale, cell in zip(few, row, strict=True)] for row in grid
    ]
    figure = go.Figure(
        [
            _flat(undefined, labels, order, GRID).update(**_HOVER, customdata=_hovers(grid)),
            _colours(grid, labels, order),
            _flat(faded, labels, order, "white").update(opacity=FADING, hoverinfo="skip"),
            _numbers(grid, labels, order, few),
        ]
    )
    figure.update_layout(
        template="none",
        font={"family": FONT, "size": 12, "color": INK},
        height=max(ROW * len(order), BAR) + 30 + LETTER * max(map(len, labels)),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        dragmode=False,
        hoverlabel=LABEL,
        meta={"columns": [column.name for column in columns]},
    )
    axis = {"type": "category", "fixedrange": True, "showgrid": False, "zeroline": False}
    axis |= {"automargin": True, "ticks": ""}
    # The ticks are the categories' names, which the page reads; what is shown of them is plain.
    figure.update_xaxes(tickvals=labels, ticktext=[plain(label) for label in labels])
    figure.update_yaxes(tickvals=order, ticktext=[plain(name) for name in order])
    figure.update_xaxes(**axis, tickangle=-40, side="top", range=[-0.5, len(labels) - 0.5])
    figure.update_yaxes(**axis, range=[len(order) - 0.5, -0.5])
    return figure


def plain(name: object) -> str:
    """Returns a name as Plotly shows it: it takes some tags of HTML in labels for tags."""
    return html.escape(str(name), quote=False)


def proxy_order(columns: Sequence[Column]) -> list[str]:
    """Returns the proxies by mean ρ, those of every column first, see ``rows_by_mean``."""
    means = [column.summary.set_index("proxy")["spearman_mean"].fillna(0) for column in columns]
    return rows_by_mean(pd.concat(means, axis="columns"))


def _colours(grid: Cells, labels: list[str], order: list[str]) -> go.Heatmap:
    return go.Heatmap(
        x=labels,
        y=order,
        z=[[_value(cell) for cell in row] for row in grid],
        zmin=-1,
        zmax=1,
        colorscale=diverging.RdBu,
        colorbar={
            "title": {"text": "ρ"},
            "tickvals": [-1, 0, 1],
            "thickness": 10,
            "outlinewidth": 0,
            "lenmode": "pixels",
            "len": BAR,
            "y": 1,
            "yanchor": "top",
            "xpad": 6,
        },
        **_GAPS,
        **_HOVER,
        customdata=_hovers(grid),
    )


def _flat(mask: list[list[bool]], labels: list[str], order: list[str], colour: str) -> go.Heatmap:
    """Cells of one colour; the others are left open."""
    return go.Heatmap(
        x=labels,
        y=order,
        z=[[0 if cell else None for cell in row] for row in mask],
        colorscale=[[0, colour], [1, colour]],
        showscale=False,
        **_GAPS,
    )


def _numbers(grid: Cells, labels: list[str], order: list[str], few: list[bool]) -> go.Scatter:
    """The printed values; a heat map's own text would not keep its contrast on middle colours."""
    places = [
        (label, proxy, _value(cell), pale)
        for proxy, row in zip(order, grid, strict=True)
        for label, cell, pale in zip(labels, row, few, strict=True)
        if cell is not None
    ]
    return go.Scatter(
        x=[label for label, *_ in places],
        y=[proxy for _, proxy, *_ in places],
        mode="text",
        text=[DASH if value is None else printed(value) for *_, value, _ in places],
        textfont={"size": 12, "color": [_ink(value, pale) for *_, value, pale in places]},
        hoverinfo="skip",
        cliponaxis=False,
    )


def _ink(value: float | None, pale: bool) -> str:
    if pale:
        return MUTED
    if value is None:
        return INK
    (colour,) = sample_colorscale(diverging.RdBu, [(value + 1) / 2], colortype="tuple")
    return "white" if is_dark(colour) else INK


def _hovers(grid: Cells) -> list[list[str]]:
    return [["" if cell is None else cell[1] for cell in row] for row in grid]


def _value(cell: tuple[dict[Any, Any], str] | None) -> float | None:
    if cell is None or pd.isna(cell[0]["spearman_mean"]):
        return None
    return round(float(cell[0]["spearman_mean"]), 4)


def _crowded(column: Column, row: Mapping[Any, Any]) -> list[float]:
    return [share for proxy, share in column.crowded.items() if proxy == row["proxy"]]


def _hover(column: Column, row: Mapping[Any, Any]) -> str:
    own = column.correlations[column.correlations["proxy"] == row["proxy"]]
    seeds = ", ".join(printed(value) for value in own.sort_values("seed")["spearman"])
    low, high = printed(row["spearman_low"]), printed(row["spearman_high"])
    lines = [
        f"<b>{plain(row['proxy'])}</b> on {plain(column.name)}",
        f"ρ = {printed(row['spearman_mean'])}, 95 % interval {low} to {high}",
        f"Kendall's τ = {printed(row['kendall_mean'])}",
        f"{row['n']} architectures, {row['seeds']} seed{'s' * (row['seeds'] > 1)}: {seeds}",
        f"{row.get('n_undefined', 0)} undefined, {row.get('n_failed', 0)} failed scores",
        *(["stand-in images"] if column.stand_in else []),
        *(["made with the accuracies"] if seeing_truth([row["proxy"]]) else []),
        *(f"{share:.0%} of the scores at their ceiling" for share in _crowded(column, row)),
    ]
    return "<br>".join(lines)
