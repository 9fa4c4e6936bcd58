"""Heat maps of rank correlations: one row per proxy, every number printed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from harness.core.errors import HarnessError
from harness.core.printing import printed
from harness.figures import style
from harness.stats.ranks import Floats
from harness.stats.summary import CROWDED

CELL = (0.5, 0.27)  # inches
BAR = 0.13  # width of the colour bar, inches
NOTE = 0.17  # height of the notes below the columns, inches
FADING = 0.6
NOISE_CEILING = "noise ceiling"


def heatmap(
    table: pd.DataFrame,
    *,
    title: str,
    subtitle: str = "",
    label: str = "Spearman's ρ",
    separate: str | None = None,
    apart: str | None = None,
    below: Sequence[str] = (),
    absent: npt.NDArray[np.bool_] | None = None,
    crowded: npt.NDArray[np.bool_] | None = None,
    faded: Sequence[bool] = (),
) -> Figure:
    """Draws correlations in [−1, 1] as coloured cells with two printed decimals.

    Args:
        table: Rows are proxies in the order to show, columns anything; the name of the column
            index becomes the axis label. NaN is drawn grey, hatched and marked with a dash.
        title: Heading.
        subtitle: What was measured: how many architectures, which accuracy, which images.
        label: What the numbers are, beside the colour bar.
        separate: A column, for example ``"mean"``, that a line sets apart from those before it.
        apart: A row that a line sets apart from those above it.
        below: A short note per column, between the cells and the column's name.
        absent: Of the table's shape: cells that were not scored, which stay empty.
        crowded: Of the table's shape: cells to mark with a corner, many scores at their ceiling.
        faded: Per column, whether it rests on too little and steps back.

    Returns:
        The figure, for ``style.save``.

    Raises:
        HarnessError: If the table is empty or holds a number outside [−1, 1].
    """
    values = table.to_numpy(dtype=float)
    if values.size == 0:
        raise HarnessError("There is nothing to draw: the table of correlations is empty.")
    if np.nanmax(np.abs(values), initial=0) > 1 + 1e-9:
        raise HarnessError("A heat map of correlations was given a number outside [−1, 1].")
    empty = np.zeros(values.shape, bool) if absent is None else absent
    undefined = bool((np.isnan(values) & ~empty).any())
    subtitle = style.with_marks(subtitle, undefined=undefined, absent=bool(empty.any()))
    width, height = _cells_size(table)
    names, foot = _label_room(table)
    with style.context():
        foot += NOTE if below else 0
        figure = style.figure(names + width + 0.9, height + foot, title, subtitle)
        ax = figure.add_subplot()
        cells = ax.pcolormesh(
            np.ma.masked_invalid(values),
            vmin=-1,
            vmax=1,
            cmap=style.DIVERGING,
            linewidths=0.6,
            edgecolor="white",
        )
        bar = figure.colorbar(
            cells,
            ax=ax,
            label=label,
            ticks=[-1, -0.5, 0, 0.5, 1],
            fraction=BAR / width,
            aspect=height / BAR,
        )
        bar.outline.set_linewidth(0)
        _fade(ax, len(table), np.flatnonzero(faded).tolist())
        _print_numbers(ax, values, empty, faded)
        _label(ax, table, separate, apart)
        _note(ax, len(table), below)
        for row, column in np.argwhere(crowded) if crowded is not None else ():
            corner = Polygon(_corner(row, column), facecolor=style.INK, linewidth=0, zorder=2)
            ax.add_patch(corner)
        style.settle(figure)
    return figure


def _fade(ax: Axes, rows: int, columns: Sequence[int]) -> None:
    """Lays a veil between the colours of columns and their numbers."""
    for column in columns:
        veil = Rectangle((column, 0), 1, rows, facecolor="white", alpha=FADING, linewidth=0)
        veil.set_zorder(2)
        ax.add_patch(veil)


def _corner(row: int, column: int) -> list[tuple[float, float]]:
    """Returns a triangle in the upper right corner of a cell, of equal legs on paper."""
    leg = 0.08
    x, y = leg / CELL[0], leg / CELL[1]
    return [(column + 1 - x, row), (column + 1, row), (column + 1, row + y)]


def correlation_heatmap(
    correlations: pd.DataFrame,
    summary: pd.DataFrame,
    title: str,
    subtitle: str = "",
    *,
    ceiling: float = np.nan,
    starred: Collection[str] = (),
) -> Figure:
    """Draws one run: a row per proxy, best mean first, a column per seed and their mean.

    Args:
        correlations: The result of ``stats.correlations`` for one space and task.
        summary: The result of ``stats.summary`` for the same scores.
        title: Heading.
        subtitle: How many architectures, which accuracy, which images.
        ceiling: The ρ that a perfect proxy would have, a row below the others; NaN for none.
        starred: Proxies whose names get a star, which the subtitle explains.

    Raises:
        HarnessError: If there is more than one space or task, or nothing at all.
    """
    if len(correlations[["space", "task"]].drop_duplicates()) > 1:
        raise HarnessError("A heat map over seeds shows one space and task; select one first.")
    # pivot_table would average duplicates, pivot refuses them.
    by_seed = correlations.pivot(index="proxy", columns="seed", values="spearman")  # noqa: PD010
    table = by_seed.reindex(summary["proxy"]).rename(columns=str)
    table["mean"] = summary.set_index("proxy")["spearman_mean"]
    table = table.rename(index={name: f"{name}*" for name in starred})
    shares = summary.get("at_ceiling", pd.Series(np.nan, index=summary.index))
    crowded = np.repeat(shares.to_numpy()[:, None] > CROWDED, table.shape[1], axis=1)
    apart = None if np.isnan(ceiling) else NOISE_CEILING
    if apart:
        table.loc[apart] = ceiling
    return heatmap(
        table, title=title, subtitle=subtitle, separate="mean", apart=apart, crowded=crowded
    )


def _cells_size(table: pd.DataFrame) -> tuple[float, float]:
    """Width and height of all cells together; few cells grow to leave room for the heading."""
    rows, columns = table.shape
    return max(columns * CELL[0], 1.5), max(rows * CELL[1], 1.1)


def _label_room(table: pd.DataFrame) -> tuple[float, float]:
    """Width of the longest row name, and height below the cells."""
    below = 0.75 * _widest(table.columns) if _crowded(table) else 0.2
    return _widest(table.index) + 0.1, below + (0.25 if table.columns.name else 0.1)


def _crowded(table: pd.DataFrame) -> bool:
    return _widest(table.columns) > 0.9 * _cells_size(table)[0] / table.shape[1]


def _widest(names: pd.Index) -> float:
    return max(style.text_width(str(name), style.TEXT) for name in names)


def _note(ax: Axes, rows: int, below: Sequence[str]) -> None:
    for column, text in enumerate(below):
        ax.annotate(
            text,
            (column + 0.5, rows),
            xytext=(0, -2),
            textcoords="offset points",
            ha="center",
            va="top",
            size=style.SMALL,
            color=style.MUTED,
            annotation_clip=False,
        )
    if below:
        ax.tick_params(axis="x", pad=3.5 + 72 * NOTE)


def _print_numbers(
    ax: Axes, values: Floats, absent: npt.NDArray[np.bool_], faded: Sequence[bool]
) -> None:
    colours = mpl.colormaps[style.DIVERGING]
    # Undefined cells are left open, so that the background of the axes shows through.
    ax.patch.set(facecolor=style.PALE, edgecolor="0.75", hatch="/////")
    for (row, column), value in np.ndenumerate(values):
        if absent[row, column]:
            ax.add_patch(Rectangle((column, row), 1, 1, facecolor="white", linewidth=0))
            continue
        defined = not np.isnan(value)
        pale = column < len(faded) and faded[column]
        dark = defined and not pale and style.is_dark(colours((value + 1) / 2))
        box = {"boxstyle": "round,pad=0.1", "facecolor": style.PALE, "edgecolor": "none"}
        ax.text(
            column + 0.5,
            row + 0.5,
            printed(value),
            ha="center",
            va="center",
            color="white" if dark else style.MUTED if pale else style.INK,
            bbox=None if defined else box,
        )


def _label(ax: Axes, table: pd.DataFrame, separate: str | None, apart: str | None) -> None:
    rows, columns = table.shape
    ax.set(xlabel=str(table.columns.name or ""), xlim=(0, columns), ylim=(rows, 0))
    ax.spines[:].set_visible(False)
    ax.set_xticks(np.arange(columns) + 0.5, map(str, table.columns))
    ax.set_yticks(np.arange(rows) + 0.5, map(str, table.index), va="center")
    ax.tick_params(length=0, labelsize=style.TEXT)
    for tick in ax.get_xticklabels() if _crowded(table) else []:
        tick.set(rotation=40, ha="right", rotation_mode="anchor")
    if separate is not None and separate in table.columns and table.shape[1] > 1:
        ax.axvline(list(table.columns).index(separate), color=style.INK, linewidth=1.2)
    if apart is not None:
        ax.axhline(list(table.index).index(apart), color=style.INK, linewidth=1.2)
