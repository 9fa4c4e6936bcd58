"""The test errors of what searches selected on NAS-Bench-201, and their mean over seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from harness import truth

# Where a selected cell is looked up: every training run on CIFAR-10, recorded means elsewhere.
TRUTHS = {"cifar10": "test_seeds", "cifar100": "test_mean", "imagenet16_120": "test_mean"}


def accuracies_of(space: str, task: str) -> dict[str, pd.DataFrame]:
    """Returns the accuracies of NAS-Bench-201 by task; nothing for other spaces and images."""
    if space != "nb201" or task not in TRUTHS:
        return {}
    return {name: truth.load("nb201", name, variant) for name, variant in TRUTHS.items()}


def with_errors(table: pd.DataFrame, accuracies: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Adds the test error of each ``architecture`` in percent, its rank and the runs behind it."""
    columns: dict[str, Any] = {}
    for task, recorded in accuracies.items():
        known = recorded.set_index("key")
        rows = known.loc[table.architecture]
        columns[f"{task}_error"] = (100 - rows.value).to_numpy()
        columns[f"{task}_rank"] = [1 + int((known.value > value).sum()) for value in rows.value]
        if "std" in rows:
            columns[f"{task}_std"] = rows["std"].to_numpy()
            columns[f"{task}_runs"] = rows.n_training_seeds.to_numpy()
    return table.assign(**columns)


def pooled(
    means: Sequence[float], deviations: Sequence[float], runs: Sequence[int]
) -> tuple[float, float]:
    """Returns mean and standard deviation (ddof 1) of all training runs of several architectures.

    Args:
        means: Mean of each architecture's runs.
        deviations: Their standard deviation (ddof 1); anything where there is one run.
        runs: Their number.
    """
    n, m = np.asarray(runs, dtype=float), np.asarray(means, dtype=float)
    spread = np.where(n > 1, np.nan_to_num(np.asarray(deviations, dtype=float)), 0.0)
    mean = float((n * m).sum() / n.sum())
    squares = ((n - 1) * spread**2 + n * (m - mean) ** 2).sum()
    return mean, float(np.sqrt(squares / (n.sum() - 1))) if n.sum() > 1 else math.nan


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Returns mean and deviation of the test errors over all seeds, one row per task.

    CIFAR-10's are over all training runs of all searches, as in the paper; elsewhere only each
    architecture's mean over its runs is known.
    """
    rows = []
    for task in TRUTHS:
        if f"{task}_error" not in table:
            continue
        errors = table[f"{task}_error"]
        runs = table.get(f"{task}_runs", pd.Series(1, index=table.index))
        spread = table.get(f"{task}_std", pd.Series(math.nan, index=table.index))
        mean, deviation = pooled(errors.tolist(), spread.tolist(), runs.tolist())
        rows.append({"task": task, "error": mean, "std": deviation, "values": int(runs.sum())})
    return pd.DataFrame(rows, columns=["task", "error", "std", "values"])
