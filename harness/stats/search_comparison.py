"""What several seeds of two search methods say about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap, wilcoxon

RESAMPLES = 10_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean over seeds with its 95 % bootstrap interval; NaN ends for a single seed."""

    mean: float
    low: float
    high: float


def mean_over_seeds(values: npt.ArrayLike, seed: int = 0) -> Interval:
    """Returns the mean and its percentile bootstrap interval (10,000 resamples of the seeds).

    Args:
        values: One number per seed, at least one.
        seed: Fixes the resamples.
    """
    x = np.asarray(values, dtype=float)
    if len(x) < 2:
        return Interval(float(x.mean()), np.nan, np.nan)
    result = bootstrap(
        (x,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",  # the others have no value where all seeds agree
        rng=np.random.default_rng(seed),
    )
    ends = result.confidence_interval
    return Interval(float(x.mean()), float(ends.low), float(ends.high))


def paired_difference(
    values: npt.ArrayLike, others: npt.ArrayLike, seed: int = 0
) -> tuple[Interval, float]:
    """Returns the mean of ``values − others`` over seeds, and Wilcoxon's two-sided p.

    Methods of one seed share images and weights, so that their difference is compared seed by
    seed. p is 1 where they never differ.

    Args:
        values: One number per seed.
        others: The other method's, of the same seeds in the same order.
        seed: Fixes the resamples.
    """
    difference = np.asarray(values, dtype=float) - np.asarray(others, dtype=float)
    p = float(wilcoxon(difference).pvalue) if difference.any() else 1.0
    return mean_over_seeds(difference, seed), p
