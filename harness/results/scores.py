"""Scores that a folder of results holds: the data set of all of them, and those of one result."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from harness.core.errors import HarnessError, cut
from harness.core.files import is_file
from harness.core.typed import checked
from harness.results.collection import COLUMNS, FOLDER, file_of
from harness.results.finished import Result
from harness.results.folder import read_record
from harness.results.layout import RECORD
from harness.results.stored_table import stored_table

__all__ = ["load", "of_study"]


@checked
def load(space: str, task: str, *, results: Path | str = "results") -> pd.DataFrame:
    """Loads every score of a space and task that the data set in ``results/scores`` holds.

    Args:
        space: Search space.
        task: Task.
        results: Folder of all results: that of a clone of the repository, or your own.

    Returns:
        One row per architecture, proxy, seed and conditions, with the columns that the data card
        beside the files explains; ``attrs["conditions"]`` says what each fingerprint in
        ``conditions`` means.

    Raises:
        HarnessError: If there is no data set, or it has nothing of that space and task.
        DataError: If it is damaged.
    """
    folder = Path(results, FOLDER)
    if not is_file(folder / RECORD):
        raise HarnessError(
            f"There is no data set of scores in {cut(folder)}. It comes with the repository and "
            "not with the package: clone that, and start at its root or name its folder, "
            'results="CLONE/results". Of results of your own, python -m harness job=collect makes '
            "one."
        )
    record = read_record(folder)
    name = file_of(space, task)
    if name not in record["files"]:
        held = ", ".join(sorted(Path(file).stem for file in record["files"] if "-" in file))
        raise HarnessError(
            f"The data set in {cut(folder)} has no scores of {cut(space)} and {cut(task)}; it has "
            f"{held}."
        )
    table = stored_table(folder, name, COLUMNS)
    known = record["fingerprints"]
    table.attrs["conditions"] = {name: known[name] for name in table["conditions"].unique()}
    return table


@checked
def of_study(
    space: str, task: str, *, study: str = "main", results: Path | str = "results"
) -> pd.DataFrame:
    """Loads the scores of one finished result, checked against its record.

    Args:
        space: Search space.
        task: Task.
        study: Which study.
        results: Folder of all results.

    Returns:
        One row per draw, proxy and seed: ``space``, ``task``, ``key``, ``proxy``, ``seed``,
        ``draw``, ``value`` (NaN unless ``status`` is ``ok``), ``status``, ``seconds``,
        ``message``, ``conditions``, ``machine`` and ``truth`` (the accuracy). ``attrs`` holds the
        record of the result.

    Raises:
        HarnessError: If there is no such result.
        DataError: If it is damaged.
    """
    folder = Path(results, study, space, task)
    if not is_file(folder / RECORD):
        raise HarnessError(
            f"There is no result in {cut(folder)}; make it with python -m harness "
            f"space={cut(space)} task={cut(task)} study={cut(study)}."
        )
    result = Result(space, task, folder)
    table = result.scores
    table.attrs.update(result.record)
    return table
