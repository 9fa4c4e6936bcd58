"""The finished results of a folder, as the report reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from harness.errors import DataError
from harness.results import Result

# Trials of a user; what the tables of the paper are made of and show themselves.
SKIPPED = {"demo", "smoke", "ablation", "table3", "report", "paper", "analysis"}
NO_BREAK = "\N{NO-BREAK SPACE}"
FULL = 1000
"""Architectures per seed of the published heat maps; fewer are marked."""

_SUMMARY = {"proxy", "seeds", "n", "spearman_mean", "spearman_low", "spearman_high", "kendall_mean"}
_SCORES = {"key", "proxy", "seed", "value", "status", "seconds", "truth"}
_RECORD = {"config", "truth", "inputs", "versions", "machine", "commit"}


@dataclass(frozen=True)
class Column:
    """What one run of ``job=correlate`` left: a column of the heat map.

    Attributes:
        name: Its folder below the results: ``nb201/cifar100``.
        result: Its scores and their provenance.
        summary: ``summary.csv``, one row per proxy.
        correlations: ``correlations.csv``, one row per proxy and seed.
    """

    name: str
    result: Result
    summary: pd.DataFrame
    correlations: pd.DataFrame

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.result.folder

    @property
    def scores(self) -> pd.DataFrame:
        """``scores.parquet``, one row per architecture, proxy and seed."""
        return self.result.scores

    @property
    def record(self) -> Mapping[str, Any]:
        """``run.json``, the provenance."""
        return self.result.record

    @property
    def has_place(self) -> bool:
        """Whether it lies at ``<space>/<task>``; otherwise in a folder with a name of its own."""
        return self.name.count("/") == 1

    @property
    def n(self) -> int:
        """Architectures per seed."""
        return int(self.summary["n"].max())

    @property
    def seeds(self) -> int:
        """Number of seeds."""
        return int(self.summary["seeds"].max())

    @property
    def stand_in(self) -> bool:
        """Whether other images took the place of the task's own."""
        return bool(self.record["inputs"]["stand_in"])

    @property
    def marks(self) -> str:
        """Signs that follow the name: † for fewer than 1000 architectures, ‡ for stand-ins."""
        return "†" * (self.n < FULL) + "‡" * self.stand_in

    @property
    def label(self) -> str:
        """The name with its marks."""
        return f"{self.name}{NO_BREAK}{self.marks}".strip()


def find_columns(folder: Path) -> list[Column]:
    """Reads every result below a folder, those of a space and task first, then by name.

    Args:
        folder: Where to look; folders in ``SKIPPED`` are left out.

    Raises:
        DataError: If there is no result, or a file of one is missing or not what it should be.
    """
    places = [path.parent for path in folder.rglob("scores.parquet")]
    names = {place: place.relative_to(folder).as_posix() for place in places}
    wanted = [place for place in places if not SKIPPED & set(names[place].split("/"))]
    if not wanted:
        raise DataError(
            f"There is no scores.parquet below {folder}, so there is nothing to report; run "
            "python -m harness space=nb201 task=cifar10 first, or name the folder with results=."
        )
    columns = [_read(place, names[place]) for place in wanted]
    return sorted(columns, key=lambda column: (not column.has_place, column.name))


def _read(folder: Path, name: str) -> Column:
    result = Result(folder.parent.name, folder.name, folder)
    try:
        tables = [pd.read_csv(folder / f"{file}.csv") for file in ("summary", "correlations")]
    except (OSError, ValueError) as error:  # pandas raises ValueErrors
        raise DataError(
            f"The result in {folder} cannot be read ({error}); run it again to write its files."
        ) from error
    column = Column(name, result, *tables)
    for file, wanted, found in (
        ("summary.csv", _SUMMARY, column.summary.columns),
        ("correlations.csv", {"proxy", "seed", "spearman"}, column.correlations.columns),
        ("scores.parquet", _SCORES, column.scores.columns),
        ("run.json", _RECORD, column.record),
    ):
        if missing := sorted(wanted - set(found)):
            raise DataError(
                f"{folder / file} lacks {', '.join(missing)}; run the result again to write it."
            )
    return column
