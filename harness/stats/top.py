"""How good are a proxy's top k architectures? Their accuracy and regret, and its precision."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.core.errors import HarnessError
from harness.stats.ranks import Floats


def best_of_top(scores: npt.ArrayLike, truth: npt.ArrayLike, k: int) -> float:
    """Returns the accuracy of the best among the k highest-scored architectures.

    Where equal scores straddle the k-th place, every choice among them is equally likely and the
    expectation is returned.

    Args:
        scores: n numbers, not NaN; −inf is a last place.
        truth: n accuracies in the same order.
        k: From 1 to n.

    Raises:
        HarnessError: If k is out of range.
    """
    from scipy.stats import hypergeom

    chosen, tied, places = _split(scores, truth, k)
    ordered = np.sort(tied)
    larger = np.arange(len(ordered))[::-1]
    # The best of the places is at most an architecture if none of the larger ones is drawn.
    at_most = hypergeom.pmf(0, len(ordered), larger, places)
    best = np.maximum(ordered, chosen.max(initial=-np.inf))
    return float(best @ np.diff(at_most, prepend=0.0))


def regret(scores: npt.ArrayLike, truth: npt.ArrayLike, k: int) -> float:
    """Returns by how much ``best_of_top`` falls short of the best accuracy there is, 0 or more."""
    return float(np.max(np.asarray(truth, dtype=float))) - best_of_top(scores, truth, k)


def precision(scores: npt.ArrayLike, truth: npt.ArrayLike, share: float = 0.1) -> float:
    """Returns which part of the best-scored ``share`` belongs to the most accurate ``share``.

    Ties at either border count by expectation. A random score gives ``share``.

    Args:
        scores: n numbers, not NaN; −inf is a last place.
        truth: n accuracies in the same order.
        share: Above 0, at most 1; at least one architecture is taken.

    Returns:
        From 0 to 1.

    Raises:
        HarnessError: If ``share`` is out of range.
    """
    if not 0 < share <= 1:
        raise HarnessError(f"share={share} must be above 0 and at most 1.")
    n = len(np.asarray(scores))
    k = max(1, round(share * n))
    return float(membership(scores, k) @ membership(truth, k)) / k


def _split(scores: npt.ArrayLike, truth: npt.ArrayLike, k: int) -> tuple[Floats, Floats, int]:
    """Returns the truth of what is surely among the top k, of what ties for the rest, the rest."""
    x, y = np.asarray(scores, dtype=float), np.asarray(truth, dtype=float)
    if not 1 <= k <= len(x):
        raise HarnessError(f"k={k} must be from 1 to the {len(x)} architectures.")
    border = np.sort(x)[len(x) - k]
    above = x > border
    places = k - int(above.sum())
    return y[above], y[x == border], places


def membership(values: npt.ArrayLike, k: int) -> Floats:
    """Returns the probability of each to be among the k largest, ties being drawn.

    Args:
        values: n numbers, not NaN; −∞ is a last place.
        k: From 1 to n.
    """
    x = np.asarray(values, dtype=float)
    border = np.sort(x)[len(x) - k]
    above, tied = x > border, x == border
    result: Floats = above + tied * (k - above.sum()) / tied.sum()
    return result
