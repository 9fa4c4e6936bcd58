"""Scores freed of a bias: f/(b + C), C by three strategies.

Krishnakumar et al., "NAS-Bench-Suite-Zero", NeurIPS 2022, section 4, with f the score, b the
property and C from −10 to 1000.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from harness.core.errors import HarnessError
from harness.stats.bootstrap import Counts, correlation, ranked, spearmans
from harness.stats.comparisons import SIZE, Joint
from harness.stats.ranks import Floats

CONSTANTS = np.unique(np.rint([*range(-10, 31), *np.geomspace(31, 1000, 20)]))
STRATEGIES = ("least_bias", "bias_of_accuracy", "best_correlation")
BLIND, BEST = STRATEGIES[0], STRATEGIES[-1]
"""The one strategy that does not look at the accuracies, and the one that looks at nothing else."""
RESAMPLES = 200


def mitigation(joined: Joint, properties: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Divides every score by the property that it follows most closely, and correlates again.

    A strategy that looks at the accuracies cannot be had where a proxy is needed; C is chosen on
    the architectures that it is judged by, so that its gain is an upper bound.

    Args:
        joined: The scores.
        properties: As for ``biases``.

    Returns:
        A row per proxy and strategy: ``property``, ``strategy``, ``sees_truth``, ``constant`` (C),
        ``bias`` and ``bias_after`` (Spearman's ρ with the property), ``bias_of_accuracy``,
        ``spearman`` and ``after`` (ρ with the accuracy), ``gain`` (their difference) with ``low``
        and ``high`` (95 % paired interval of 200 resamples, C as chosen), ``n`` and ``seeds``.
        Sizes, and proxies that follow no property or that no C serves, have no row.

    Raises:
        HarnessError: If no proxy has a row.
    """
    truths = [truth for _, truth in joined.rows()]
    rows: list[dict[str, Any]] = []
    freed: list[tuple[int, list[Floats]]] = []
    for column, proxy in enumerate(joined.names):
        scores = [values[:, column] for values, _ in joined.rows()]
        followed = None if proxy in SIZE else _followed(scores, properties)
        if followed is None:
            continue
        values = [table[followed].to_numpy(dtype=float) for table in properties]
        biases, rhos = _by_constant(scores, truths, values)
        own = _mean_bias(truths, values)
        for strategy, place in _chosen(biases, rhos, own).items():
            rows.append(
                {
                    "proxy": proxy,
                    "property": followed,
                    "strategy": strategy,
                    "sees_truth": strategy != BLIND,
                    "constant": CONSTANTS[place],
                    "bias": _mean_bias(scores, values),
                    "bias_after": biases[place],
                    "bias_of_accuracy": own,
                }
            )
            pairs = zip(scores, values, strict=True)
            freed.append((column, [mitigated(x, b, CONSTANTS[place]) for x, b in pairs]))
    if not rows:
        raise HarnessError("No proxy follows a property of its architectures.")
    return pd.DataFrame(rows).assign(**_gains(joined, freed), **joined.counts)


def mitigated(scores: Floats, values: Floats, constant: Floats | float) -> Floats:
    """Returns f/(b + C), broadcast; −∞, what undefined scores rank as, stays so.

    Where b + C is 0 for an architecture that has a score, C serves nobody: all become NaN.
    """
    shifted = values + constant
    defined = np.isfinite(scores)
    freed: Floats = np.full(np.broadcast_shapes(scores.shape, shifted.shape), -np.inf)
    np.divide(scores, shifted, out=freed, where=defined & (shifted != 0))
    return np.where((defined & (shifted == 0)).any(axis=0), np.nan, freed)


def _followed(scores: Sequence[Floats], properties: Sequence[pd.DataFrame]) -> str | None:
    """Returns the property of the largest |bias|; None if the scores follow none."""
    biases = {
        name: abs(_mean_bias(scores, [table[name].to_numpy(dtype=float) for table in properties]))
        for name in map(str, properties[0])
    }
    known = {name: bias for name, bias in biases.items() if bias > 0}
    return max(known, key=known.__getitem__) if known else None


def _mean_bias(scores: Sequence[Floats], values: Sequence[Floats]) -> float:
    """Returns ρ with a property, a mean over seeds; undefined scores are left out."""
    return float(np.mean([_bias(x[:, None], b)[0] for x, b in zip(scores, values, strict=True)]))


def _bias(columns: Floats, values: Floats) -> Floats:
    defined = np.isfinite(columns[:, 0])
    return _rhos(columns[defined], values[defined])


def _by_constant(
    scores: Sequence[Floats], truths: Sequence[Floats], values: Sequence[Floats]
) -> tuple[Floats, Floats]:
    """Returns, for every C, the ρ with the property and that with the accuracy, seeds' means."""
    biases, rhos = [], []
    for x, truth, b in zip(scores, truths, values, strict=True):
        freed = mitigated(x[:, None], b[:, None], CONSTANTS)
        serves = ~np.isnan(freed).any(axis=0)
        both = np.full((2, len(CONSTANTS)), np.nan)
        both[:, serves] = _bias(freed[:, serves], b), _rhos(freed[:, serves], truth)
        biases.append(both[0])
        rhos.append(both[1])
    return np.mean(biases, axis=0), np.mean(rhos, axis=0)


def _rhos(columns: Floats, other: Floats) -> Floats:
    """Returns Spearman's ρ of k columns (n×k) with n numbers; NaN where a side is constant."""
    from scipy.stats import rankdata

    if not len(other):
        return np.full(columns.shape[1], np.nan)
    x, y = rankdata(columns, axis=0), rankdata(other)
    x, y = x - x.mean(axis=0), y - y.mean()
    return correlation(x.T @ y, (x**2).sum(axis=0), np.full(x.shape[1], y @ y))


def _chosen(biases: Floats, rhos: Floats, own: float) -> dict[str, int]:
    """Returns, per strategy, the place of its C; empty if no C serves."""
    if np.isnan(biases).all() or np.isnan(rhos).all() or np.isnan(own):
        return {}
    costs = (np.abs(biases), np.abs(biases - own), -rhos)
    return {name: int(np.nanargmin(cost)) for name, cost in zip(STRATEGIES, costs, strict=True)}


def _gains(joined: Joint, freed: Sequence[tuple[int, list[Floats]]]) -> dict[str, Floats]:
    """Correlates scores (their columns) and what was made of them (by seed) with the accuracy."""
    k, of = len(joined.names), [column for column, _ in freed]
    seeds = [
        ranked(np.column_stack([scores, *(own[place] for _, own in freed)]), truth)
        for place, (scores, truth) in enumerate(joined.rows())
    ]

    def measure(place: int, counts: Counts) -> Floats:
        rhos = spearmans(seeds[place], counts)
        before, after = rhos[:, of], rhos[:, k:]
        return np.stack([before, after, after - before], axis=1)

    (before, after, gain), low, high = joined.measured(measure, RESAMPLES)
    return {"spearman": before, "after": after, "gain": gain, "low": low[2], "high": high[2]}
