"""What a correlation alone does not say: differences, knowledge beyond size.

All proxies are compared on the same architectures: those that every one of them ranks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.core.errors import HarnessError
from harness.core.types import Policy
from harness.stats import bootstrap
from harness.stats.bootstrap import Measure, interval, pooled
from harness.stats.correlation import check
from harness.stats.joint import partial, rank_matrix, resampled_matrices
from harness.stats.ranks import Floats, resolve_undefined

SIZE = ("params", "flops")
TRUTH = "truth"

OfMatrices = Callable[[Floats], Floats]
"""From …×k×k correlation matrices to one number each."""


@dataclass(frozen=True)
class Joint:
    """The rank correlations of several proxies and the accuracy, with resamples.

    Attributes:
        names: The proxies; the accuracy is the column behind them.
        columns: Per seed, a number to rank per architecture and proxy, and the accuracy.
        observed: seeds×k×k correlation matrices.
        resampled: seeds×B×k×k, of resampled architectures.
        stream: What fixes the resamples.
    """

    names: list[str]
    columns: list[pd.DataFrame]
    observed: Floats
    resampled: Floats
    stream: tuple[int, int]

    @cached_property
    def members(self) -> list[npt.NDArray[np.intp]]:
        """Per seed which architecture each row is, numbered from 0 over all seeds."""
        return pooled(self.columns)[1]

    def rows(self) -> list[tuple[Floats, Floats]]:
        """Returns per seed the n×k scores, and the n accuracies."""
        tables = [table.to_numpy(dtype=float) for table in self.columns]
        return [(table[:, :-1], table[:, -1]) for table in tables]

    def replicates(self, measure: Measure, resamples: int | None = None) -> tuple[Floats, Floats]:
        """Returns a measure of every seed, and of every seed in resamples of the architectures.

        Args:
            measure: From a seed's place and how often each architecture occurs (b×n) to b×….
            resamples: B, how many; by default those of ``resampled``.

        Returns:
            seeds×… and seeds×B×….
        """
        once = [np.ones((1, len(own)), dtype=np.int32) for own in self.members]
        observed = np.stack([measure(place, counts)[0] for place, counts in enumerate(once)])
        pool = 1 + max(int(own.max()) for own in self.members)
        random = np.random.default_rng(self.stream)
        replicates = bootstrap.resampled(
            self.members, pool, measure, resamples or self.resampled.shape[1], random
        )
        return observed, replicates

    def measured(
        self, measure: Measure, resamples: int | None = None
    ) -> tuple[Floats, Floats, Floats]:
        """Returns a measure's mean over seeds, and the ends of its 95 % bootstrap interval.

        The arguments are those of ``replicates``.
        """
        observed, replicates = self.replicates(measure, resamples)
        return observed.mean(axis=0), *bootstrap.intervals(replicates.mean(axis=0))

    def index(self, proxy: str) -> int:
        """Returns the column of a proxy.

        Raises:
            HarnessError: If it was not scored.
        """
        if proxy not in self.names:
            raise HarnessError(
                f"The proxy {proxy!r} has no scores here, but the analysis needs it; score it too."
            )
        return self.names.index(proxy)

    def estimate(self, measure: OfMatrices) -> tuple[float, float, float]:
        """Returns a measure's mean over seeds, and the ends of its 95 % bootstrap interval.

        A replicate resamples the architectures once for all seeds and averages over the seeds, as
        ``summary`` does; replicates in which the measure is undefined are left out.
        """
        low, high = interval(measure(self.resampled).mean(axis=0))
        return float(measure(self.observed).mean()), low, high

    def correlation(self, first: int, second: int = -1) -> tuple[float, float, float]:
        """Returns ``estimate`` of Spearman's ρ of two columns, of a proxy with the accuracy."""
        return self.estimate(lambda matrices: matrices[..., first, second])

    @property
    def counts(self) -> dict[str, int]:
        """Architectures per seed (the smallest, if seeds differ) and seeds."""
        return {"n": min(map(len, self.columns)), "seeds": len(self.columns)}


