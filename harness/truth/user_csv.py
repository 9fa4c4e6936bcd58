"""Ground truth from a CSV of the user's own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.core.errors import HarnessError
from harness.spaces.space import spaces
from harness.truth import records

if TYPE_CHECKING:
    import pandas as pd

QUOTES = " A key that holds commas is written in double quotes."
FIRST_LINE = 2  # of a CSV's rows, after the header


def info(space: str, task: str) -> records.TruthInfo:
    """Describes such a table, as far as anybody but its owner can.

    Raises:
        HarnessError: If the space or its task is unknown.
    """
    spaces.get(space).task(task)
    return records.TruthInfo(
        space=space,
        task=task,
        variant="csv",
        metric="as in the user's file",
        split="as in the user's file",
        epochs=None,
        training_seeds="as in the user's file",
        aggregation="as in the user's file",
        n=None,
        sources=(),
        licence="the user's",
    )


def read(space: str, task: str, path: str | None) -> pd.DataFrame:
    """Reads a CSV with the columns ``key`` and ``value``; any other column is not read.

    A key may be written in any way that its space reads; one with commas needs double quotes.

    Raises:
        HarnessError: If the file is missing or unreadable, lacks a column, names an architecture
            twice or one that the space does not have, or holds a value that is not a number.
    """
    if path is None:
        raise HarnessError(
            f"The ground truth {space}/{task} of variant csv needs a file: path=my.csv with the "
            "columns key,value (truth.path=my.csv)."
        )
    import pandas as pd

    raw = _table(Path(path))
    keys = _keys(raw["key"].fillna(""), space, path)
    values = pd.to_numeric(raw["value"], errors="coerce").astype(float)
    if len(faulty := np.flatnonzero(~np.isfinite(values))):
        row = int(faulty[0])
        raise HarnessError(
            f"{path}, line {row + FIRST_LINE}: value {raw['value'].iloc[row]!r} is not a finite "
            "number."
        )
    return records.table(zip(keys, values, strict=True), n_training_seeds=None)


def _table(path: Path) -> pd.DataFrame:
    import pandas as pd

    if not path.is_file():
        wrong = "is a folder" if path.is_dir() else "does not exist"
        raise HarnessError(f"{path} {wrong}; expected a CSV with the columns key,value.")
    try:
        raw = pd.read_csv(path, dtype={"key": str})
    except (ValueError, UnicodeDecodeError) as error:
        raise HarnessError(
            f"{path} is not a readable CSV ({str(error).strip()}).{QUOTES}"
        ) from error
    if not isinstance(raw.index, pd.RangeIndex):
        raise HarnessError(f"{path} has rows of more fields than its header.{QUOTES}")
    if missing := {"key", "value"} - set(raw.columns):
        raise HarnessError(
            f"{path} lacks the column {' and '.join(sorted(missing))}; expected key,value, found "
            f"{','.join(map(str, raw.columns))}."
        )
    if raw.empty:
        raise HarnessError(f"{path} holds no architectures.")
    return raw


def _keys(written: Iterable[object], space: str, path: str) -> list[str]:
    lines: dict[str, int] = {}
    for line, text in enumerate(written, start=FIRST_LINE):
        try:
            key = spaces.get(space).canonical(str(text))
        except HarnessError as error:
            raise HarnessError(f"{path}, line {line}: {error}") from None
        if key in lines:
            raise HarnessError(
                f"{path}, line {line}: {key} appears a second time; line {lines[key]} names it too."
            )
        lines[key] = line
    return list(lines)
