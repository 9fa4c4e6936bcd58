"""Rows of text and numbers, as tables in the terminal or as CSV for other programs."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from harness.core.errors import unknown

FORMATS = ("table", "csv")
Rows = Sequence[Mapping[str, Any]]


def check_format(name: str) -> None:
    """Refuses a format that does not exist.

    Raises:
        HarnessError: With those that do.
    """
    if name not in FORMATS:
        raise unknown("format", name, FORMATS)


def write_csv(rows: Rows) -> None:
    """Writes rows to the standard output, where nothing else may stand then."""
    writer = csv.DictWriter(sys.stdout, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def print_table(title: str, rows: Rows) -> None:
    """Prints rows under a title; numbers have six digits, and columns of nothing are left out."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    names = [name for name in rows[0] if any(row[name] != "" for row in rows)]
    for name in names:
        number = isinstance(rows[0][name], (int, float))
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in rows:
        cells = [row[name] for name in names]
        table.add_row(*(f"{cell:.6g}" if isinstance(cell, float) else str(cell) for cell in cells))
    Console().print(table, markup=False)
