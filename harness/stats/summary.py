"""One row per proxy: the correlation over all seeds, with a bootstrap interval."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.core.errors import HarnessError
from harness.core.types import Policy
from harness.stats.bootstrap import Ranker, SeedRanking, interval, mean_spearman
from harness.stats.correlation import correlations
from harness.stats.ranks import Floats, resolve_undefined

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
    "at_ceiling",
]
CROWDED = 0.02
"""Share of scores at their ceiling beyond which a result says so: their order is lost."""


def summary(
    scores: pd.DataFrame,
    undefined: Policy = "worst",
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    *,
    by_seed: pd.DataFrame | None = None,
    ceilings: Mapping[str, float] | None = None,
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
        by_seed: What ``correlations`` returned for these scores, if it is at hand.
        ceilings: The largest score that there can be, of proxies that have one.

    Returns:
        One row per proxy, the largest mean Spearman first. ``n`` is the number of architectures
        per seed that entered (the smallest, if seeds differ), ``n_undefined`` and ``n_failed``
        are totals over all seeds. ``spearman_std`` is the standard deviation over seeds (NaN for
        one seed), ``spearman_low`` and ``spearman_high`` are the ends of the percentile bootstrap
        interval of the mean, see ``mean_replicates``; resamples in which all scores are equal have
        no correlation and are left out. ``at_ceiling`` is the share of the defined scores that are
        as large as can be, NaN where no such number is known.

    Raises:
        DataError: If a column, an accuracy or the value of an ``ok`` score is missing.
        HarnessError: If ``undefined``, ``resamples`` or ``confidence`` is out of range.
    """
    if resamples < 1 or not 0 < confidence < 1:
        raise HarnessError(
            f"resamples={resamples} and confidence={confidence} give no interval; at least one "
            "resample and a confidence between 0 and 1 are needed."
        )
    if by_seed is None:
        by_seed = correlations(scores, undefined)
    replicates = mean_replicates(scores, undefined, resamples, seed)
    crowded = _at_ceiling(scores, ceilings or {})
    rows = []
    for name, seeds in by_seed.groupby(PROXY, sort=False, dropna=False):
        low, high = interval(replicates[name], confidence)
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
                "at_ceiling": crowded.get(name, np.nan),
            }
        )
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values("spearman_mean", ascending=False, kind="stable", ignore_index=True)


def _at_ceiling(scores: pd.DataFrame, ceilings: Mapping[str, float]) -> dict[Hashable, float]:
    """Returns, per (space, task, proxy), the share of defined scores at the proxy's ceiling."""
    known = scores[scores["proxy"].isin(ceilings) & (scores["status"] == "ok")]
    reached = known["value"] >= known["proxy"].astype(object).map(ceilings)
    shares = reached.groupby([known[name] for name in PROXY], observed=True).mean()
    return {name: float(share) for name, share in shares.items()}


def mean_replicates(
    scores: pd.DataFrame, undefined: Policy, resamples: int, seed: int
) -> dict[Hashable, Floats]:
    """Bootstraps every proxy's mean Spearman over its seeds.

    In every replicate architectures are drawn once from all that were scored, and the correlations
    of the seeds, each over its own among them, are averaged. The replicates therefore speak of
    other architectures under the same seeds; how much the seeds themselves matter is what the
    standard deviation over seeds says.

    Args:
        scores: The table that ``correlations`` takes.
        undefined: What scores without a value rank as.
        resamples: How many replicates.
        seed: Fixes the resamples, which are the same for all proxies that rank the same
            architectures.

    Returns:
        Per (space, task, proxy) ``resamples`` means; NaN where all scores of a resample are equal.
    """
    found: dict[Hashable, Floats] = {}
    for place, rows in scores[[*PROXY, *_RANKED]].groupby(["space", "task"], observed=True):
        for proxies, samples in _on_the_same(rows, undefined):
            pool, members = np.unique(
                np.concatenate([one.architectures for one in samples]), return_inverse=True
            )
            starts = np.cumsum([len(one.architectures) for one in samples])[:-1]
            rankings = [
                SeedRanking(own, [Ranker(values) for values in one.values], Ranker(one.truth))
                for one, own in zip(samples, np.split(members, starts), strict=True)
            ]
            # The first seed's stream: what a seed alone gives does not depend on how many follow.
            random = np.random.default_rng([seed, samples[0].seed])
            means = mean_spearman(rankings, len(pool), resamples, random)
            found |= {
                (*place, proxy): column for proxy, column in zip(proxies, means.T, strict=True)
            }
    return found


_RANKED = ["key", "seed", "value", "status", "truth"]


@dataclass(frozen=True)
class _Sample:
    """What proxies rank in one seed: architectures by number, k scores each, and accuracies."""

    seed: int
    architectures: npt.NDArray[np.intp]
    values: list[Floats]
    truth: Floats


def _on_the_same(
    rows: pd.DataFrame, undefined: Policy
) -> Iterator[tuple[list[Hashable], list[_Sample]]]:
    """Yields proxies that rank the same architectures and accuracies, and what each seed holds.

    Drawing and ranking the accuracies is half of the work, and such proxies share it.
    """
    numbers, _ = pd.factorize(rows["key"], sort=True)
    # Shards arrive in any order; the draws must not notice.
    ordered = rows.drop(columns=["space", "task", "key"]).assign(architecture=numbers)
    ordered = ordered.iloc[np.argsort(numbers, kind="stable")]
    together: dict[Hashable, tuple[list[Hashable], list[_Sample]]] = {}
    for proxy, of_proxy in ordered.groupby("proxy", observed=True):
        samples = []
        for seed, own in of_proxy.groupby("seed"):
            resolved = resolve_undefined(own["value"], own["status"], undefined)
            entered = ~np.isnan(resolved)
            architectures, truth = (
                own[name].to_numpy()[entered] for name in ("architecture", "truth")
            )
            samples.append(_Sample(int(str(seed)), architectures, [resolved[entered]], truth))
        same = tuple(
            (one.seed, one.architectures.tobytes(), one.truth.tobytes()) for one in samples
        )
        proxies, shared = together.setdefault(same, ([], samples))
        if proxies:
            for one, new in zip(shared, samples, strict=True):
                one.values.extend(new.values)
        proxies.append(proxy)
    yield from together.values()
