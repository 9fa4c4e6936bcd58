"""What is gained against what it costs: labelled points and their Pareto front."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.core.errors import HarnessError
from harness.figures import style

ACROSS = 4
PANEL = (2.3, 2.25)  # inches
AXIS, GAP = 0.45, 0.05  # beside a panel; between two names; inches
TOP, LINE = 1.35, 0.085  # of the vertical axis, with room for names; a line of text on it


def tradeoff(
    table: pd.DataFrame, title: str, subtitle: str = "", *, x_label: str, y_label: str
) -> Figure:
    """Draws one panel per column: costs on a logarithmic axis, the front as a line with names.

    Args:
        table: Columns ``column`` (panel), ``name``, ``seconds`` (above 0), ``spearman``, ``low``,
            ``high``, ``on_front``, ``n`` and, if some points are of another kind, ``other``. What
            lies below 0 or is undefined is counted.
        title: Heading.
        subtitle: Lines below it.
        x_label: Of all panels.
        y_label: Of all panels.

    Raises:
        HarnessError: If there is nothing to draw.
    """
    if table.empty:
        raise HarnessError("There is nothing to draw: the table is empty.")
    names = list(dict.fromkeys(table["column"]))
    across = min(ACROSS, len(names))
    down = math.ceil(len(names) / across)
    with style.context():
        width = max(across * PANEL[0] + 0.4, 4.2)
        figure = style.figure(width, down * PANEL[1] + 0.3, title, subtitle)
        axes = figure.subplots(down, across, sharey=True, squeeze=False).ravel()
        for ax in axes[len(names) :]:
            ax.remove()
        for ax, name in zip(axes, names, strict=False):
            _panel(ax, table[table["column"] == name])
        figure.supxlabel(x_label, size=style.TEXT)
        figure.supylabel(y_label, size=style.TEXT, y=style.middle(figure))
        style.settle(figure)
    return figure


def _panel(ax: Axes, rows: pd.DataFrame) -> None:
    other = rows["other"].astype(bool) if "other" in rows else pd.Series(False, index=rows.index)
    front = rows[rows["on_front"]].sort_values("seconds")
    ax.set_xscale("log")
    low, high = rows["seconds"].min(), rows["seconds"].max()
    beside = max((high / low) ** 0.12, 1.5)  # one cost alone has a width too
    ax.set_xlim(low / beside, high * beside)
    ax.plot(
        front["seconds"], front["spearman"],
        color=style.MUTED, linewidth=0.8, drawstyle="steps-post", zorder=1,
    )  # fmt: skip
    for chosen, colour, marker in ((~other, style.BLUE, "o"), (other, style.ORANGE, "s")):
        points = rows[chosen & (rows["spearman"] >= 0)]
        ax.vlines(points["seconds"], points["low"], points["high"], color=colour, linewidth=0.9)
        ax.plot(points["seconds"], points["spearman"], marker, color=colour, markersize=3)
    ax.set_ylim(0, TOP)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1])
    _names(ax, front)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color=style.PALE, linewidth=0.6)
    counts = {"below 0": (rows["spearman"] < 0).sum(), "undefined": rows["spearman"].isna().sum()}
    said = [
        f"n = {rows['n'].min()}",
        *(f"{count} {what}" for what, count in counts.items() if count),
    ]
    ax.set_title(f"{rows['column'].iloc[0]}\n{', '.join(said)}")


def _names(ax: Axes, front: pd.DataFrame) -> None:
    """Writes the names of the front above it, each with a line to its point, none on another."""
    start, end = np.log(ax.get_xlim())
    inches = (PANEL[0] - AXIS) / (end - start)
    taken: list[tuple[float, float, float]] = []
    for row in front.to_dict("records"):
        width = style.text_width(str(row["name"]), style.SMALL)
        x = (np.log(row["seconds"]) - start) * inches
        left = max(GAP, x - width)
        y = max(row["high"], row["spearman"]) + LINE / 3
        for other_left, other_right, height in sorted(taken, key=lambda one: one[2]):
            if left < other_right and left + width > other_left and abs(y - height) < LINE:
                y = height + LINE
        taken.append((left - GAP, left + width + GAP, y))
        ax.annotate(
            str(row["name"]),
            (row["seconds"], row["high"]),
            (float(np.exp(left / inches + start)), y),
            ha="left",
            va="bottom",
            size=style.SMALL,
            arrowprops={"arrowstyle": "-", "linewidth": 0.4, "color": style.MUTED, "shrinkB": 0},
        )
