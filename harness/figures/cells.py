"""DARTS cells as diagrams that read from left to right.

Every node has a row of its own, below those that it takes its inputs from. A line leaves a node
downwards and turns right into the row of each node that uses it, through a box with the operation.
So lines only ever cross at right angles, and no box covers another, whatever the cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.figures import style

Edges = Sequence[tuple[str, int]]
"""Eight (operation, source) pairs, two per node; sources 0 and 1 are the cell's inputs."""

INPUTS = ("$c_{k-2}$", "$c_{k-1}$")
COLUMN, ROW = 2.1, 1.0
BOX = 1.25  # width of an operation
COLOURS = {
    "sep_conv": style.BLUE,
    "dil_conv": style.GREEN,
    "skip": "0.35",
    "max_pool": style.ORANGE,
    "avg_pool": style.RED,
    "none": "0.6",
}


def cells(drawn: dict[str, Edges], title: str, subtitle: str = "") -> Figure:
    """Draws cells below each other.

    Args:
        drawn: Heading of each cell -> its edges.
        title: Heading of the figure.
        subtitle: Score and size of the architecture.
    """
    with style.context():
        figure = style.figure(6.4, 3.1 * len(drawn), title, subtitle)
        axes = figure.subplots(len(drawn), 1, squeeze=False).ravel()
        for ax, (heading, edges) in zip(axes, drawn.items(), strict=True):
            _cell(ax, edges)
            ax.set_title(heading, loc="left")
        style.settle(figure)
    return figure


def _cell(ax: Axes, edges: Edges) -> None:
    nodes = len(edges) // 2
    places = _places(nodes)
    right = places[-1][0] + 1.4
    for source, (x, y) in enumerate(places):
        used = [row for row, (_, s) in zip(_rows(places, edges), edges, strict=True) if s == source]
        if used:
            ax.plot([x, x], [y, min(used)], color=style.MUTED, linewidth=0.9, zorder=1)
    for (operation, source), y, position in zip(
        edges, _rows(places, edges), range(len(edges)), strict=True
    ):
        _edge(ax, operation, (places[source][0], y), places[2 + position // 2])
    for x, y in places[2:]:
        ax.plot([x, right], [y, y], color=style.MUTED, linewidth=0.9, zorder=1)
    ax.plot([right, right], [places[2][1], places[-1][1]], color=style.MUTED, linewidth=0.9)
    names = (*INPUTS, *map(str, range(nodes)))
    for name, (x, y) in zip(names, places, strict=True):
        _node(ax, name, x, y)
    _node(ax, "$c_k$", right, (places[2][1] + places[-1][1]) / 2)
    ax.set(xlim=(-0.5, right + 0.5), ylim=(places[-1][1] - 0.55, 0.45))
    ax.axis("off")


def _places(nodes: int) -> list[tuple[float, float]]:
    """Returns the places of the two inputs and of the nodes."""
    inputs = [(0.0, 0.0), (0.6, -0.5)]
    return inputs + [(0.6 + COLUMN * (1 + i), -1.2 - ROW * i) for i in range(nodes)]


def _rows(places: list[tuple[float, float]], edges: Edges) -> list[float]:
    """Returns the height of every edge: a little above and below its node."""
    return [places[2 + i // 2][1] + (0.22, -0.22)[i % 2] for i in range(len(edges))]


def _edge(ax: Axes, operation: str, start: tuple[float, float], node: tuple[float, float]) -> None:
    (x, y), (to_x, to_y) = start, node
    middle = to_x - 0.45 - BOX / 2
    ax.plot([x, middle], [y, y], color=style.MUTED, linewidth=0.9, zorder=1)
    ax.plot(x, y, marker="o", markersize=2.5, color=style.MUTED, zorder=2)
    ax.annotate(
        "",
        xy=(to_x - 0.17, to_y + (y - to_y) * 0.35),
        xytext=(middle, y),
        arrowprops={"arrowstyle": "-|>", "color": style.MUTED, "linewidth": 0.9},
        zorder=1,
    )
    colour = next((c for kind, c in COLOURS.items() if operation.startswith(kind)), style.INK)
    ax.text(middle, y, operation.replace("_", " "), **_text(colour), size=style.SMALL, zorder=3)


def _node(ax: Axes, name: str, x: float, y: float) -> None:
    ax.text(x, y, name, **_text(style.INK, pad=0.35), size=style.TEXT, zorder=4)


def _text(edge: Any, pad: float = 0.25) -> dict[str, Any]:
    box = {"boxstyle": f"round,pad={pad}", "facecolor": "white", "edgecolor": edge}
    return {"ha": "center", "va": "center", "bbox": box}
