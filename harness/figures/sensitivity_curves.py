"""Correlation against the number of images, one line per kind of input and number of repeats."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.figures import style

MARKERS = "osD^v"


def sensitivity(table: pd.DataFrame, title: str, subtitle: str = "") -> Figure:
    """Draws one panel per proxy.

    Args:
        table: Columns ``proxy``, ``inputs``, ``init``, ``images``, ``repeats``, ``n``,
            ``spearman_mean``, ``spearman_low`` and ``spearman_high``.
        title: Heading.
        subtitle: Lines below it.
    """
    proxies = list(dict.fromkeys(table["proxy"]))
    with style.context():
        figure = style.figure(3.0 * len(proxies), 2.6, title, subtitle)
        axes = figure.subplots(1, len(proxies), sharey=True, squeeze=False).ravel()
        for ax, proxy in zip(axes, proxies, strict=True):
            _panel(ax, table[table["proxy"] == proxy])
            ax.set_title(proxy)
        axes[0].set_ylabel("Spearman's ρ")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
        style.settle(figure)
    return figure


def _panel(ax: Axes, rows: pd.DataFrame) -> None:
    lines = rows.groupby(["inputs", "init", "repeats"], sort=False)
    for place, (_, line) in enumerate(lines):
        ordered = line.sort_values("images")
        mean = ordered["spearman_mean"]
        ax.errorbar(
            ordered["images"] * 1.03**place,  # so that bars of several lines can be told apart
            mean,
            yerr=(mean - ordered["spearman_low"], ordered["spearman_high"] - mean),
            label=_label(ordered.iloc[0]),
            color=(style.BLUE, style.ORANGE, style.GREEN, style.RED)[place % 4],
            marker=MARKERS[place % len(MARKERS)],
            markersize=3.5,
            linewidth=1,
        )
    ax.set_xscale("log", base=2)
    ticks = sorted(set(rows["images"]))
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.set_xlabel("images")
    ax.grid(axis="y", color=style.PALE, linewidth=0.6)


def _label(row: pd.Series) -> str:
    times = f", {row['repeats']} repeats" if row["repeats"] > 1 else ""
    return f"{row['inputs']}, {row['init']} weights{times}"
