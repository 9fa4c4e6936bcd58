"""Ground truth from a CSV of the user's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from harness.errors import HarnessError
from harness.spaces import spaces
from harness.truth.records import TruthInfo


def info(space: str, task: str) -> TruthInfo:
    """Describes such a table, as far as anybody but its owner can.

    Raises:
        HarnessError: If the space or its task is unknown.
    """
    spaces.get(space).task(task)
    return TruthInfo(
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

    Raises:
        HarnessError: If the file is missing or unreadable, lacks a column, names an architecture
            twice or one that the space does not have, or holds a value that is not a number.
    """
    if path is None:
        raise HarnessError(
            f"The ground truth {space}/{task} of variant csv needs a file: path=my.csv with the "
            "columns key,value (truth.path=my.csv)."
        )
    raw = _table(Path(path))
    keys = _keys(raw["key"], space, path)
    values = pd.to_numeric(raw["value"], errors="coerce")
    if not (finite := np.isfinite(values)).all():
        line = _line(~finite)
        raise HarnessError(
            f"{path}, line {line}: value {raw['value'].iloc[line - 2]!r} is not a finite number."
        )
    seeds = pd.array([pd.NA] * len(raw), dtype="Int64")
    return pd.DataFrame({"key": keys, "value": values.astype(float), "n_training_seeds": seeds})


def _table(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise HarnessError(f"{path} does not exist; expected a CSV with the columns key,value.")
    try:
        raw = pd.read_csv(path, dtype={"key": str})
    except (ValueError, UnicodeDecodeError) as error:
        raise HarnessError(f"{path} is not a readable CSV ({error}).") from error
    if missing := {"key", "value"} - set(raw.columns):
        raise HarnessError(
            f"{path} lacks the column {' and '.join(sorted(missing))}; expected key,value, found "
            f"{','.join(map(str, raw.columns))}."
        )
    if raw.empty:
        raise HarnessError(f"{path} holds no architectures.")
    return raw


def _keys(written: pd.Series[str], space: str, path: str) -> list[str]:
    keys = []
    for line, key in enumerate(written, start=2):
        try:
            keys.append(spaces.get(space).canonical(str(key)))
        except HarnessError as error:
            raise HarnessError(f"{path}, line {line}: {error}") from None
    if (repeated := pd.Series(keys).duplicated()).any():
        line = _line(repeated)
        raise HarnessError(f"{path}, line {line}: {keys[line - 2]} appears a second time.")
    return keys


def _line(faulty: pd.Series[bool]) -> int:
    """Returns the line of the first faulty row; the header is line 1."""
    return int(np.flatnonzero(faulty.to_numpy())[0]) + 2
