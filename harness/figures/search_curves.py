"""Pictures of searches: how the best grows, and how μ controls the size of what is selected."""

from __future__ import annotations

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from harness.figures import style

PANEL = (3.1, 2.3)  # inches
CROWD = 4
"""Searches beyond which only means are drawn."""
LABELS = 12
"""How many values of μ a horizontal axis can name."""
JITTER = 0.12  # of the distance between two values of μ


def trajectory(runs: pd.DataFrame, title: str, subtitle: str = "") -> Figure:
    """Draws the best so far against evaluations: a line per search, thin ones per seed if few.

    A second panel shows the true accuracy of the best so far, where it is known.

    Args:
        runs: ``search`` (a line's name), ``seed``, ``evaluation``, and ``best_score`` or, where
            known, ``best_truth``, or both.
        title: Heading.
        subtitle: What was searched, on which images.
    """
    known = {"best_score": "best score so far", "best_truth": "its true accuracy (%)"}
    columns = {name: label for name, label in known.items() if name in runs}
    names = runs["search"].unique()
    colours = dict(zip(names, cycle(style.PALETTE), strict=False))
    with style.context():
        figure = style.figure(len(columns) * PANEL[0], PANEL[1], title, subtitle)
        axes = figure.subplots(1, len(columns), squeeze=False).ravel()
        for ax, (column, label) in zip(axes, columns.items(), strict=True):
            for name, rows in runs.groupby("search", sort=False):
                _lines(ax, rows, column, colours[name], str(name), seeds=len(names) <= CROWD)
            # The first few architectures are far below all that follows.
            low, high = runs[column].quantile(0.02), runs[column].max()
            if high > low:
                ax.set_ylim(low, high + 0.05 * (high - low))
            ax.set(xlabel="evaluated architectures", ylabel=label)
            _frame(ax)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(
            handles,
            labels,
            loc="outside lower center",
            ncols=3,
            frameon=False,
            fontsize=style.SMALL,
        )
        style.settle(figure)
    return figure


def _lines(
    ax: Axes, rows: pd.DataFrame, column: str, colour: object, label: str, *, seeds: bool
) -> None:
    # A search that ended earlier keeps what it found.
    table = rows.pivot_table(index="evaluation", columns="seed", values=column).ffill()
    if table.shape[1] > 1 and seeds:
        ax.plot(table.index, table, color=colour, alpha=0.25, linewidth=0.6)
    several = f"{label} (mean of {table.shape[1]} seeds)" if table.shape[1] > 1 else label
    ax.plot(table.index, table.mean(axis=1), color=colour, linewidth=1.4, label=several)


def size_control(
    sizes: pd.DataFrame, labels: dict[str, str], title: str, subtitle: str = ""
) -> Figure:
    """Draws the sizes of what searches selected against μ, a dot per search, jittered along μ.

    Args:
        sizes: ``mu`` and one column per kind of size.
        labels: Column -> axis label, one panel each.
        title: Heading.
        subtitle: What was searched, and the rank correlation.
    """
    values = np.unique(sizes["mu"])
    step = np.diff(values).min() if len(values) > 1 else 1.0
    jitter = np.random.default_rng(0).uniform(-JITTER, JITTER, len(sizes)) * step
    with style.context():
        # The labels of the vertical axes are longer than a panel of the trajectories is high.
        figure = style.figure(len(labels) * PANEL[0], 1.3 * PANEL[1], title, subtitle)
        axes = figure.subplots(1, len(labels), squeeze=False).ravel()
        for ax, (column, label) in zip(axes, labels.items(), strict=True):
            ax.scatter(
                sizes["mu"] + jitter, sizes[column], s=14, color=style.BLUE, alpha=0.6, linewidths=0
            )
            ax.set(xlabel="μ = σ (thousand parameters)", ylabel=label)
            if LABELS * step >= np.ptp(values):  # else their labels would overlap
                ax.set_xticks(values)
            _frame(ax)
        style.settle(figure)
    return figure


def _frame(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.yaxis.set_major_locator(MaxNLocator(5))
