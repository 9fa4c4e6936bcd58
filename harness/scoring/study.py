"""Which architectures a run scores by which proxies, and which of it is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from harness.core.sections import Settings
from harness.core.types import FAILED
from harness.executors.progress import blocks
from harness.proxies.contract import PopulationProxy, populations
from harness.scoring.conditions import DEVICES, Conditions, device_type
from harness.scoring.shard import ScoreShard

SHARD_SIZE = 10  # architectures: a killed worker loses seconds, a seed makes a hundred files


@dataclass(frozen=True)
class Study:
    """What a run asks for.

    Attributes:
        conditions: How scores arise.
        proxies: What was asked for, in that order.
        scored: The proxies to score for it.
        samples: Seed -> architectures, in the order in which they were drawn.
        any_device: Whether scores of the other kind of device count too.
    """

    conditions: Conditions
    proxies: tuple[str, ...]
    scored: tuple[str, ...]
    samples: dict[int, list[str]]
    any_device: bool = False

    @property
    def size(self) -> int:
        """Number of (architecture, seed) pairs."""
        return sum(map(len, self.samples.values()))

    def missing(
        self, stored: pd.DataFrame, folder: Path, *, retry: bool = False
    ) -> list[ScoreShard]:
        """Returns the shards that hold what ``stored`` lacks, with ``retry`` also what failed."""
        if retry:
            stored = stored[~stored.status.isin(FAILED)]
        present = set(zip(stored.key, stored.proxy, stored.seed, stored.conditions, strict=True))
        prints = self._prints()
        shards = []
        for seed, sample in self.samples.items():
            lacking: dict[tuple[str, ...], list[str]] = defaultdict(list)
            for key in dict.fromkeys(sample):
                names = [
                    proxy
                    for proxy in self.scored
                    if present.isdisjoint((key, proxy, seed, of[proxy]) for of in prints)
                ]
                if names:
                    lacking[tuple(names)].append(key)
            shards += [
                ScoreShard(self.conditions, seed, tuple(block), names, folder)
                for names, keys in lacking.items()
                for block in blocks(keys, SHARD_SIZE)
            ]
        return shards

    def scores(self, stored: pd.DataFrame) -> pd.DataFrame:
        """Returns one row per draw, scored proxy and seed; ``stored`` must hold all of them.

        Beside the columns of a shard there is ``draw``, the place of the architecture in the
        sample of its seed. Of an architecture that several kinds of device scored, the value is
        that of the run's own, unless it failed there.
        """
        mine = pd.concat(
            [stored[stored.proxy.map(prints) == stored.conditions] for prints in self._prints()]
        )
        mine = failures_last(mine).drop_duplicates(["key", "proxy", "seed"])
        parts = []
        for seed, sample in self.samples.items():
            draws = pd.DataFrame({"key": sample, "draw": range(len(sample))})
            asked = draws.merge(pd.DataFrame({"proxy": self.scored}), how="cross")
            parts.append(asked.merge(mine[mine.seed == seed], on=["key", "proxy"], how="left"))
        return pd.concat(parts, ignore_index=True)

    def _prints(self) -> list[dict[str, str]]:
        """Returns the fingerprints of the proxies, by kind of device that counts, the own first."""
        own = device_type(self.conditions.device)
        kinds = [own, *(set(DEVICES) - {own})] if self.any_device else [own]
        return [replace(self.conditions, device=d).fingerprints(self.scored) for d in kinds]


def failures_last(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows in the same order, those of failed runs behind the others."""
    return rows.sort_values("status", key=lambda status: status.isin(FAILED), kind="stable")


def with_populations(
    scores: pd.DataFrame, names: Sequence[str], settings: Settings
) -> pd.DataFrame:
    """Returns the scores of the named proxies; those of population-level ones are added.

    Args:
        scores: One row per draw, single proxy and seed; with the accuracies as ``truth`` where a
            proxy looks at them.
        names: What was asked for.
        settings: What ensembles read.

    Raises:
        HarnessError: If a proxy looks at accuracies and there are none.
    """
    of_names = [populations.get(name) for name in names if name in populations]
    seeds = [rows for _, rows in scores.groupby("seed")]
    ranked = [_ranked(of, rows, settings) for of in of_names for rows in seeds]
    every = pd.concat([scores, *ranked], ignore_index=True)
    return every[every.proxy.isin(names)].reset_index(drop=True)


def _ranked(of: PopulationProxy, rows: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Scores one seed's draws; ``rows`` holds them in the same order for every proxy."""
    names = of.columns(settings)
    parts = [rows[rows.proxy == name].reset_index(drop=True) for name in names]
    truth = parts[0].truth.to_numpy() if "truth" in rows else None
    values = of.scores(np.stack([part.value for part in parts], axis=1), truth, settings)
    ranked = parts[0].assign(
        proxy=of.name, value=values, status="ok", seconds=0.0, message="", conditions=""
    )
    for part in parts:  # a run that failed says nothing about where it would have ranked
        ranked["conditions"] += part.conditions
        failed = part.status.isin(FAILED)
        for column in ("value", "status", "message"):
            ranked[column] = ranked[column].mask(failed, part[column])
    return ranked
