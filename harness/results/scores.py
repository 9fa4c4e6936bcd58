"""Every score that a folder of results holds, as one tidy table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from harness.core.errors import HarnessError, cut
from harness.core.files import is_file
from harness.core.typed import checked
from harness.results.collection import every
from harness.results.finished import Result
from harness.results.layout import RECORD

__all__ = ["every", "load"]


@checked
def load(
    space: str, task: str, *, study: str = "main", results: Path | str = "results"
) -> pd.DataFrame:
    """Loads the scores of a finished result, checked against its record.

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