def joint(
    scores: pd.DataFrame, undefined: Policy = "worst", resamples: int = 1000, seed: int = 0
) -> Joint:
    """Correlates all proxies of one space and task with each other and with the accuracy.

    Args:
        scores: As for ``correlations``. An architecture whose score failed, or is undefined under
            ``drop``, is left out for all proxies.
        undefined: What scores without a value rank as.
        resamples: Bootstrap resamples.
        seed: Fixes the resamples.

    Raises:
        DataError: If a column, an accuracy or the value of an ``ok`` score is missing.
        HarnessError: If no two architectures have a score of every proxy.
    """
    check(scores)
    tables = dict(_tables(scores, undefined))
    if not tables:
        raise HarnessError("No two architectures have a score of every proxy; score more of them.")
    columns = list(tables.values())
    stream = (seed, min(tables))
    random = np.random.default_rng(stream)
    _, members = pooled(columns)
    resampled = resampled_matrices(columns, members, resamples, random)
    observed = np.stack([rank_matrix(table) for table in columns])
    return Joint(list(columns[0].columns[:-1]), columns, observed, resampled, stream)


def beyond_size(joined: Joint, given: Sequence[str] = SIZE) -> pd.DataFrame:
    """Asks whether a proxy knows more than the size of a network.

    Args:
        joined: The correlations.
        given: The proxies held fixed.

    Returns:
        One row per other proxy: ``spearman`` and ``partial`` (Spearman's ρ with the accuracy, and
        the same with ``given`` held fixed; means over seeds), ``low`` and ``high`` (95 % interval
        of ``partial``), ``n`` and ``seeds``.

    Raises:
        HarnessError: If a proxy of ``given`` was not scored, or nothing else.
    """
    fixed = [joined.index(name) for name in given]
    rows = []
    for proxy in (name for name in joined.names if name not in given):
        column = joined.index(proxy)

        def measure(matrices: Floats, column: int = column) -> Floats:
            return partial(matrices, column, len(joined.names), fixed)

        value, low, high = joined.estimate(measure)
        row = {"proxy": proxy, "spearman": float(joined.observed[:, column, -1].mean())}
        rows.append({**row, "partial": value, "low": low, "high": high, **joined.counts})
    return _sorted(rows, "partial")


def differences(joined: Joint, reference: str) -> pd.DataFrame:
    """Compares every proxy with one, on the same architectures and in the same resamples.

    Args:
        joined: The correlations.
        reference: The proxy that the others are subtracted from.

    Returns:
        One row per other proxy: ``difference`` (ρ of the reference minus ρ of the proxy, mean over
        seeds), ``low`` and ``high`` (95 % paired bootstrap interval), ``n`` and ``seeds``.

    Raises:
        HarnessError: If the reference was not scored, or nothing else.
    """
    first = joined.index(reference)
    rows = []
    for proxy in (name for name in joined.names if name != reference):
        column = joined.index(proxy)

        def measure(matrices: Floats, column: int = column) -> Floats:
            difference: Floats = matrices[..., first, -1] - matrices[..., column, -1]
            return difference

        value, low, high = joined.estimate(measure)
        row = {"reference": reference, "proxy": proxy, "difference": value}
        rows.append({**row, "low": low, "high": high, **joined.counts})
    return _sorted(rows, "difference")


def _tables(scores: pd.DataFrame, undefined: Policy) -> Iterator[tuple[int, pd.DataFrame]]:
    """Yields each seed's complete architectures: a column per proxy, then the accuracy."""
    ranked = scores.assign(value=resolve_undefined(scores["value"], scores["status"], undefined))
    unique = ranked.drop_duplicates(["seed", "key", "proxy"])
    proxies = list(dict.fromkeys(unique["proxy"]))
    for name, rows in unique.groupby("seed"):
        # pivot_table would leave out proxies that have no value at all.
        values = rows.pivot(index="key", columns="proxy", values="value")  # noqa: PD010
        truth = rows.drop_duplicates("key").set_index("key")[TRUTH]
        # Sorted, since shards arrive in any order and the resamples must not notice.
        complete = values.reindex(columns=proxies).join(truth).dropna().sort_index()
        if len(complete) > 1:
            yield int(str(name)), complete


def _sorted(rows: list[dict[str, Any]], by: str) -> pd.DataFrame:
    if not rows:
        raise HarnessError("There is no other proxy to compare with; score one more.")
    table = pd.DataFrame(rows)
    return table.sort_values(by, ascending=False, kind="stable", ignore_index=True)
