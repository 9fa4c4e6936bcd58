"""Rank correlation between scores and accuracies, one row per proxy and seed.

Everything here is signed: a proxy that ranks backwards is reported as negative.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.core.errors import DataError
from harness.core.types import FAILED, Policy
from harness.stats.ranks import Floats, resolve_undefined

GROUP = ["space", "task", "proxy", "seed"]
COLUMNS = [*GROUP, "n", "n_undefined", "spearman", "kendall", "n_failed"]
NEEDED = [*GROUP, "key", "value", "status", "truth"]


def spearman(scores: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Returns Spearman's ρ in [−1, 1], ties on average ranks; NaN if a side is constant.

    Args:
        scores: n numbers, not NaN; −inf is a last place.
        truth: n accuracies in the same order.
    """
    from scipy.stats import spearmanr

    return _correlation(spearmanr, scores, truth)


def kendall(scores: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Returns Kendall's τ-b in [−1, 1], corrected for ties; NaN if a side is constant.

    Args:
        scores: n numbers, not NaN; −inf is a last place.
        truth: n accuracies in the same order.
    """
    from scipy.stats import kendalltau

    return _correlation(kendalltau, scores, truth)


def correlations(scores: pd.DataFrame, undefined: Policy = "worst") -> pd.DataFrame:
    """Correlates every proxy with the accuracy, seed by seed.

    Args:
        scores: One row per score, with the columns space, task, key, proxy, seed, value, status
            and truth.
        undefined: What scores without a value rank as, see ``resolve_undefined``.

    Returns:
        One row per proxy and seed, in the order of ``scores``. ``n`` counts the architectures
        that entered the correlation, ``n_undefined`` the scores without a value (part of ``n``
        under ``worst``), ``n_failed`` the runs that ended in an error or out of memory.

    Raises:
        DataError: If a column, an accuracy or the value of an ``ok`` score is missing.
        HarnessError: If ``undefined`` is not a policy.
    """
    check(scores)
    rows = []
    for name, group in scores.groupby(GROUP, sort=False, observed=True, dropna=False):
        x, y = ranked_pairs(group, undefined)
        counts = Counter(group["status"].tolist())
        rows.append(
            [
                *_as_tuple(name),
                len(x),
                counts["undefined"],
                spearman(x, y),
                kendall(x, y),
                sum(counts[status] for status in FAILED),
            ]
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def check(scores: pd.DataFrame) -> None:
    """Refuses a score table that cannot be correlated.

    Raises:
        DataError: If a column or an accuracy is missing.
    """
    missing = [column for column in NEEDED if column not in scores.columns]
    if missing:
        raise DataError(
            f"The score table has no column {missing[0]!r}; expected {', '.join(NEEDED)}."
        )
    without = scores.loc[~np.isfinite(scores["truth"].to_numpy(dtype=float)), "key"]
    if len(without):
        raise DataError(
            f"{without.nunique()} architectures have no accuracy, the first is "
            f"{without.iloc[0]!r}; draw only architectures that have one."
        )


def ranked_pairs(rows: pd.DataFrame, undefined: Policy) -> tuple[Floats, Floats]:
    """Returns scores and accuracies of the rows that enter the ranking, in their order."""
    resolved = resolve_undefined(rows["value"], rows["status"], undefined)
    enters = ~np.isnan(resolved)
    return resolved[enters], rows["truth"].to_numpy(dtype=float)[enters]


def _correlation(measure: Callable[..., Any], scores: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    x, y = np.asarray(scores, dtype=float), np.asarray(truth, dtype=float)
    return float("nan") if _constant(x) or _constant(y) else float(measure(x, y).statistic)


def _constant(values: Floats) -> bool:
    return len(values) < 2 or bool((values == values[0]).all())


def _as_tuple(name: Hashable) -> tuple[Hashable, ...]:
    return name if isinstance(name, tuple) else (name,)
