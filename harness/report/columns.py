"""The finished results of a folder, as the report reads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import DataError
from harness.results.finished import Result
from harness.results.layout import CORRELATIONS, RECORD, SCORES, SUMMARY, TRIALS

# Beside trials, what the tables of the paper are made of and show themselves; also ablation_16.
SKIPPED = {*TRIALS, "ablation", "table3", "sensitivity"}
NO_BREAK = "\N{NO-BREAK SPACE}"
FULL = 1000
"""Architectures per seed of the published heat maps; fewer are marked."""

_SUMMARY = {"proxy", "seeds", "n", "spearman_mean", "spearman_low", "spearman_high", "kendall_mean"}
_SCORES = {"key", "proxy", "seed", "value", "status", "seconds", "truth"}
_RECORD = {"config", "truth", "inputs", "versions", "computed", "commit"}


@dataclass(frozen=True, kw_only=True)
class Column(Result):
    """A result as a column of the heat map.

    Attributes:
        study: The study that it belongs to.
    """

    study: str

    @property
    def name(self) -> str:
        """``nb201/cifar100``, with the study before it unless that is the main one."""
        place = f"{self.space}/{self.task}"
        return place if self.in_main else f"{self.study}/{place}"

    @property
    def in_main(self) -> bool:
        """Whether it belongs to the main study."""
        return self.study == "main"

    @property
    def marks(self) -> str:
        """Signs that follow the name: † for fewer than 1000 architectures, ‡ for stand-ins."""
        return "†" * (self.n < FULL) + "‡" * self.stand_in

    @property
    def label(self) -> str:
        """The name with its marks."""
        return f"{self.name}{NO_BREAK}{self.marks}".strip()


def find_columns(root: Path) -> list[Column]:
    """Reads the results of every study, those of the main one first, then by name.

    Args:
        root: Folder of all results; studies in ``SKIPPED``, and their variants, are left out.

    Raises:
        DataError: If there is no result, or a file of one is missing or not what it should be.
    """
    places = [path.parent.relative_to(root).parts for path in root.rglob(SCORES)]
    columns = [
        _complete(Column(space, task, root.joinpath(*study, space, task), study="/".join(study)))
        for *study, space, task in places
        if study and study[0].partition("_")[0] not in SKIPPED and not task.startswith(".")
    ]
    if not columns:
        raise DataError(
            f"There is no {SCORES} in a study of {root}, so there is nothing to report; run "
            "python -m harness space=nb201 task=cifar10 first, or name the folder with results=."
        )
    return sorted(columns, key=lambda column: (not column.in_main, column.name))


def _complete(column: Column) -> Column:
    for file, wanted, found in (
        (RECORD, _RECORD, column.record),
        (SUMMARY, _SUMMARY, column.summary.columns),
        (CORRELATIONS, {"proxy", "seed", "spearman"}, column.correlations.columns),
        (SCORES, _SCORES, column.scores.columns),
    ):
        if missing := sorted(wanted - set(found)):
            raise DataError(
                f"{column.folder / file} lacks {', '.join(missing)}; run the result again to write "
                "it."
            )
    return column
