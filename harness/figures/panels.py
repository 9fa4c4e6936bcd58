"""Scores against accuracies, one small panel per space and task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from harness.core.errors import HarnessError
from harness.figures import style
from harness.figures.scatter import axis_label, panel

PANEL = (2.0, 1.75)  # inches


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        title: One or two lines above it.
        rows: What ``scatter.panel`` draws: ``value``, ``status``, ``truth``.
        group: Panels of one group share a colour.
    """

    title: str
    rows: pd.DataFrame
    group: str = ""


def panels(
    shown: Sequence[Panel],
    title: str,
    subtitle: str = "",
    *,
    columns: int = 4,
    truth_label: str = "ground truth",
) -> Figure:
    """Draws several spaces and tasks; every panel has its own axes.

    Args:
        shown: The panels, row by row.
        title: Heading.
        subtitle: What was measured.
        columns: Panels per row at most.
        truth_label: What the vertical axes show.

    Raises:
        HarnessError: If there is nothing to draw.
    """
    if not shown:
        raise HarnessError("There is nothing to draw: no panel was given.")
    columns = min(columns, len(shown))
    rows = math.ceil(len(shown) / columns)
    groups = list(dict.fromkeys(one.group for one in shown))
    with style.context():
        width = max(columns * PANEL[0] + 0.4, 3.2)
        figure = style.figure(width, rows * PANEL[1] + 0.2, title, subtitle)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax in axes[len(shown) :]:
            ax.remove()
        for ax, one in zip(axes, shown, strict=False):
            panel(ax, one.rows, style.PALETTE[groups.index(one.group) % len(style.PALETTE)])
            ax.set_title(one.title)
            ax.yaxis.set_major_locator(MaxNLocator(4, integer=style.ranked()))
        figure.supylabel(axis_label(truth_label), size=style.TEXT, y=style.middle(figure))
        style.settle(figure)
    return figure
