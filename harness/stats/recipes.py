"""Blind ensembles chosen on some search spaces and tested on one that they never saw.

A recipe is a few proxies whose ``rank_log`` is taken: AZ-NAS's Σ log(rank / n), with members that
are chosen by exhaustive search. What was chosen elsewhere needs no accuracy here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from harness.core.errors import HarnessError
from harness.stats.bootstrap import Ranker, SeedRanking, interval, mean_spearman, pooled
from harness.stats.comparisons import TRUTH
from harness.stats.correlation import spearman
from harness.stats.ensembles import rank_log
from harness.stats.ranks import Floats

MOST = 4
"""Members of a recipe at most."""
DIGITS = 9
"""To which sums of logarithms are rounded: equal ones may differ in the last."""
RECIPE, SINGLE, ALL, BEST = "recipe", "single proxy", "all proxies", "best proxy, afterwards"

Columns = Mapping[tuple[str, str], Sequence[pd.DataFrame]]
"""(space, task) -> per seed a number to rank per architecture and proxy, and the accuracy."""


def common(columns: Columns) -> list[str]:
    """Returns the proxies that every column ranks: scored there, and not all equal."""
    ranked = [
        {str(name) for name in one if one[name].min() < one[name].max()}
        for own in columns.values()
        for one in own
    ]
    first = next(iter(columns.values()))[0]
    return [name for name in map(str, first) if name in set.intersection(*ranked) - {TRUTH}]


def subsets(names: Sequence[str], most: int = MOST) -> list[tuple[str, ...]]:
    """Returns all sets of one to ``most`` proxies, small ones first."""
    sizes = range(1, min(most, len(names)) + 1)
    return [own for size in sizes for own in combinations(names, size)]


def subset_rho(own: pd.DataFrame, names: Sequence[str], sets: Sequence[tuple[str, ...]]) -> Floats:
    """Returns Spearman's ρ of the accuracy with ``rank_log`` of every set of proxies.

    Args:
        own: Numbers to rank, a column per proxy, and the accuracy.
        names: k proxies.
        sets: Sets of them.
    """
    from scipy.stats import rankdata

    logs = np.column_stack([rank_log(own[[name]].to_numpy(float)) for name in names])
    members = np.array([[name in one for name in names] for one in sets], dtype=float)
    ranks = rankdata((logs @ members.T).round(DIGITS), axis=0)
    truth = rankdata(own[TRUTH])
    ranks -= ranks.mean(axis=0)
    truth -= truth.mean()
    rho: Floats = truth @ ranks / np.sqrt((ranks**2).sum(axis=0) * (truth**2).sum())
    return rho


def leave_one_space_out(
    columns: Columns, resamples: int = 1000, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Chooses a recipe on all spaces but one and tests it there, for every space.

    A recipe has the largest mean ρ over the other spaces, each space the mean of its columns, on
    the first seed. A single proxy is chosen in the same way.

    Args:
        columns: The columns of two spaces at least.
        resamples: Bootstrap resamples of the architectures.
        seed: Fixes them.

    Returns:
        The test: a row per column and ``method``, with its ``proxies``, ``spearman``, ``low`` and
        ``high`` (95 %), the same of ``difference`` (to the best proxy of the column, which nobody
        knows before), ``n`` and ``seeds``. And the choice: a row per left-out space (and one for
        none) with the ``proxies`` chosen and their ``mean`` ρ on the spaces where they were.

    Raises:
        HarnessError: If there is only one space, or no proxy that all columns rank.
    """
    names = common(columns)
    spaces = list(dict.fromkeys(space for space, _ in columns))
    if len(spaces) < 2 or not names:
        raise HarnessError(
            "A recipe is chosen on some search spaces and tested on another; results of two, with "
            "the same proxies, are needed."
        )
    sets = subsets(names)
    rho = {place: subset_rho(own[0], names, sets) for place, own in columns.items()}
    of_space = {
        space: np.mean([rho[place] for place in columns if place[0] == space], axis=0)
        for space in spaces
    }
    tests, choices = [], []
    for left_out in [*spaces, ""]:
        mean = np.mean([of_space[space] for space in spaces if space != left_out], axis=0)
        singles = [place for place, one in enumerate(sets) if len(one) == 1]
        chosen = {
            RECIPE: int(np.argmax(mean)),
            SINGLE: singles[int(np.argmax(mean[singles]))],
        }
        choices += [
            {
                "left_out": left_out or "none",
                "method": method,
                "proxies": " ".join(sets[place]),
                "mean": float(mean[place]),
            }
            for method, place in chosen.items()
        ]
        for place in (place for place in columns if place[0] == left_out):
            best = singles[int(np.argmax(rho[place][singles]))]
            members = {method: sets[one] for method, one in chosen.items()}
            members |= {ALL: tuple(names), BEST: sets[best]}
            test = _test(columns[place], members, resamples, seed)
            test.insert(0, "column", "/".join(place))
            tests.append(test)
    return pd.concat(tests, ignore_index=True), pd.DataFrame(choices)


def _test(
    seeds: Sequence[pd.DataFrame],
    members: Mapping[str, Sequence[str]],
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Returns a row per method; the last is what the others are compared with."""
    judged = [
        [rank_log(own[list(one)].to_numpy(float)).round(DIGITS) for one in members.values()]
        for own in seeds
    ]
    observed = np.mean(
        [
            [spearman(values, own[TRUTH]) for values in scores]
            for own, scores in zip(seeds, judged, strict=True)
        ],
        axis=0,
    )
    size, places = pooled(seeds)
    rankings = [
        SeedRanking(at, [Ranker(values) for values in scores], Ranker(own[TRUTH]))
        for own, at, scores in zip(seeds, places, judged, strict=True)
    ]
    replicates = mean_spearman(rankings, size, resamples, np.random.default_rng(seed))
    rows = []
    for place, (method, proxies) in enumerate(members.items()):
        low, high = interval(replicates[:, place])
        less, more = interval(replicates[:, place] - replicates[:, -1])
        rows.append(
            {
                "method": method,
                "proxies": " ".join(proxies),
                "spearman": float(observed[place]),
                "low": low,
                "high": high,
                "difference": float(observed[place] - observed[-1]),
                "difference_low": less,
                "difference_high": more,
                "n": min(map(len, seeds)),
                "seeds": len(seeds),
            }
        )
    return pd.DataFrame(rows)
