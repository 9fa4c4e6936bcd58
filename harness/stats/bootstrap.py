"""The bootstrap of Spearman's ρ, fast enough for every proxy of every run.

Resampling architectures never changes their order, only how often each one occurs. So the scores
are sorted once, and each resample needs only the counts along that order: the rank of an
architecture is the number of copies below it plus the middle of its own tie. That equals ranking
the resample itself, without sorting it. Twice a rank is an integer, so the sums are exact.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from harness.stats.ranks import Floats

Counts = npt.NDArray[np.int32]

# Numbers per working array: 240 kB each, so that they stay in the processor's cache.
BLOCK = 30_000


class Ranker:
    """Values sorted once, of which any number of resamples is then ranked.

    Args:
        values: n numbers, not NaN; −inf is a last place.
    """

    def __init__(self, values: npt.ArrayLike) -> None:
        x = np.asarray(values, dtype=float)
        self._order = np.argsort(x)
        ordered = x[self._order]
        self._lower = np.searchsorted(ordered, x, side="left")
        self._not_higher = np.searchsorted(ordered, x, side="right")

    def centred_midranks(self, counts: Counts) -> Floats:
        """Ranks samples that consist of the same values, each repeated.

        Args:
            counts: B×n; how often each value occurs in each of B samples, 0 or more.

        Returns:
            B×n ranks, ties averaged, minus their mean: row b holds, for N values in sample b, what
            ranking them gives to their copies, minus (N+1)/2. Entries whose count is 0 stand for
            nothing.
        """
        # This is the hot spot; adding up integers is several times faster than adding up floats,
        # and so is take compared with an index.
        copies = np.zeros((len(counts), counts.shape[1] + 1), dtype=np.int32)
        counts.take(self._order, axis=1).cumsum(axis=1, out=copies[:, 1:])
        doubled = copies.take(self._lower, axis=1)
        doubled += copies.take(self._not_higher, axis=1)
        doubled -= copies[:, -1:]
        centred: Floats = doubled / 2
        return centred


def resampled_spearman(
    scores: npt.ArrayLike, truth: npt.ArrayLike, resamples: int, random: np.random.Generator
) -> Floats:
    """Returns Spearman's ρ of resamples of the architectures, drawn with replacement.

    Scores and accuracy of an architecture stay together (Efron & Tibshirani, "An Introduction to
    the Bootstrap", 1993, section 6.3, the paired bootstrap), so that several proxies are seen on
    the same resamples.

    Args:
        scores: n×k numbers, not NaN; −inf is a last place.
        truth: n accuracies in the same order.
        resamples: B, how many resamples of n architectures to draw.
        random: Where the draws come from; each column's result is the same alone as with others.

    Returns:
        B×k correlations in [−1, 1]; NaN where a side of the resample is constant.
    """
    columns = [Ranker(column) for column in np.asarray(scores, dtype=float).T]
    n, accuracy = np.size(truth), Ranker(truth)
    if n < 2:
        return np.full((resamples, len(columns)), np.nan)
    blocks = [_spearman(columns, accuracy, counts) for counts in draws(n, resamples, random)]
    return np.concatenate(blocks)


def draws(n: int, resamples: int, random: np.random.Generator) -> Iterator[Counts]:
    """Yields blocks of resamples as counts, b×n."""
    most = max(1, BLOCK // n)
    for start in range(0, resamples, most):
        b = min(most, resamples - start)
        drawn = random.integers(n, size=(b, n), dtype=np.int32) + n * np.arange(b)[:, None]
        yield np.bincount(drawn.ravel(), minlength=b * n).reshape(b, n).astype(np.int32)


def correlation(covariance: Floats, variance_x: Floats, variance_y: Floats) -> Floats:
    """Returns covariance / √(variances' product), NaN where a variance is 0; arrays broadcast."""
    scale = np.sqrt(variance_x * variance_y)
    ratio: Floats = np.full(covariance.shape, np.nan)
    np.divide(covariance, scale, out=ratio, where=scale > 0)
    return ratio


def _spearman(columns: list[Ranker], accuracy: Ranker, counts: Counts) -> Floats:
    """Returns b×k correlations of b resamples, given as counts."""
    copies = counts.astype(float)  # once, as products of integers and floats convert every time
    truth = accuracy.centred_midranks(counts)
    weighted = copies * truth
    covariance, variance = np.empty((2, len(counts), len(columns)))
    for k, column in enumerate(columns):
        ranks = column.centred_midranks(counts)
        covariance[:, k] = np.vecdot(weighted, ranks)
        variance[:, k] = np.vecdot(copies, np.square(ranks, out=ranks))
    return correlation(covariance, variance, np.vecdot(weighted, truth)[:, None])
