"""One row per proxy: the correlation over all seeds, with a bootstrap interval."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.errors import HarnessError
from harness.stats.bootstrap import resampled_spearman
from harness.stats.correlation import correlations, ranked_pairs
from harness.stats.ranks import Policy

PROXY = ["space", "task", "proxy"]
COLUMNS = [
    *PROXY,
    "seeds",
    "n",
    "spearman_mean",
    "spearman_std",
    "spearman_low",
    "spearman_high",
    "kendall_mean",
    "n_undefined",
    "n_failed",
]


def summary(
    scores: pd.DataFrame,
    undefined: Policy = "worst",
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Averages each proxy's correlation over the seeds and says how certain the average is.

    A seed whose correlation is undefined (constant scores) makes the average undefined: an
    average that leaves a seed out would be another quantity.

    Args:
        scores: The table that ``correlations`` takes.
        undefined: What scores without a value rank as, see ``resolve_undefined``.
        resamples: Bootstrap resamples, at least 1.
        confidence: Coverage of the interval, above 0 and below 1.
        seed: Fixes the resamples. The order of rows and the other proxies do not matter.

    Returns:
        One row per proxy, the largest mean Spearman first. ``n`` is the number of architectures
        per seed that entered (the smallest, if seeds differ), ``n_undefined`` and ``n_failed``
        are totals over all seeds. ``spearman_std`` is the standard deviation over seeds (NaN for
        one seed), ``spearman_low`` and ``spearman_high`` are the ends of ``mean_interval``.

    Raises:
        DataError: If a column, an accuracy or the value of an ``ok`` score is missing.
        HarnessError: If ``undefined``, ``resamples`` or ``confidence`` is out of range.
    """
    if resamples < 1 or not 0 < confidence < 1:
        raise HarnessError(
            f"resamples={resamples} and confidence={confidence} give no interval; at least one "
            "resample and a confidence between 0 and 1 are needed."
        )
    rows = []
    for name, seeds in correlations(scores, undefined).groupby(PROXY, sort=False, dropna=False):
        space, task, proxy = name
        own = (scores["space"] == space) & (scores["task"] == task) & (scores["proxy"] == proxy)
        low, high = mean_interval(scores[own], undefined, resamples, confidence, seed)
        rows.append(
            {
                **dict(zip(PROXY, name, strict=True)),
                "seeds": len(seeds),
                "n": seeds["n"].min(),
                "spearman_mean": seeds["spearman"].mean(skipna=False),
                "spearman_std": seeds["spearman"].std(ddof=1, skipna=False),
                "spearman_low": low,
                "spearman_high": high,
                "kendall_mean": seeds["kendall"].mean(skipna=False),
                "n_undefined": seeds["n_undefined"].sum(),
                "n_failed": seeds["n_failed"].sum(),
            }
        )
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values("spearman_mean", ascending=False, kind="stable", ignore_index=True)


def mean_interval(
    scores: pd.DataFrame, undefined: Policy, resamples: int, confidence: float, seed: int
) -> tuple[float, float]:
    """Returns the percentile bootstrap interval of one proxy's mean Spearman over its seeds.

    In every replicate the architectures of each seed are resampled and the correlations averaged
    over the seeds. The interval therefore speaks of other architectures under the same seeds; how
    much the seeds themselves matter is what the standard deviation over seeds says. Resamples in
    which all scores are equal have no correlation and are left out.

    Args:
        scores: The rows of one proxy on one space and task.
        undefined: What scores without a value rank as.
        resamples: How many replicates.
        confidence: Coverage of the interval.
        seed: Fixes the resamples, which are the same for all proxies with the same number of
            architectures.

    Returns:
        Lower and upper end; NaN if no replicate has a correlation.
    """
    replicates = []
    # Shards arrive in any order; the draws must not notice.
    for run_seed, rows in scores.sort_values("key", kind="stable").groupby("seed"):
        random = np.random.default_rng([seed, int(str(run_seed))])
        replicates.append(resampled_spearman(*ranked_pairs(rows, undefined), resamples, random))
    means = np.mean(replicates, axis=0)
    defined = means[~np.isnan(means)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
