"""One analysis of every column, stacked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pandas as pd

from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError, HarnessError
from harness.executors.progress import console
from harness.results.finished import Result
from harness.stats import bootstrap
from harness.stats.comparisons import Joint

RESAMPLED = "95\N{NO-BREAK SPACE}% intervals from architectures resampled 1000 times."


FEWEST = 50
"""Architectures of a column; the order of fewer says little."""

T = TypeVar("T")


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
    parts = []
    for one, part in each(results, analyse):
        part.insert(0, "column", one.name)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def each(results: StoredResults, analyse: Callable[[Result], T]) -> list[tuple[Result, T]]:
    """Does the same with every result that has what it takes, and names the others.

    Raises:
        DataError: If no result has what it takes.
    """
    found, lacking = [], []
    for one in results.columns():
        try:
            if np.isnan(enough(one, bootstrap.FEWEST).observed[:, :-1, -1]).all():
                raise HarnessError("Its scores or its accuracies are all equal: nothing is ranked.")
            found.append((one, analyse(one)))
        except HarnessError as error:
            lacking.append(f"{one.name}: left out. {error}")
    for words in lacking:
        console.print(words, highlight=False, markup=False, soft_wrap=True)
    if not found:
        raise DataError("no result has the scores that it needs; see above.")
    return found


def enough(one: Result, fewest: int = FEWEST) -> Joint:
    """Returns the correlations of a result that has enough architectures.

    Raises:
        HarnessError: If it has too few.
    """
    if (n := one.joint.counts["n"]) < fewest:
        raise DataError(f"{n} architectures are too few, {fewest} would do; score more.")
    return one.joint


def defined(table: pd.DataFrame, value: str) -> pd.DataFrame:
    """Returns a table of a result, of whose rows at least one has a value.

    Raises:
        HarnessError: If none has.
    """
    if table.empty or table[value].isna().all():
        raise HarnessError(f"{value} has no value here: too few of the proxies rank anything.")
    return table
