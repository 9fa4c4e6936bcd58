"""Average ranks on a line; bars join what no test tells apart."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.core.errors import HarnessError
from harness.figures import style

WIDTH, ROW = 5.6, 0.2  # inches, of the figure and per name
STEP = 0.55  # rows from one bar to the next


def critical_differences(
    names: Sequence[str],
    ranks: Sequence[float],
    joined: Sequence[tuple[int, int]],
    title: str,
    subtitle: str = "",
    *,
    critical: float | None = None,
) -> Figure:
    """Draws a critical-difference diagram (Demšar 2006, figure 1).

    Args:
        names: The best first.
        ranks: Their average ranks, ascending.
        joined: First and last place of what cannot be told apart.
        title: Heading.
        subtitle: What was ranked and tested.
        critical: A difference of ranks, drawn as a scale above the line.

    Raises:
        HarnessError: If there is nothing to draw.
    """
    if not names:
        raise HarnessError("There is nothing to draw: no ranks were given.")
    half = math.ceil(len(names) / 2)
    depth = 1 + STEP * len(joined)  # rows between the line and the first name
    low, high = 1, max(2, len(names))
    with style.context():
        figure = style.figure(WIDTH, (depth + half + 2.2) * ROW + 0.2, title, subtitle)
        ax = figure.add_subplot()
        ax.set(xlim=(low - 0.02, high + 0.02), ylim=(depth + half, -2.2))
        ax.set_axis_off()
        ax.plot([low, high], [0, 0], color=style.INK, linewidth=0.9)
        for tick in range(low, high + 1):
            ax.plot([tick, tick], [-0.25, 0], color=style.INK, linewidth=0.9)
            ax.text(tick, -0.35, str(tick), ha="center", va="bottom", size=style.SMALL)
        if critical is not None and critical < high - low:
            _scale(ax, low, critical)
        for place, (name, rank) in enumerate(zip(names, ranks, strict=True)):
            left = place < half
            row = depth + (place if left else len(names) - 1 - place)
            _name(ax, f"{name} ({rank:.1f})", rank, (low if left else high, row), left=left)
        for number, (first, last) in enumerate(joined):
            y = 0.6 + STEP * number
            ax.plot(
                [ranks[first] - 0.04, ranks[last] + 0.04], [y, y], color=style.BLUE, linewidth=3
            )
        style.settle(figure)
    return figure


def _name(ax: Axes, text: str, rank: float, end: tuple[float, float], *, left: bool) -> None:
    """Leads a line from the rank down and out to the name at its end."""
    ax.plot([rank, rank, end[0]], [0, end[1], end[1]], color=style.MUTED, linewidth=0.7, zorder=0)
    ax.annotate(
        text,
        end,
        xytext=(-3 if left else 3, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        annotation_clip=False,
    )


def _scale(ax: Axes, low: float, critical: float) -> None:
    y = -1.5
    ax.plot([low, low + critical], [y, y], color=style.ORANGE, linewidth=1.2)
    for end in (low, low + critical):
        ax.plot([end, end], [y - 0.15, y + 0.15], color=style.ORANGE, linewidth=1.2)
    ax.text(
        low + critical / 2, y - 0.2, "critical difference", ha="center", va="bottom",
        size=style.SMALL, color=style.MUTED,
    )  # fmt: skip
