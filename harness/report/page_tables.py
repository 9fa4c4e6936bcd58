"""Tables as the page shows them: readable cells that still sort by their exact value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from harness.core.printing import DASH, MINUS

ROWS = 30
"""A longer table of a file is a link to that file."""

DIGITS = 6
"""Significant digits of what cells sort by and points lie at."""

_JUDGED = {
    **dict.fromkeys(("True", "yes"), ("yes", "yes")),
    **dict.fromkeys(("False", "no"), ("no", "no")),
    "agrees": ("agrees", "yes"),
    "differs": ("differs", "no"),
}


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: What is read.
        sort: What it is sorted by and what a CSV gets: the number to ``DIGITS``, or the text; empty
            if missing.
        kind: ``number``, ``text``, ``yes`` or ``no``.
        link: Where it leads; may be empty.
    """

    text: str
    sort: str
    kind: str
    link: str = ""


@dataclass(frozen=True)
class Table:
    """A table with its heading.

    Attributes:
        caption: What it shows.
        columns: Name and whether it is right-aligned.
        rows: The cells.
        total: Rows of the whole table; if there are more than ``rows`` holds, only its file is
            shown.
        file: Where the whole table lies, relative to the page; may be empty.
    """

    caption: str
    columns: list[tuple[str, bool]]
    rows: list[list[Cell]]
    total: int
    file: str = ""


def table(
    frame: pd.DataFrame,
    caption: str,
    *,
    names: Mapping[str, str] | None = None,
    file: str = "",
    limit: int | None = ROWS,
) -> Table:
    """Lays out a data frame.

    Args:
        frame: Its index is not shown.
        caption: What the table shows.
        names: Heading of a column, where its own name would not do.
        file: Where the whole table lies.
        limit: The most rows to show; None for any number.
    """
    names = names or {}
    columns = [
        (
            names.get(str(name), str(name).replace("_", " ")),
            pd.api.types.is_numeric_dtype(frame[name]) and frame[name].dtype != bool,
        )
        for name in frame.columns
    ]
    shown = frame if limit is None or len(frame) <= limit else frame.head(0)
    rows = [[cell(value) for value in row] for row in shown.itertuples(index=False, name=None)]
    return Table(caption, columns, rows, len(frame), file)


def arranged(made: Table, wanted: Sequence[str]) -> Table:
    """Takes the named columns, as far as there are any, in that order; the file has the others."""
    names = [name for name, _ in made.columns]
    order = [names.index(name) for name in wanted if name in names]
    columns = [made.columns[i] for i in order]
    return replace(made, columns=columns, rows=[[row[i] for i in order] for row in made.rows])


def cell(value: Any) -> Cell:
    """Formats one value: three decimals, thousands separated, yes and no, a dash for missing."""
    if isinstance(value, Cell):
        return value
    if pd.isna(value):
        return Cell(DASH, "", "text")
    if str(value) in _JUDGED:
        text, kind = _JUDGED[str(value)]
        return Cell(text, text, kind)
    if isinstance(value, (int, float)):
        exact = str(value) if isinstance(value, int) else f"{value:.{DIGITS}g}"
        return Cell(number(value), exact, "number")
    return Cell(str(value), str(value), "text")


def number(value: float) -> str:
    """Writes a number for people: ``0.833``, ``−0.120``, ``15,625``, ``3.2e−05``."""
    if isinstance(value, int):
        text = f"{value:,}" if abs(value) >= 10_000 else str(value)
    elif abs(value) >= 10_000:
        text = f"{value:,.0f}"
    elif value and abs(value) < 5e-4:
        text = f"{value:.1e}"
    else:
        text = f"{value:.3f}".removeprefix("-") if round(value, 3) == 0 else f"{value:.3f}"
    return text.replace("-", MINUS)
