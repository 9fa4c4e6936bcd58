"""Curves and histograms: one panel or a few beside each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.core.errors import HarnessError
from harness.figures import style

PANEL = (2.6, 2.1)  # inches
HANDLE = 0.45  # of a legend's entry, beside its name, inches
# Line styles and markers tell curves apart where colours cannot.
STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v")


@dataclass(frozen=True)
class Curve:
    """One line: its points and its name."""

    label: str
    x: npt.ArrayLike
    y: npt.ArrayLike


@dataclass(frozen=True)
class CurvePanel:
    """One panel of curves.

    Attributes:
        title: Above it.
        curves: At most five.
        x_ticks: Where to put ticks; None for the usual ones.
    """

    title: str
    curves: Sequence[Curve]
    x_ticks: Sequence[float] | None = None


def curves(
    shown: Sequence[CurvePanel],
    title: str,
    subtitle: str = "",
    *,
    x_label: str,
    y_label: str,
    markers: bool = False,
    log_x: bool = False,
) -> Figure:
    """Draws panels of curves, at most three in a row, with the same vertical axis and a legend.

    Args:
        shown: The panels.
        title: Heading.
        subtitle: What was measured.
        x_label: Of all panels.
        y_label: Of all panels.
        markers: Mark the points; for measured curves.
        log_x: Use a logarithmic horizontal axis.

    Raises:
        HarnessError: If there is nothing to draw, or a panel has too many curves.
    """
    if not shown or max(len(one.curves) for one in shown) > len(STYLES):
        raise HarnessError(f"A figure of curves takes panels of 1 to {len(STYLES)} curves.")
    columns = 2 if len(shown) == 4 else min(3, len(shown))
    rows = math.ceil(len(shown) / columns)
    with style.context():
        figure = style.figure(columns * PANEL[0] + 0.3, rows * (PANEL[1] + 0.45), title, subtitle)
        axes = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
        for ax in axes[len(shown) :]:
            ax.remove()
        for ax, one in zip(axes, shown, strict=False):
            if log_x:
                ax.set_xscale("log")
            _curves(ax, one, markers)
            ax.set(title=one.title, xlabel=x_label)
        figure.supylabel(y_label, size=style.TEXT, y=style.middle(figure))
        style.settle(figure)
    return figure


def _curves(ax: Axes, one: CurvePanel, markers: bool) -> None:
    for i, curve in enumerate(one.curves):
        ax.plot(
            curve.x,
            curve.y,
            label=curve.label,
            color=style.PALETTE[i],
            linestyle=STYLES[i],
            linewidth=1.2,
            marker=MARKERS[i] if markers else None,
            markersize=4,
        )
    if one.x_ticks is not None:
        ax.set_xticks(one.x_ticks, [f"{tick:g}" for tick in one.x_ticks])
        ax.minorticks_off()
    ax.spines[["top", "right"]].set_visible(False)
    widest = HANDLE + max(style.text_width(curve.label, style.SMALL) for curve in one.curves)
    # Below the panel, where no curve can run through it.
    ax.legend(
        frameon=False,
        fontsize=style.SMALL,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.24),
        ncols=max(1, min(3, int((PANEL[0] + 0.3) / widest))),
        columnspacing=1.0,
        handlelength=2.2,
    )


def histogram(
    values: npt.ArrayLike, title: str, subtitle: str = "", *, x_label: str, bins: int = 40
) -> Figure:
    """Draws how often values occur.

    Args:
        values: Finite numbers, at least one.
        title: Heading.
        subtitle: What was counted.
        x_label: What the values are, with their unit.
        bins: Of equal width, from the smallest to the largest value.
    """
    with style.context():
        figure = style.figure(4.8, 2.3, title, subtitle)
        ax = figure.add_subplot()
        ax.hist(values, bins=bins, color=style.BLUE, edgecolor="white", linewidth=0.4)
        ax.set(xlabel=x_label, ylabel="architectures")
        ax.spines[["top", "right"]].set_visible(False)
        style.settle(figure)
    return figure
