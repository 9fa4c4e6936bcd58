"""Scores against accuracies, one small panel per proxy."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from harness.core.errors import HarnessError
from harness.core.printing import printed
from harness.figures import style
from harness.stats.ranks import Floats

Scale = Literal["linear", "log", "rank"]
PANEL = (1.75, 1.75)  # inches
X_LABEL: dict[Scale, str] = {
    "linear": "score",
    "log": "score (log axis)",
    "rank": "rank of score",
}


def scatter(
    scores: pd.DataFrame,
    summary: pd.DataFrame,
    title: str,
    subtitle: str = "",
    *,
    seed: int | None = None,
    truth_label: str = "accuracy",
    ceiling: float = np.nan,
) -> Figure:
    """Draws the architectures of one seed, one panel per proxy in the order of ``summary``.

    The panel's title gives ρ over all seeds. The horizontal axis is what ``axis_scale`` decides
    and says which. Undefined scores have no place on it: they are crosses at the left edge, their
    number stands below. Within ``style.drawing(ranks=True)`` both axes show ranks.

    Args:
        scores: The table that ``stats.correlations`` takes, of one space and task.
        summary: The result of ``stats.summary`` for the same scores.
        title: Heading.
        subtitle: How many architectures, which accuracy, which images.
        seed: Which seed's architectures to draw; the first (lowest) by default.
        truth_label: What the vertical axis shows.
        ceiling: The ρ that a perfect proxy would have, said below the heading; NaN for unknown.

    Raises:
        HarnessError: If there is nothing to draw, the seed has no scores, or there is more than
            one space or task.
    """
    shown = _one_seed(scores, seed)
    columns, rows = grid(len(summary))
    several = summary["seeds"].max() > 1
    note = f"Points: seed {shown['seed'].iloc[0]}." + (
        " ρ: mean ± standard deviation over seeds." if several else ""
    )
    if not np.isnan(ceiling):
        note += f" Noise of training leaves a perfect proxy ρ = {printed(ceiling)}."
    with style.context():
        figure = style.figure(
            max(columns * PANEL[0] + 0.35, 3.2),
            rows * PANEL[1] + 0.2,
            title,
            f"{subtitle}\n{note}",
        )
        truths = shown.groupby("proxy", sort=False)["truth"].transform(_on_axis)
        low, high = truths.min(), truths.max()
        pad = 0.06 * (high - low) or 1.0
        for place, row in enumerate(summary.to_dict("records")):
            ax = figure.add_subplot(rows, columns, place + 1)
            panel(ax, shown[shown["proxy"] == row["proxy"]])
            ax.set_title(f"{row['proxy']}\n{_rho(row['spearman_mean'], row['spearman_std'])}")
            # Not sharey=True, whose bookkeeping grows with the square of the number of panels.
            ax.set_ylim(low - pad, high + pad)
            ax.yaxis.set_major_locator(MaxNLocator(4, integer=style.ranked()))
            ax.tick_params(labelleft=place % columns == 0)
        figure.supylabel(axis_label(truth_label), size=style.TEXT, y=style.middle(figure))
        style.settle(figure)
    return figure


def axis_label(truth: str) -> str:
    """Returns what a vertical axis shows; ranks have no unit."""
    return f"rank of {truth.partition(' (')[0]}" if style.ranked() else truth


def _on_axis(values: pd.Series[float]) -> pd.Series[float]:
    """Returns where values stand on an axis: ranks, ties as their mean, if these are shown."""
    return values.rank() if style.ranked() else values


def grid(panels: int) -> tuple[int, int]:
    """Returns columns and rows: up to four in one row, then nearly square, five columns at most."""
    columns = panels if panels <= 4 else min(5, math.ceil(math.sqrt(panels)))
    return columns, math.ceil(panels / columns)


def axis_scale(values: Floats) -> Scale:
    """Chooses the axis on which the architectures can be told apart.

    A linear axis serves unless a few far-away scores would squeeze the others: the middle half
    covers less than a tenth of the range, or positive scores span two decades. Those go on a
    logarithmic axis if all are positive and span two decades, otherwise on ranks, which is what
    ρ sees anyway.

    Args:
        values: Defined scores, finite.
    """
    if len(values) < 2:
        return "linear"
    low, q05, q25, q75, q95, high = np.quantile(values, [0, 0.05, 0.25, 0.75, 0.95, 1])
    decades = low > 0 and q95 > 100 * q05
    squeezed = q75 - q25 < 0.1 * (high - low)
    if not (decades or squeezed):
        return "linear"
    return "log" if low > 0 and high > 100 * low else "rank"


def _one_seed(scores: pd.DataFrame, seed: int | None) -> pd.DataFrame:
    if scores.empty:
        raise HarnessError("There is nothing to draw: the score table is empty.")
    if len(scores[["space", "task"]].drop_duplicates()) > 1:
        raise HarnessError("A scatter plot shows one space and task; select one first.")
    chosen = scores["seed"].min() if seed is None else seed
    shown = scores[scores["seed"] == chosen]
    if shown.empty:
        known = ", ".join(str(s) for s in sorted(scores["seed"].unique()))
        raise HarnessError(f"There are no scores of seed {chosen}; the seeds are {known}.")
    return shown


def panel(ax: Axes, rows: pd.DataFrame, colour: style.Colour = style.BLUE) -> None:
    """Draws one panel: accuracy against score; crosses at the left edge are undefined scores.

    Args:
        ax: Where to.
        rows: Scores of one proxy: ``value``, ``status``, ``truth``.
        colour: Of the points.
    """
    rows = rows.assign(truth=_on_axis(rows["truth"]))
    ok, undefined = rows[rows["status"] == "ok"], rows[rows["status"] == "undefined"]
    values = ok["value"].to_numpy(dtype=float)
    scale = "rank" if style.ranked() else axis_scale(values)
    x = ok["value"].rank() if scale == "rank" else values
    alpha = 0.45 if len(ok) > 200 else 0.8  # few points do not hide each other
    ax.scatter(x, ok["truth"], s=4, color=colour, alpha=alpha, linewidths=0, rasterized=True)
    ax.scatter(
        np.zeros(len(undefined)),
        undefined["truth"],
        transform=ax.get_yaxis_transform(),  # 0 is the left edge, not the score 0
        marker="x",
        s=10,
        color=style.ORANGE,
        linewidths=0.7,
        clip_on=False,
        rasterized=True,
        zorder=3,
    )
    _axis(ax, scale if len(ok) else None)
    if len(ok) and values.min() == values.max():
        ax.set_xticks(np.asarray(x)[:1])  # one score; ticks around it would suggest others
    ax.set_xlabel(
        "\n".join(
            [
                X_LABEL[scale] if len(ok) else "no defined score",
                *([f"× {len(undefined)} undefined"] if len(undefined) else []),
                *([f"{n} failed"] if (n := len(rows) - len(ok) - len(undefined)) else []),
            ]
        )
    )


def _axis(ax: Axes, scale: Scale | None) -> None:
    """Few ticks that fit under a small panel, and room at the left for the undefined."""
    ax.margins(x=0.08)
    ax.spines[["top", "right"]].set_visible(False)
    if scale is None:
        ax.set_xticks([])
    elif scale == "log":
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(numticks=4))
        ax.xaxis.set_minor_locator(NullLocator())
    else:
        ax.xaxis.set_major_locator(MaxNLocator(3, integer=scale == "rank"))


def _rho(mean: float, deviation: float) -> str:
    spread = "" if np.isnan(mean) or np.isnan(deviation) else f" ± {deviation:.2f}"
    return f"ρ = {printed(mean)}{spread}"
