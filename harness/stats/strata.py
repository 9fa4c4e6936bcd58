"""Correlations among some of the architectures: those alike in size, or of one kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.core.errors import HarnessError
from harness.stats.bootstrap import FEWEST, Counts, ranked, spearmans
from harness.stats.comparisons import Joint
from harness.stats.ranks import Floats

Members = npt.NDArray[np.intp]

TOGETHER = "all strata"


def among(
    joined: Joint, parts: Mapping[str, Sequence[Members]], *, mean: bool = False
) -> pd.DataFrame:
    """Correlates scores and accuracies among parts of the architectures.

    Resamples draw from all architectures, so that how many of a part occur varies too.

    Args:
        joined: The scores.
        parts: Name -> per seed the places of its architectures.
        mean: Whether to add their mean, weighted by their numbers of architectures.

    Returns:
        A row per part and proxy: ``part``, ``proxy``, ``spearman`` (mean over seeds), ``low`` and
        ``high`` (95 % interval), ``n`` (the smallest of a seed) and ``seeds``; the mean is the part
        ``all strata``.

    Raises:
        HarnessError: If there is no part.
    """
    if not parts:
        raise HarnessError(f"No part of the architectures holds {FEWEST} of them in every seed.")
    rows = joined.rows()
    seeds = [
        [ranked(*rows[place], members[place]) for members in parts.values()]
        for place in range(len(rows))
    ]
    sizes = np.array([[len(one.members) for one in seed] for seed in seeds])

    def measure(place: int, counts: Counts) -> Floats:
        rhos = [spearmans(one, counts.take(one.members, axis=1)) for one in seeds[place]]
        if mean:
            rhos.append(_mean(np.stack(rhos), sizes[place]))
        return np.stack(rhos, axis=1)

    value, low, high = joined.measured(measure)
    names, n = list(parts), sizes.min(axis=0).tolist()
    if mean:
        names, n = [*names, TOGETHER], [*n, int(sizes.sum(axis=1).min())]
    return pd.DataFrame(
        {
            "part": np.repeat(names, len(joined.names)),
            "proxy": np.tile(joined.names, len(names)),
            **{"spearman": value.ravel(), "low": low.ravel(), "high": high.ravel()},
            "n": np.repeat(n, len(joined.names)),
            "seeds": len(seeds),
        }
    )


def _mean(rhos: Floats, sizes: npt.NDArray[np.intp]) -> Floats:
    """Returns the mean over the parts (first axis) that have a ρ, weighted by their sizes."""
    weights = np.where(np.isnan(rhos), 0, sizes[:, None, None])
    total = weights.sum(axis=0)
    mean: Floats = np.full(total.shape, np.nan)
    np.divide((weights * np.nan_to_num(rhos)).sum(axis=0), total, out=mean, where=total > 0)
    return mean


def quantile_parts(sizes: Sequence[Floats], most: int = 10) -> dict[str, list[Members]]:
    """Divides architectures by a size into parts of equal numbers: deciles where there are enough.

    Equal sizes stay together.

    Args:
        sizes: Per seed a number per architecture.
        most: How many parts; fewer, so that each has at least ``FEWEST`` architectures.

    Returns:
        ``1 of 10`` (the smallest) and so on -> per seed the places; parts that ties leave with too
        few architectures are missing.
    """
    number = min(most, min(map(len, sizes)) // FEWEST)
    labels = [
        np.searchsorted(np.quantile(one, np.arange(1, number) / number), one, side="right")
        for one in sizes
    ]
    parts = {
        f"{label + 1} of {number}": [np.flatnonzero(own == label) for own in labels]
        for label in range(number)
    }
    return {name: own for name, own in parts.items() if min(map(len, own)) >= FEWEST}


def equal_parts(counts: Sequence[npt.NDArray[np.int_]]) -> dict[str, list[Members]]:
    """Divides architectures by a count, those with equal counts together.

    Counts that too few architectures have are joined with the next lower, those at the lower end
    with the next higher.

    Args:
        counts: Per seed a whole number per architecture.

    Returns:
        ``3`` or ``5 to 6`` -> per seed the places, the smallest count first.
    """
    groups: list[list[int]] = []
    for count in sorted(set(np.concatenate(counts).tolist()), reverse=True):
        if groups and _fewest(counts, groups[-1]) < FEWEST:
            groups[-1].append(count)
        else:
            groups.append([count])
    if len(groups) > 1 and _fewest(counts, groups[-1]) < FEWEST:
        last = groups.pop()
        groups[-1] += last
    return {
        _name(group): [np.flatnonzero(np.isin(own, group)) for own in counts]
        for group in reversed(groups)
        if _fewest(counts, group) >= FEWEST
    }


def _fewest(counts: Sequence[npt.NDArray[np.int_]], group: list[int]) -> int:
    return min(int(np.isin(own, group).sum()) for own in counts)


def _name(group: list[int]) -> str:
    return str(group[0]) if len(group) == 1 else f"{group[-1]} to {group[0]}"
