"""How strong is each operation on each edge? Scores, selection and their rank correlation.

Xiang et al. 2021, "Zero-Cost Proxies Meet Differentiable Architecture Search" (Zero-Cost-PT),
section 3 and appendix A.1. A table of scores g(A, e, o) has one row per edge of NAS-Bench-201 (0 to
5, the benchmark's order) and one column per operation; higher always means that the operation
should be kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from harness import stats
from harness.core.errors import DataError
from harness.spaces import nb201

METHODS = ("best_acc", "avg_acc", "disc_acc", "darts_pt", "disc_zc", "zc_pt", "darts")
"""The paper's scores, in the order of its figure 2."""

TABLED = ("best_acc", "avg_acc")
UNTRAINED = ("disc_zc", "zc_pt")
TRAINED = ("disc_acc", "darts_pt", "darts")

# The authors' name of each and its sign there: what an operation's removal leaves is lower, the
# more the operation was worth. ``alpha-60`` is α after 60 epochs, as the paper states.
_SHEET = {
    "best_acc": ("best-acc", 1),
    "avg_acc": ("acc", 1),
    "disc_acc": ("discrete acc darts", 1),
    "darts_pt": ("dartspt", -1),
    "disc_zc": ("discrete zc", 1),
    "zc_pt": ("zc pt", -1),
    "darts": ("alpha-60", 1),
}


@dataclass(frozen=True)
class Standing:
    """How good an architecture is among all of NAS-Bench-201, on CIFAR-10.

    Attributes:
        error: Test error in percent, mean over the training runs.
        rank: 1 + how many architectures have a strictly higher mean accuracy.
    """

    error: float
    rank: int


def from_accuracies(runs: pd.DataFrame, pool: Literal["max", "mean"]) -> pd.DataFrame:
    """Scores an operation by all architectures that have it on that edge (equations 1 and 2).

    Args:
        runs: ``key`` and ``accuracy`` (percent) of every training run; an architecture with three
            runs counts three times.
        pool: ``max`` gives best-acc, ``mean`` avg-acc.

    Returns:
        Edges × operations, in percent.
    """
    cells = {key: nb201.parse(key) for key in runs["key"].unique()}
    rows = []
    for edge in range(len(nb201.EDGES)):
        operation = runs["key"].map({key: cell[edge] for key, cell in cells.items()})
        rows.append(runs.groupby(operation)["accuracy"].agg(pool))
    return _table(pd.DataFrame(rows).reset_index(drop=True))


def from_sheet(sheet: pd.DataFrame, method: str) -> pd.DataFrame:
    """Returns the authors' scores of one of ``METHODS``, edges × operations, higher is better.

    Args:
        sheet: The result of ``truth.load_operation_scores``.
        method: One of ``METHODS``.
    """
    name, sign = _SHEET[method]
    rows = sheet[sheet["method"] == name]
    # pivot refuses duplicates, pivot_table would average them.
    return _table(sign * rows.pivot(index="edge", columns="operation", values="value"))  # noqa: PD010


def from_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the edges × operations means of long rows ``edge, operation, value`` over seeds."""
    return _table(rows.groupby(["edge", "operation"])["value"].mean().unstack())  # noqa: PD010


def to_rows(scores: pd.DataFrame) -> pd.DataFrame:
    """Returns edges × operations as long rows ``edge, operation, value``."""
    long = scores.stack().reset_index()  # noqa: PD013 - melt loses the edge
    return long.set_axis(["edge", "operation", "value"], axis="columns")


def select(scores: pd.DataFrame) -> str:
    """Keeps the best operation of every edge by itself; of equal ones the benchmark's first.

    Returns:
        The architecture's key (table 1 of the paper).
    """
    return nb201.to_key([nb201.OPERATIONS[i] for i in scores.to_numpy().argmax(axis=1)])


def standing(key: str, runs: pd.DataFrame) -> Standing | None:
    """Looks an architecture up among all others.

    Two architectures share the best mean, and rounding errors of floats would part them: means are
    compared to six decimals, far below the steps of one to three accuracies of two decimals.

    Args:
        key: Canonical key.
        runs: As ``from_accuracies`` takes them.

    Returns:
        Error and rank; None if the architecture was never trained.
    """
    means = runs.groupby("key")["accuracy"].mean().round(6)
    if key not in means.index:
        return None
    return Standing(100 - float(means[key]), 1 + int((means > means[key]).sum()))


def correlation(first: pd.DataFrame, second: pd.DataFrame) -> float:
    """Returns Spearman's ρ over the operations of each edge, averaged over the edges (figure 2).

    Ties take average ranks; NaN where all operations of an edge score the same.
    """
    pairs = zip(first.to_numpy(), second.to_numpy(), strict=True)
    return float(np.mean([stats.spearman(a, b) for a, b in pairs]))


def correlation_matrix(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Returns ``correlation`` between all tables, with their names on both axes."""
    values = [[correlation(a, b) for b in tables.values()] for a in tables.values()]
    return pd.DataFrame(values, index=list(tables), columns=list(tables))


def _table(scores: pd.DataFrame) -> pd.DataFrame:
    """Puts edges and operations in order and refuses a gap: argmax would pick it."""
    table = scores.reindex(range(len(nb201.EDGES)), columns=list(nb201.OPERATIONS)).astype(float)
    if table.isna().any(axis=None):
        raise DataError("The operation scores lack an edge, an operation or a value.")
    return table.rename_axis(index="edge", columns="operation")
