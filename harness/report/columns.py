"""The finished results of a folder, as the report reads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.errors import DataError
from harness.results import CORRELATIONS, RECORD, SCORES, SUMMARY, Result

# Trials of a user; what the tables of the paper are made of and show themselves.
SKIPPED = {"demo", "smoke", "ablation", "table3", "sensitivity", "report", "paper", "analysis"}
NO_BREAK = "\N{NO-BREAK SPACE}"
FULL = 1000
"""Architectures per seed of the published heat maps; fewer are marked."""

_SUMMARY = {"proxy", "seeds", "n", "spearman_mean", "spearman_low", "spearman_high", "kendall_mean"}
_SCORES = {"key", "proxy", "seed", "value", "status", "seconds", "truth"}
_RECORD = {"config", "truth", "inputs", "versions", "machine", "commit"}


@dataclass(frozen=True, kw_only=True)
class Column(Result):
    """A result as a column of the heat map.

    Attributes:
        root: The folder of all results.
    """

    root: Path

    @property
    def name(self) -> str:
        """Its folder below the results: ``nb201/cifar100``."""
        return self.folder.relative_to(self.root).as_posix()

    @property
    def has_place(self) -> bool:
        """Whether it lies at ``<space>/<task>``; otherwise in a folder with a name of its own."""
        return self.name.count("/") == 1

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
    found = [path.parent for path in folder.rglob(SCORES)]
    wanted = [path for path in found if not SKIPPED & set(path.relative_to(folder).parts)]
    if not wanted:
        raise DataError(
            f"There is no {SCORES} below {folder}, so there is nothing to report; run "
            "python -m harness space=nb201 task=cifar10 first, or name the folder with results=."
        )
    columns = [_complete(Column(path.parent.name, path.name, path, root=folder)) for path in wanted]
    return sorted(columns, key=lambda column: (not column.has_place, column.name))


def _complete(column: Column) -> Column:
    for file, wanted, found in (
        (SUMMARY, _SUMMARY, column.summary.columns),
        (CORRELATIONS, {"proxy", "seed", "spearman"}, column.correlations.columns),
        (SCORES, _SCORES, column.scores.columns),
        (RECORD, _RECORD, column.record),
    ):
        if missing := sorted(wanted - set(found)):
            raise DataError(
                f"{column.folder / file} lacks {', '.join(missing)}; run the result again to write "
                "it."
            )
    return column
