"""What proxies know together: how they rank each other, and what each adds to the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from harness.stats.bootstrap import draws, pooled
from harness.stats.comparisons import TRUTH, Joint
from harness.stats.information import (
    Binning,
    Sample,
    exhaustive,
    greedy,
    left_over,
)
from harness.stats.ranks import Floats
from harness.stats.top import membership

SHARE = 0.1
STEPS, SETS = 5, 3
"""Proxies that an order adds, and the largest set of which all are tried."""
ORDERS, SHUFFLES, RESAMPLES = 10, 10, 100
"""Random orders, shuffled accuracies, and bootstrap resamples of the greedy order."""


def similarity(joined: Joint) -> pd.DataFrame:
    """Compares every pair of proxies by how they rank and by what they rank highest.

    Args:
        joined: The scores and their correlations.

    Returns:
        One row per pair: ``proxy``, ``other``, ``spearman`` with ``low`` and ``high`` (95 % from
        resampled architectures), ``overlap`` (Jaccard index of the best-scored tenths, ties by
        expectation; two random tenths give 0.05), means over seeds, ``n`` and ``seeds``.
    """
    tenths = [
        {name: membership(own[name], max(1, round(SHARE * len(own)))) for name in joined.names}
        for own in joined.columns
    ]
    rows = []
    for i, j in combinations(range(len(joined.names)), 2):
        first, second = joined.names[i], joined.names[j]
        value, low, high = joined.correlation(i, j)
        overlap = float(np.mean([jaccard(own[first], own[second]) for own in tenths]))
        row = {"proxy": first, "other": second, "spearman": value, "low": low, "high": high}
        rows.append({**row, "overlap": overlap, **joined.counts})
    return pd.DataFrame(rows)


def jaccard(first: Floats, second: Floats) -> float:
    """Returns |A ∩ B| / |A ∪ B| of two sets, each given by n probabilities of membership.

    The expected intersection stands for the intersection.
    """
    both = float(first @ second)
    return both / (float(first.sum() + second.sum()) - both)


def clustered(matrix: Floats) -> list[int]:
    """Returns an order in which similar rows stand together: average linkage on 1 − ρ.

    Args:
        matrix: k×k correlations; NaN counts as 0.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if len(matrix) < 2:
        return list(range(len(matrix)))
    distance = 1 - np.nan_to_num(matrix)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance.clip(0), checks=False), "average", optimal_ordering=True)
    return [int(place) for place in leaves_list(tree)]


def information(joined: Joint, binning: Binning, seed: int = 0) -> pd.DataFrame:
    """Says how much of the accuracy's entropy is left when more and more proxies are known.

    Args:
        joined: The scores and accuracies.
        binning: How both are cut.
        seed: Fixes random orders, shuffles and resamples.

    Returns:
        A row per ``order`` and number ``k`` of proxies: ``entropy`` in bits, ``share`` of H(y),
        ``proxies`` in their order, means over seeds. ``greedy`` adds what leaves least, with a 95 %
        interval of ``share`` (``low``, ``high``) from resampled architectures, its order held
        fixed; ``random`` is the mean of random orders, ``exhaustive`` the best of all sets, up to
        three; ``shuffled`` is the greedy order of accuracies that were shuffled: no information at
        all. ``learnt`` is by how much less the greedy order leaves than that.
    """
    random = np.random.default_rng(seed)
    samples = [_sample(own, joined.names, binning) for own in joined.columns]
    fixed = binning.corrected
    steps = min(STEPS, len(joined.names))
    order = greedy(samples, steps, fixed)
    orders = [list(random.permutation(len(joined.names))[:steps]) for _ in range(ORDERS)]
    sets = [[], *(exhaustive(samples, size, fixed) for size in range(1, min(SETS, steps) + 1))]
    curves = {
        "greedy": _mean(samples, order, fixed),
        "random": np.mean([_mean(samples, one, fixed) for one in orders], axis=0),
        "exhaustive": np.array([_mean(samples, one, fixed)[-1] for one in sets]),
        "shuffled": _shuffled(samples, steps, fixed, random),
    }
    resampled = [_mean(one, order, fixed) for one in _resampled(joined, samples, random)]
    shares = np.array([left / left[0] for left in resampled])
    # Repeats in a resample lower every entropy: how far it varies is taken, not where it lies.
    low, high = np.quantile(shares, [0.025, 0.975], axis=0) - shares.mean(axis=0)
    named = {"greedy": [order[:k] for k in range(steps + 1)], "exhaustive": sets}
    rows: list[dict[str, Any]] = []
    for name, curve in curves.items():
        for k, value in enumerate(curve):
            row = {"bins": binning.name, "order": name, "k": k, "entropy": value}
            share = row["share"] = value / curve[0]
            if name == "greedy":
                none = curves["shuffled"][k] / curves["shuffled"][0]
                row |= {"low": share + low[k], "high": share + high[k], "learnt": none - share}
            members = named[name][k] if name in named else []
            row["proxies"] = " ".join(joined.names[place] for place in members)
            rows.append(row | joined.counts)
    return pd.DataFrame(rows)


def _mean(samples: Sequence[Sample], members: Sequence[int], corrected: bool) -> Floats:
    """Returns ``left_over``, averaged over seeds."""
    return np.asarray(np.mean([left_over(one, members, corrected) for one in samples], axis=0))


def _shuffled(
    samples: Sequence[Sample], steps: int, corrected: bool, random: np.random.Generator
) -> Floats:
    """Returns what greedy orders leave of accuracies that nothing can tell about, on average."""
    curves = []
    for _ in range(SHUFFLES):
        none = [Sample(one.bins, random.permutation(one.truth)) for one in samples]
        curves.append(_mean(none, greedy(none, steps, corrected), corrected))
    return np.asarray(np.mean(curves, axis=0))


def _sample(own: pd.DataFrame, names: Sequence[str], binning: Binning) -> Sample:
    return Sample(np.stack([binning.cut(own[name]) for name in names]), binning.cut(own[TRUTH]))


def _resampled(
    joined: Joint, samples: Sequence[Sample], random: np.random.Generator
) -> Iterator[list[Sample]]:
    """Yields the seeds with architectures drawn anew, once for all of them."""
    size, members = pooled(joined.columns)
    for block in draws(size, RESAMPLES, random, at_once=size):
        for counts in block:
            yield [
                Sample(one.bins.repeat(counts[own], axis=1), one.truth.repeat(counts[own]))
                for one, own in zip(samples, members, strict=True)
            ]
