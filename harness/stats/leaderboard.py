"""Which proxy is better, over all columns and within each, and how sure that is.

Two questions that are often taken for one. Would other columns (search spaces, tasks) give the same
order? Tests over columns answer that, and with few columns they can show nothing. Would other
architectures of the same columns? The bootstrap within the columns answers that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.core.errors import HarnessError
from harness.stats.bootstrap import interval
from harness.stats.comparisons import Joint
from harness.stats.ranks import Floats

LEVEL = 0.05


@dataclass(frozen=True)
class Board:
    """Proxies over columns.

    Attributes:
        ranking: One row per proxy, the best average rank first.
        pairs: One row per pair of proxies.
        stability: One row per column.
        friedman: p of the hypothesis that all proxies rank alike over columns.
        critical: How far two average ranks must be apart by Nemenyi's test.
    """

    ranking: pd.DataFrame
    pairs: pd.DataFrame
    stability: pd.DataFrame
    friedman: float
    critical: float


def leaderboard(columns: Mapping[str, Joint]) -> Board:
    """Ranks the proxies that every column ranks.

    Args:
        columns: Name of a column -> the correlations of its proxies.

    Returns:
        ``ranking``: ``average_rank`` (1 is best) with ``low`` and ``high`` (95 % from resampled
        architectures), ``spearman`` (mean over columns), ``better_than`` and ``worse_than`` (how
        many other proxies, tested over columns, Holm), ``wins`` and ``losses`` (comparisons within
        columns that are significant, Holm in each column), ``columns``. ``pairs``: the tests.
        ``stability``: mean Kendall's τ of a column's order ``over_seeds`` (NaN for one seed) and
        ``over_architectures`` (observed against resampled).

    Raises:
        HarnessError: If there are not two columns with two proxies in common.
    """
    names = _common(columns)
    if len(columns) < 2 or len(names) < 2:
        raise HarnessError(
            "A leaderboard takes two columns at least, and two proxies that both of them rank."
        )
    places = {name: [one.names.index(proxy) for proxy in names] for name, one in columns.items()}
    rho = np.array([one.observed.mean(axis=0)[places[name], -1] for name, one in columns.items()])
    resampled = np.array(
        [one.resampled.mean(axis=0)[:, places[name], -1] for name, one in columns.items()]
    )
    ranks, replicates = placed(rho).mean(axis=0), placed(resampled).mean(axis=0)
    pairs = _pairs(names, rho, resampled)
    table = pd.DataFrame(
        {
            "proxy": names,
            "average_rank": ranks,
            "low": [interval(own)[0] for own in replicates.T],
            "high": [interval(own)[1] for own in replicates.T],
            "spearman": rho.mean(axis=0),
            **_counted(names, pairs),
            "columns": len(columns),
            "n": min(one.counts["n"] for one in columns.values()),
        }
    ).sort_values("average_rank", kind="stable", ignore_index=True)
    return Board(
        ranking=table,
        pairs=pairs,
        stability=pd.DataFrame(
            [_stability(name, one, places[name]) for name, one in columns.items()]
        ),
        friedman=friedman(ranks, len(columns))[2],
        critical=critical_difference(len(names), len(columns)),
    )


def placed(rho: Floats) -> Floats:
    """Returns ranks along the last axis, 1 for the largest; NaN is last."""
    from scipy.stats import rankdata

    ranks: Floats = rankdata(-np.nan_to_num(rho, nan=-np.inf), axis=-1)
    return ranks


def friedman(average_ranks: npt.ArrayLike, n: int) -> tuple[float, float, float]:
    """Tests whether k methods rank alike on n data sets.

    Friedman 1937; the less conservative F of Iman & Davenport 1980, as in Demšar 2006, "Statistical
    Comparisons of Classifiers over Multiple Data Sets", section 3.2.2. Ties are not corrected for.

    Args:
        average_ranks: k.
        n: Data sets, at least 2.

    Returns:
        χ², F and the p of F.
    """
    from scipy.stats import f

    ranks = np.asarray(average_ranks, dtype=float)
    k = len(ranks)
    chi = 12 * n / (k * (k + 1)) * (float(np.square(ranks).sum()) - k * (k + 1) ** 2 / 4)
    left = n * (k - 1) - chi
    if left <= 1e-9:  # the same order everywhere
        return chi, math.inf, 0.0
    statistic = (n - 1) * chi / left
    return chi, statistic, float(f.sf(statistic, k - 1, (k - 1) * (n - 1)))


def critical_difference(k: int, n: int, level: float = LEVEL) -> float:
    """Returns the difference of two average ranks that Nemenyi's test finds significant.

    Demšar 2006, section 3.2.2: q √(k (k + 1) / 6n), q the studentized range over √2.

    Args:
        k: Methods.
        n: Data sets.
        level: Of significance.
    """
    from scipy.stats import studentized_range

    q = float(studentized_range.ppf(1 - level, k, np.inf)) / math.sqrt(2)
    return q * math.sqrt(k * (k + 1) / (6 * n))


def holm(p: npt.ArrayLike) -> Floats:
    """Returns p values corrected for their number (Holm 1979); NaN stays and counts as none.

    Args:
        p: m values in [0, 1].
    """
    values = np.asarray(p, dtype=float)
    result = np.full(len(values), np.nan)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    result[order] = np.maximum.accumulate(np.minimum(1, factors * values[order]))
    return result


def alike(ranking: Sequence[str], pairs: pd.DataFrame) -> list[tuple[int, int]]:
    """Returns the longest stretches of a ranking within which no two are told apart.

    Args:
        ranking: Proxies, the best first.
        pairs: ``first``, ``second`` and ``p_holm``.

    Returns:
        First and last place of each stretch of two or more, none within another.
    """
    different = {
        frozenset((row.first, row.second))
        for row in pairs[pairs["p_holm"] < LEVEL].itertuples(index=False)
    }
    found: list[tuple[int, int]] = []
    for start in range(len(ranking)):
        end = start
        while end + 1 < len(ranking) and not any(
            frozenset((one, ranking[end + 1])) in different for one in ranking[start : end + 1]
        ):
            end += 1
        if end > start and not (found and found[-1][1] >= end):
            found.append((start, end))
    return found


def _common(columns: Mapping[str, Joint]) -> list[str]:
    """Returns the proxies whose mean ρ is defined in every column."""
    defined = [
        {name for i, name in enumerate(one.names) if np.isfinite(one.observed[:, i, -1]).all()}
        for one in columns.values()
    ]
    first = next(iter(columns.values())).names if columns else []
    return [name for name in first if name in set.intersection(*defined)]


def _pairs(names: Sequence[str], rho: Floats, resampled: Floats) -> pd.DataFrame:
    """Tests every pair over columns, and in each column over architectures."""
    pairs = list(combinations(range(len(names)), 2))
    within = [
        _within(rho[:, i] - rho[:, j], resampled[..., i] - resampled[..., j]) for i, j in pairs
    ]
    corrected = np.apply_along_axis(holm, 0, np.array(within))
    rows: list[dict[str, Any]] = []
    for (i, j), p in zip(pairs, corrected, strict=True):
        difference = rho[:, i] - rho[:, j]
        rows.append(
            {
                "first": names[i],
                "second": names[j],
                "difference": difference.mean(),
                "p": _over_columns(difference),
                "better_in": int(((p < LEVEL) & (difference > 0)).sum()),
                "worse_in": int(((p < LEVEL) & (difference < 0)).sum()),
                "columns": len(rho),
            }
        )
    table = pd.DataFrame(rows)
    table.insert(4, "p_holm", holm(table["p"]))
    return table


def _counted(names: Sequence[str], pairs: pd.DataFrame) -> dict[str, list[int]]:
    """Counts, per proxy, what the tests say for and against it."""
    sure = pairs["p_holm"] < LEVEL
    better, worse = sure & (pairs["difference"] > 0), sure & (pairs["difference"] < 0)

    def count(if_first: pd.Series, if_second: pd.Series) -> list[int]:
        return [
            int(if_first[pairs["first"] == name].sum() + if_second[pairs["second"] == name].sum())
            for name in names
        ]

    return {
        "better_than": count(better, worse),
        "worse_than": count(worse, better),
        "wins": count(pairs["better_in"], pairs["worse_in"]),
        "losses": count(pairs["worse_in"], pairs["better_in"]),
    }


def _over_columns(differences: Floats) -> float:
    """Returns p of Wilcoxon's signed-rank test, which other proxies do not influence.

    Benavoli, Corani & Mangili 2016, "Should We Really Use Post-Hoc Tests Based on Mean-Ranks?".
    """
    from scipy.stats import wilcoxon

    if not differences.any():
        return 1.0
    sizes = np.abs(differences)
    untied = sizes.all() and len(np.unique(sizes)) == len(sizes)
    # With ties scipy would permute all signs, thousands of times slower.
    return float(wilcoxon(differences, method="exact" if untied else "asymptotic").pvalue)


def _within(differences: Floats, replicates: Floats) -> Floats:
    """Returns p per column of a difference 0, by the bootstrap's deviation and a normal law.

    Args:
        differences: One per column.
        replicates: Columns × B.
    """
    from scipy.stats import norm

    deviation = np.nanstd(replicates, axis=1)
    z = np.divide(differences, deviation, out=np.zeros_like(differences), where=deviation > 0)
    p: Floats = 2 * norm.sf(np.abs(z))
    return p


def _stability(name: str, one: Joint, places: Sequence[int]) -> dict[str, Any]:
    from scipy.stats import kendalltau

    def tau(first: Floats, second: Floats) -> float:
        return float(kendalltau(first, second).statistic)

    seeds = one.observed[:, places, -1]
    mean, resampled = seeds.mean(axis=0), one.resampled.mean(axis=0)[:, places, -1]
    over_seeds = [tau(a, b) for a, b in combinations(seeds, 2)]
    over_architectures = [tau(mean, own) for own in resampled[:200] if np.isfinite(own).all()]
    low, high = interval(np.array(over_architectures, dtype=float))
    return {
        "column": name,
        "over_seeds": float(np.mean(over_seeds)) if over_seeds else float("nan"),
        "over_architectures": float(np.mean(over_architectures)) if over_architectures else np.nan,
        "low": low,
        "high": high,
        "proxies": len(places),
        **one.counts,
    }
