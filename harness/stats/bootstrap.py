"""The bootstrap of Spearman's ρ over architectures, fast enough for every proxy of every run.

A replicate draws architectures from all that were scored, with replacement, once for all seeds: an
architecture that several seeds scored is as often in each of their resamples. Seeds drawn from one
pool are no independent samples; treating them so halves the interval where the pool is small.

Resampling never changes the order of architectures, only how often each one occurs. So the values
are sorted once, and a resample needs only the counts along that order: the rank of an architecture
is the number of copies below it plus the middle of its own tie. That equals ranking the resample
itself, without sorting it. Twice a rank is an integer, so the sums are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.stats.ranks import Floats

Counts = npt.NDArray[np.int32]
"""How often each of n architectures (columns) occurs in each of b resamples (rows)."""

Measure = Callable[[int, Counts], Floats]
"""From a seed's place and how often each of its n architectures occurs in b resamples (b×n) to
b×… numbers."""

# Numbers per working array: 120 kB each, so that they stay in the processor's cache.
FEWEST = 10
"""Architectures of which a ρ has an interval: resamples of fewer hardly differ, and look surer than
they are."""
BLOCK = 30_000


class Ranker:
    """Values sorted once, of which any number of resamples is then ranked.

    Args:
        values: n numbers, not NaN; −inf is a last place.
    """

    def __init__(self, values: npt.ArrayLike) -> None:
        x = np.asarray(values, dtype=float)
        self._order = np.argsort(x)
        distinct, self._value = np.unique(x, return_inverse=True)
        ends = np.searchsorted(x[self._order], distinct, side="right")
        self._borders = np.append(0, ends)
        self._place = ends.take(self._value)
        self.has_ties = len(distinct) < len(x)

    def doubled_midranks(self, counts: Counts) -> tuple[Counts, Counts]:
        """Ranks samples that consist of the same values, each repeated.

        Args:
            counts: b×n; how often each value occurs in each of b samples, 0 or more.

        Returns:
            b×n: twice the rank, ties averaged, that ranking a sample gives to the copies of a
            value, minus 1; entries whose count is 0 stand for nothing. And how often each distinct
            value occurs, in any order.
        """
        # This is the hot spot; adding up integers is several times faster than adding up floats,
        # and so is take compared with an index.
        copies = np.zeros((len(counts), counts.shape[1] + 1), dtype=np.int32)
        counts.take(self._order, axis=1).cumsum(axis=1, out=copies[:, 1:])
        if not self.has_ties:
            doubled = copies.take(self._place, axis=1)
            doubled *= 2
            doubled -= counts
            return doubled, counts
        below = copies.take(self._borders, axis=1)
        doubled = (below[:, :-1] + below[:, 1:]).take(self._value, axis=1)
        return doubled, below[:, 1:] - below[:, :-1]


@dataclass(frozen=True)
class SeedRanking:
    """What one seed ranks.

    Attributes:
        members: n places in the pool of architectures; a place occurs again where an architecture
            was drawn again.
        scores: k rankings of the members.
        accuracy: Their ranking by accuracy.
    """

    members: npt.NDArray[np.intp]
    scores: Sequence[Ranker]
    accuracy: Ranker


def ranked(
    scores: Floats, truth: Floats, members: npt.NDArray[np.intp] | None = None
) -> SeedRanking:
    """Ranks architectures that a seed scored.

    Args:
        scores: n×k.
        truth: n.
        members: The places of those to rank; all by default.
    """
    own = np.arange(len(truth)) if members is None else members
    return SeedRanking(own, [Ranker(column) for column in scores[own].T], Ranker(truth[own]))


def mean_spearman(
    seeds: Sequence[SeedRanking], pool: int, resamples: int, random: np.random.Generator
) -> Floats:
    """Returns Spearman's ρ, averaged over seeds, in resamples of the architectures.

    Scores and accuracy of an architecture stay together (Efron & Tibshirani, "An Introduction to
    the Bootstrap", 1993, section 6.3, the paired bootstrap), in all seeds and for all proxies.

    Args:
        seeds: What each seed ranks, k scores each.
        pool: How many architectures there are to draw from; as many are drawn.
        resamples: B, how many resamples to draw.
        random: Where the draws come from; a score's result is the same alone as with others.

    Returns:
        B×k means in [−1, 1]; NaN where a side of a seed's resample is constant.
    """
    members = [seed.members for seed in seeds]
    rhos = resampled(
        members, pool, lambda place, counts: spearmans(seeds[place], counts), resamples, random
    )
    means: Floats = rhos.mean(axis=0)
    return means


def resampled(
    members: Sequence[npt.NDArray[np.intp]],
    pool: int,
    measure: Measure,
    resamples: int,
    random: np.random.Generator,
) -> Floats:
    """Returns a measure of every seed in resamples of the architectures, drawn once for all seeds.

    Args:
        members: Per seed which architecture of the pool each row is.
        pool: How many architectures there are to draw from; as many are drawn.
        measure: What to measure.
        resamples: B, how many resamples to draw.
        random: Where the draws come from.

    Returns:
        seeds×B×….
    """
    largest = max(map(len, members))
    blocks = [
        [measure(place, counts.take(own, axis=1)) for place, own in enumerate(members)]
        for counts in draws(pool, resamples, random, at_once=largest)
    ]
    return np.concatenate(blocks, axis=1)


def intervals(replicates: Floats, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Returns the ends of percentile intervals; NaN where no replicate is defined.

    Args:
        replicates: B×…; NaN where a replicate is undefined, which is then left out.
        confidence: Their coverage.
    """
    ends: Floats = np.full((2, *replicates.shape[1:]), np.nan)
    defined = ~np.isnan(replicates).all(axis=0)
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    ends[:, defined] = np.nanquantile(replicates[:, defined], tails, axis=0)
    return ends[0], ends[1]


def draws(pool: int, resamples: int, random: np.random.Generator, at_once: int) -> Iterator[Counts]:
    """Yields blocks of resamples of a pool as counts, b×pool.

    Args:
        pool: How many architectures to draw from, and to draw.
        resamples: How many resamples to yield altogether.
        random: Where the draws come from; they do not depend on the size of the blocks.
        at_once: How many architectures are ranked at a time, which decides b.
    """
    most = max(1, BLOCK // max(1, at_once))
    for start in range(0, resamples, most):
        b = min(most, resamples - start)
        drawn = random.integers(max(1, pool), size=(b, pool), dtype=np.int32)
        drawn += pool * np.arange(b, dtype=np.int32)[:, None]
        yield np.bincount(drawn.ravel(), minlength=b * pool).reshape(b, pool).astype(np.int32)


def pooled(seeds: Sequence[pd.DataFrame]) -> tuple[int, list[npt.NDArray[np.intp]]]:
    """Numbers the architectures of all seeds, which are the index of each seed's rows.

    Returns:
        How many there are, and per seed which of them each row is.
    """
    pool = pd.Index(sorted(set().union(*(rows.index for rows in seeds))))
    return len(pool), [pool.get_indexer(rows.index) for rows in seeds]


def interval(replicates: Floats, confidence: float = 0.95) -> tuple[float, float]:
    """Returns the ends of the percentile interval of one number; NaN if no replicate is defined."""
    low, high = intervals(replicates[:, None], confidence)
    return float(low[0]), float(high[0])


def correlation(covariance: Floats, variance_x: Floats, variance_y: Floats) -> Floats:
    """Returns covariance / √(variances' product), NaN where a variance is 0; arrays broadcast."""
    scale = np.sqrt(variance_x * variance_y)
    ratio: Floats = np.full(covariance.shape, np.nan)
    np.divide(covariance, scale, out=ratio, where=scale > 0)
    return ratio


def spearmans(seed: SeedRanking, counts: Counts) -> Floats:
    """Returns b×k correlations of one seed in b resamples; sums are of doubled ranks.

    Args:
        seed: Its rankings, of n architectures each; ``members`` is not looked at.
        counts: How often each of them occurs, b×n.
    """
    total = counts.sum(axis=1, dtype=np.int32)
    cubed: Floats = total.astype(float) ** 3
    untied = _cubes(counts)

    def variance(ranker: Ranker, occurring: Counts) -> Floats:
        # Midranks of N values in ties of t deviate from their mean by (N³ − Σt³)/12, squared.
        squares: Floats = (cubed - (_cubes(occurring) if ranker.has_ties else untied)) / 3
        return squares

    doubled, occurring = seed.accuracy.doubled_midranks(counts)
    variance_of_truth = variance(seed.accuracy, occurring)
    doubled -= total[:, None]  # centred, so that the scores' ranks need not be
    weighted = (counts * doubled).astype(float)
    covariance, variances = np.empty((2, len(counts), len(seed.scores)))
    for k, score in enumerate(seed.scores):
        doubled, occurring = score.doubled_midranks(counts)
        covariance[:, k] = np.vecdot(weighted, doubled)
        variances[:, k] = variance(score, occurring)
    return correlation(covariance, variances, variance_of_truth[:, None])


def _cubes(counts: Counts) -> Floats:
    x = counts.astype(float)
    cubes: Floats = np.vecdot(x * x, x)
    return cubes
