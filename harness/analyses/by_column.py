"""One analysis of every column, stacked."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError, HarnessError
from harness.executors.progress import console
from harness.results.finished import Result

RESAMPLED = "95\N{NO-BREAK SPACE}% intervals from architectures resampled 1000 times."


def by_column(results: StoredResults, analyse: Callable[[Result], pd.DataFrame]) -> pd.DataFrame:
    """Analyses every result of the study that has what it takes, and names the others.

    Args:
        results: The study.
        analyse: From a result to a frame; raises a HarnessError if the result lacks something.

    Returns:
        The frames, one above the other, with ``column`` (``space/task``) in front.

    Raises:
        DataError: If no result has what it takes.
    """
    parts, lacking = [], []
    for one in results.columns():
        try:
            part = analyse(one)
        except HarnessError as error:
            lacking.append(f"{one.name}: left out. {error}")
            continue
        part.insert(0, "column", one.name)
        parts.append(part)
    for words in lacking:
        console.print(words, highlight=False, markup=False, soft_wrap=True)
    if not parts:
        raise DataError("no result has the scores that it needs; see above.")
    return pd.concat(parts, ignore_index=True)
