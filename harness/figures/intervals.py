"""Estimates with their intervals, one row per proxy, one panel per space and task."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.core.errors import HarnessError
from harness.core.printing import DASH, NOT_SCORED
from harness.figures import style

COLUMNS = 4
PANEL_WIDTH, ROW_HEIGHT, PANEL_FRAME = 1.75, 0.155, 0.67  # inches
FEWEST_ROWS = 4  # fewer have that much room too: titles and ticks need it


def intervals(
    table: pd.DataFrame,
    value: str,
    title: str,
    subtitle: str = "",
    *,
    label: str = "",
    other: str | None = None,
    reference: float = 0.0,
    line: str | None = None,
    absence: str = NOT_SCORED,
) -> Figure:
    """Draws a dot and its interval for every proxy, with the same axis in every panel.

    A dash stands where an estimate is undefined; a row is empty where the table has none.

    Args:
        table: Columns ``column`` (panel), ``proxy``, ``n``, ``low``, ``high`` and ``value``.
        value: Column of the estimate.
        title: Heading.
        subtitle: Lines below it.
        label: What the axis shows; the name of ``value`` by default.
        other: Column of a second estimate without an interval, drawn as a hollow dot.
        reference: Where a line stands: what there would be without any effect.
        line: Column of one number per panel, drawn as a vertical line; NaN for none.
        absence: What an empty row means.

    Raises:
        HarnessError: If there is nothing to draw.
    """
    if table.empty:
        raise HarnessError("There is nothing to draw: the table is empty.")
    panels = list(dict.fromkeys(table["column"]))
    proxies = _order(table, value)
    subtitle = style.with_marks(
        subtitle,
        undefined=bool(table[value].isna().any()),
        absent=len(table.drop_duplicates(["column", "proxy"])) < len(panels) * len(proxies),
        absence=absence,
    )
    across = min(COLUMNS, len(panels))
    down = math.ceil(len(panels) / across)
    with style.context():
        figure = style.figure(
            max(across * PANEL_WIDTH + 1.2, 4.2),
            down * (max(len(proxies), FEWEST_ROWS) * ROW_HEIGHT + PANEL_FRAME),
            title,
            subtitle,
        )
        axes = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
        for ax in axes[len(panels) :]:
            ax.remove()
        for ax in axes[len(panels) - across : len(panels)]:
            ax.tick_params(labelbottom=True)  # also above the gaps of the last row
        for ax, name in zip(axes, panels, strict=False):
            rows = table[table["column"] == name]
            ax.axvline(reference, color=style.MUTED, linewidth=0.6, zorder=0)
            _panel(ax, rows, proxies, value, other)
            if line is not None and np.isfinite(rows[line].iloc[0]):
                ax.axvline(rows[line].iloc[0], color=style.RED, linewidth=0.9, zorder=0)
            ax.set_title(f"{name}\n{_count(rows)}")
        axes[0].set_yticks(range(len(proxies)), proxies)
        axes[0].set_ylim(len(proxies) - 0.5, -0.5)
        figure.supxlabel(label or value, size=style.TEXT)
        style.settle(figure)
    return figure


def _order(table: pd.DataFrame, value: str) -> list[str]:
    """Returns the proxies, the largest mean over panels first."""
    means = table.groupby("proxy", sort=False)[value].mean()
    return [str(name) for name in means.sort_values(ascending=False, kind="stable").index]


def _count(rows: pd.DataFrame) -> str:
    smallest, largest = int(np.min(rows["n"])), int(np.max(rows["n"]))
    return f"n = {smallest}" if smallest == largest else f"n = {smallest} to {largest}"


def _panel(ax: Axes, rows: pd.DataFrame, proxies: list[str], value: str, other: str | None) -> None:
    places = [proxies.index(name) for name in rows["proxy"]]
    ax.hlines(places, rows["low"], rows["high"], color=style.BLUE, linewidth=1.2)
    ax.plot(rows[value], places, "o", color=style.BLUE, markersize=3, clip_on=False)
    if other is not None:
        ax.plot(
            rows[other], places, "o", markersize=3.4, markeredgewidth=0.8,
            markerfacecolor="none", color=style.ORANGE, zorder=0,
        )  # fmt: skip
    for place in np.flatnonzero(rows[value].isna()):
        ax.text(
            0.04, places[place], DASH, transform=ax.get_yaxis_transform(),
            ha="left", va="center", color=style.MUTED,
        )  # fmt: skip
    ax.grid(axis="y", color=style.PALE, linewidth=0.6)
    ax.tick_params(length=0, axis="y")
