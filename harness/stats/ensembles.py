"""Several scores made one: functions of n×k columns of finished scores, no network run again.

``rank_log`` and ``vote`` are blind. ``robot`` looks at the accuracies of a few architectures that
it asks for, ``libra`` at those of all: what they give is not zero-cost. Of every column higher
means better, NaN stands for a score that is undefined, and such scores are last.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from harness.core.errors import DataError
from harness.stats.correlation import spearman
from harness.stats.ranks import Floats
from harness.stats.weight_search import best_weights

QUERIES = 20  # architectures whose accuracy robot asks for, as in its authors' script
CLOSE = 0.1  # how far below the best ρ libra still looks
BLOCK = 2**22  # comparisons at a time in a vote


def rank_log(columns: npt.ArrayLike) -> Floats:
    """Returns Σ_k log(rank_k / n): high for architectures that no column ranks low.

    Ranks count from the worst, ties on average ranks.

    Source: Lee & Ham 2024, AZ-NAS, eq. 13.

    Args:
        columns: n×k scores.
    """
    from scipy.stats import rankdata

    ranks = rankdata(filled(columns), axis=0)
    scores: Floats = np.log(ranks / len(ranks)).sum(axis=1)
    return scores


def vote(columns: npt.ArrayLike) -> Floats:
    """Returns by how many of the others an architecture is beaten less often than it beats them.

    Of two architectures the one that more columns rank higher beats the other; with as many columns
    for either nobody does.

    Source: Abdelfattah et al. 2021, "Zero-Cost Proxies for Lightweight NAS" (the majority of
    synflow, jacob_cov and snip); the count over all pairs is Copeland's.

    Args:
        columns: n×k scores.

    Returns:
        n numbers in [−1, 1]: (victories − defeats) / (n − 1).
    """
    values = filled(columns)
    size = max(1, BLOCK // max(1, values.size))
    blocks = [values[start : start + size] for start in range(0, len(values), size)]
    majorities = [_signs(block[:, None], values[None]).sum(axis=2) for block in blocks]
    balance = np.concatenate([np.sign(block).sum(axis=1) for block in majorities])
    scores: Floats = balance / max(1, len(values) - 1)
    return scores


def robot(
    columns: npt.ArrayLike, accuracies: npt.ArrayLike, queries: int = QUERIES, seed: int = 0
) -> Floats:
    """Returns the columns, scaled to [0, 1], weighted by what ``robot_weights`` finds.

    Args:
        columns: n×k scores.
        accuracies: n; those of at most ``queries`` architectures are looked at.
        queries: How many.
        seed: Of the search.
    """
    scores: Floats = scaled(columns) @ robot_weights(columns, accuracies, queries, seed)
    return scores


def robot_weights(
    columns: npt.ArrayLike, accuracies: npt.ArrayLike, queries: int = QUERIES, seed: int = 0
) -> Floats:
    """Returns the weights under which the highest-scored architecture is the most accurate.

    Bayesian optimisation proposes weights in [−1, 1], one each for the columns scaled to [0, 1];
    the architecture that a proposal ranks first is queried for its accuracy. What RoBoT does with
    the rest of its budget, querying down the final ranking, chooses an architecture and no weights.

    Source: He et al. 2024, "Robustifying and Boosting Training-Free Neural Architecture Search"
    (RoBoT), algorithm 1; scaling and bounds as in the authors' script.

    Args:
        columns: n×k scores.
        accuracies: n.
        queries: Proposals of weights.
        seed: Of the search.

    Returns:
        k numbers in [−1, 1].

    Raises:
        DataError: If there are not as many accuracies as architectures, or some are missing.
    """
    scores = scaled(columns)
    truth = _accuracies(accuracies, len(scores))

    def value(weights: Floats) -> float:
        return float(truth[np.argmax(scores @ weights)])

    return best_weights(value, scores.shape[1], queries, np.random.default_rng(seed))


def libra(columns: npt.ArrayLike, accuracies: npt.ArrayLike, sizes: npt.ArrayLike) -> Floats:
    """Returns ``rank_log`` of the three columns that ``libra_members`` chooses.

    How the three become one score was not to be read; AZ-NAS's way was taken.

    Args:
        columns: n×k scores.
        accuracies: n; all are looked at.
        sizes: n numbers of parameters.
    """
    members = libra_members(columns, accuracies, sizes)
    return rank_log(np.asarray(columns, dtype=float)[:, members])


def libra_members(
    columns: npt.ArrayLike, accuracies: npt.ArrayLike, sizes: npt.ArrayLike
) -> list[int]:
    """Chooses three columns that agree with the accuracy and tell nearly the same.

    First the one with the highest Spearman's ρ; then, of those within 0.1 of it, the one that tells
    least about the accuracy beyond the first (``information_gain``); then, of what is left of them,
    the one whose ρ with the size is nearest to the accuracy's.

    Source: Casarin et al. 2025, "L-SWAG: Layer-Sample Wise Activation with Gradients Information
    for Zero-Shot NAS on Vision Transformers", section on LIBRA-NAS; information gain as in
    Krishnakumar et al. 2022, NAS-Bench-Suite-Zero.

    Args:
        columns: n×k scores.
        accuracies: n.
        sizes: n numbers of parameters.

    Returns:
        The places of up to three columns; fewer where fewer come near the best.

    Raises:
        DataError: If accuracies are missing or no column has a correlation with them.
    """
    values = filled(columns)
    truth = _accuracies(accuracies, len(values))
    rho = np.array([spearman(column, truth) for column in values.T])
    if np.isnan(rho).all():
        raise DataError("No column of scores has a rank correlation with the accuracies.")
    first = int(np.nanargmax(rho))
    near = [j for j in range(len(rho)) if j != first and rho[j] >= rho[first] - CLOSE]
    gains = [information_gain(truth, values[:, first], values[:, j]) for j in near]
    chosen = [first]
    if near:
        chosen.append(near.pop(int(np.argmin(gains))))
    if near:
        size = np.asarray(sizes, dtype=float)
        bias = [abs(spearman(values[:, j], size) - spearman(truth, size)) for j in near]
        chosen.append(near[int(np.nanargmin(bias))])
    return chosen


def information_gain(truth: npt.ArrayLike, known: npt.ArrayLike, new: npt.ArrayLike) -> float:
    """Returns H(truth | known) − H(truth | known, new) in nats, at least 0.

    All three are cut into 1 + log₂ n bins of equally many architectures, so that only ranks count.

    Args:
        truth: n numbers.
        known: n numbers.
        new: n numbers.
    """
    y, z, w = (_bins(np.asarray(column, dtype=float)) for column in (truth, known, new))
    return _entropy(y, z) - _entropy(z) - _entropy(y, z, w) + _entropy(z, w)


def filled(columns: npt.ArrayLike) -> Floats:
    """Returns the columns with −∞, the last place, where a score is undefined."""
    values = np.asarray(columns, dtype=float)
    return np.where(np.isnan(values), -np.inf, values)


def scaled(columns: npt.ArrayLike) -> Floats:
    """Returns the columns stretched to [0, 1]; undefined scores and constant columns are 0."""
    values = np.asarray(columns, dtype=float)
    result = np.zeros_like(values)
    for place, column in enumerate(values.T):
        known = np.isfinite(column)
        low, high = (column[known].min(), column[known].max()) if known.any() else (0.0, 0.0)
        if high > low:
            result[known, place] = (column[known] - low) / (high - low)
    return result


def _signs(first: Floats, second: Floats) -> npt.NDArray[np.int8]:
    """Compares without subtracting: −∞ equals −∞."""
    return (first > second).astype(np.int8) - (first < second).astype(np.int8)


def _accuracies(accuracies: npt.ArrayLike, n: int) -> Floats:
    truth = np.asarray(accuracies, dtype=float)
    if truth.shape != (n,) or not np.isfinite(truth).all():
        raise DataError(f"Expected {n} accuracies, one per architecture, none of them missing.")
    return truth


def _bins(column: Floats) -> npt.NDArray[np.intp]:
    """Cuts a column by its ranks; tied architectures share a bin."""
    from scipy.stats import rankdata

    count = round(1 + math.log2(max(1, len(column))))
    below = rankdata(column, method="min") - 1
    bins: npt.NDArray[np.intp] = np.floor(below * count / len(column)).astype(np.intp)
    return bins


def _entropy(*columns: npt.NDArray[np.intp]) -> float:
    _, counts = np.unique(np.stack(columns), axis=1, return_counts=True)
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum())
