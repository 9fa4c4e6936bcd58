"""The bootstrap of Spearman's ρ, fast enough for every proxy of every run.

Resampling architectures never changes their order, only how often each one occurs. So the scores
are sorted once, and each resample needs only the counts along that order: the rank of an
architecture is the number of copies below it plus the middle of its own tie. That equals ranking
the resample itself, without sorting it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from harness.stats.ranks import Floats

# Numbers per working array: 240 kB each, so that they stay in the processor's cache.
BLOCK = 30_000


def weighted_midranks(values: npt.ArrayLike, counts: npt.ArrayLike) -> Floats:
    """Ranks samples that consist of the same values, each repeated.

    Args:
        values: n numbers, not NaN.
        counts: B×n; how often each value occurs in each of B samples, 0 or more.

    Returns:
        B×n ranks from 1, ties averaged: row b holds what ranking the repeated values of sample b
        gives to their copies. Entries whose count is 0 stand for nothing.
    """
    x, weights = np.asarray(values, dtype=float), np.asarray(counts)
    _, group, size = np.unique(x, return_inverse=True, return_counts=True)
    # np.take is several times faster than indexing here, and this is the hot spot.
    along_order = np.cumsum(np.take(weights, np.argsort(group, kind="stable"), axis=1), axis=1)
    up_to = np.take(along_order, np.cumsum(size) - 1, axis=1)
    below = np.pad(up_to[:, :-1], ((0, 0), (1, 0)))
    midranks: Floats = (below + up_to + 1) / 2
    return np.take(midranks, group, axis=1)


def resampled_spearman(
    scores: npt.ArrayLike, truth: npt.ArrayLike, resamples: int, random: np.random.Generator
) -> Floats:
    """Returns Spearman's ρ of resamples of the architectures, drawn with replacement.

    Score and accuracy of an architecture stay together (Efron & Tibshirani, "An Introduction to
    the Bootstrap", 1993, section 6.3, the paired bootstrap).

    Args:
        scores: n numbers, not NaN; −inf is a last place.
        truth: n accuracies in the same order.
        resamples: How many resamples of n architectures to draw.
        random: Where the draws come from.

    Returns:
        ``resamples`` correlations in [−1, 1]; NaN where a side of the resample is constant.
    """
    x, y = np.asarray(scores, dtype=float), np.asarray(truth, dtype=float)
    if len(x) < 2:
        return np.full(resamples, np.nan)
    return np.concatenate([_spearman(x, y, c) for c in draws(len(x), resamples, random)])


def draws(n: int, resamples: int, random: np.random.Generator) -> Iterator[Floats]:
    """Yields blocks of resamples as counts, b×n."""
    most = max(1, BLOCK // n)
    for start in range(0, resamples, most):
        b = min(most, resamples - start)
        drawn = random.integers(n, size=(b, n), dtype=np.int32) + n * np.arange(b)[:, None]
        yield np.bincount(drawn.ravel(), minlength=b * n).reshape(b, n).astype(float)


def _spearman(x: Floats, y: Floats, counts: Floats) -> Floats:
    # Midranks always average (n+1)/2, with or without ties.
    centre = (len(x) + 1) / 2
    rank_x, rank_y = (weighted_midranks(v, counts) - centre for v in (x, y))
    product = "bi,bi,bi->b"
    covariance = np.einsum(product, counts, rank_x, rank_y)
    variance_x = np.einsum(product, counts, rank_x, rank_x)
    variance_y = np.einsum(product, counts, rank_y, rank_y)
    scale = np.sqrt(variance_x * variance_y)
    correlation: Floats = np.full(len(counts), np.nan)
    np.divide(covariance, scale, out=correlation, where=scale > 0)
    return correlation
