"""Reads a table of a finished result, checked: whatever is wrong with the file is one sentence."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd

from harness.core.errors import DataError
from harness.results.folder import checked, unreadable


def stored_table(
    folder: Path, name: str, columns: Collection[str] = (), **options: Any
) -> pd.DataFrame:
    """Returns a CSV or parquet file of a result if it is the one that its record names.

    Args:
        folder: The result.
        name: The file; the end of its name says what it is.
        columns: Those that it must have.
        options: How pandas reads it.

    Raises:
        DataError: If it is missing, was changed, is no table or lacks a column.
    """
    path = checked(folder, name)
    read = pd.read_csv if path.suffix == ".csv" else pd.read_parquet
    try:
        table: pd.DataFrame = read(path, **options)
    except Exception as error:  # damaged footers and odd CSVs raise nearly anything
        raise unreadable(path, error) from error
    if missing := [column for column in columns if column not in table.columns]:
        raise DataError(
            f"{path} lacks the column {missing[0]!r}: it is of another version or another job; "
            "make the result again."
        )
    return table
