"""Finished results on disk: ``<root>/<space>/<task>/``, as ``job=correlate`` leaves them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from harness.errors import DataError, HarnessError

SCORES, RECORD = "scores.parquet", "run.json"


@dataclass(frozen=True)
class Result:
    """One space and task: its folder; tables are read when they are asked for."""

    space: str
    task: str
    folder: Path

    @property
    def label(self) -> str:
        """What a figure calls it."""
        return f"{self.space} · {self.task}"

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The table that the statistics take: a row per score, joined with the accuracy.

        Raises:
            DataError: If the file is broken.
        """
        path = self.folder / SCORES
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise DataError(f"{path} is corrupted ({error}); make the result again.") from error

    @cached_property
    def record(self) -> dict[str, Any]:
        """The provenance.

        Raises:
            DataError: If the file is missing or broken.
        """
        path = self.folder / RECORD
        try:
            record: dict[str, Any] = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise DataError(f"{path} cannot be read ({error}); make the result again.") from error
        return record


def find_results(root: Path | str) -> list[Result]:
    """Returns the results below a folder, by space and task.

    Raises:
        HarnessError: If there are none.
    """
    found = [
        Result(path.parent.parent.name, path.parent.name, path.parent)
        for path in sorted(Path(root).glob(f"*/*/{SCORES}"))
    ]
    if not found:
        raise HarnessError(
            f"There are no results in {root}; make some first, for example with "
            "python -m harness space=nb201 task=cifar100."
        )
    return found
