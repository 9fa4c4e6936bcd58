"""What a run asks for, and which of it the store lacks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from harness.config import Config
from harness.errors import HarnessError, unknown
from harness.proxies import PopulationProxy, populations, proxies
from harness.runs.protocol import Protocol, protocol_of
from harness.runs.scoring import SCHEMA, ScoreShard
from harness.runs.work import blocks
from harness.spaces import spaces
from harness.stats.ranks import FAILED

SHARD_SIZE = 10  # architectures: a killed worker loses seconds, a seed makes a hundred files


@dataclass(frozen=True)
class Plan:
    """What a run asks for: the architectures of each seed, the proxies and the protocol.

    Attributes:
        protocol: How scores arise.
        proxies: What was asked for, in that order.
        scored: The proxies to score for it.
        samples: Seed -> architectures.
        config: Where the rest is read from.
        pool: Keys that can be drawn.
    """

    protocol: Protocol
    proxies: tuple[str, ...]
    scored: tuple[str, ...]
    samples: dict[int, list[str]]
    config: Config
    pool: list[str]

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
        present = set(zip(stored.key, stored.proxy, stored.seed, stored.protocol, strict=True))
        prints = self.protocol.fingerprints(self.scored)
        shards = []
        for seed, sample in self.samples.items():
            lacking: dict[tuple[str, ...], list[str]] = defaultdict(list)
            for key in dict.fromkeys(sample):
                names = [p for p in self.scored if (key, p, seed, prints[p]) not in present]
                if names:
                    lacking[tuple(names)].append(key)
            shards += [
                ScoreShard(self.protocol, seed, tuple(block), names, folder)
                for names, keys in lacking.items()
                for block in blocks(keys, SHARD_SIZE)
            ]
        return shards

    def complete(self, stored: pd.DataFrame) -> pd.DataFrame:
        """Returns the scores of this run's seeds and of every other seed that is complete too."""
        prints = self.protocol.fingerprints(self.scored)
        mine = stored[stored.proxy.map(prints) == stored.protocol]
        parts = []
        for seed in sorted(mine.seed.unique().tolist()):
            sample = self.samples.get(seed) or _sample(self.config, self.pool, seed)
            wanted = pd.MultiIndex.from_product([sample, self.scored], names=["key", "proxy"])
            rows = mine[mine.seed == seed].set_index(["key", "proxy"])
            if wanted.isin(rows.index).all():
                parts.append(rows.loc[wanted].reset_index())
        scores = with_populations(pd.concat(parts, ignore_index=True), self.proxies)
        scores = scores[scores.proxy.isin(self.proxies)]
        return scores[[name for name in SCHEMA.names if name != "protocol"]]


def plan(config: Config, pool: list[str]) -> Plan:
    """Works out what a run needs; ``pool`` holds the architectures with ground truth.

    Raises:
        HarnessError: If a proxy, the device or a setting is wrong.
    """
    samples = {seed: _sample(config, pool, seed) for seed in config.seeds}
    names = resolve_proxies(config)
    return Plan(protocol_of(config, pool), names, scored_proxies(names), samples, config, pool)


def resolve_proxies(config: Config) -> tuple[str, ...]:
    """Returns the proxies that ``proxies=`` names: sets, single ones, ``all``, or a list of these.

    Raises:
        HarnessError: If a name is neither a set nor a proxy.
    """
    asked = config.proxies if isinstance(config.proxies, (list, tuple)) else [config.proxies]
    names: list[str] = []
    for name in map(str, asked):
        if name == "all":
            names += [*proxies.names(), *populations.names()]
        elif name in config.proxy_sets:
            names += config.proxy_sets[name]
        else:
            names.append(name)
    if not names:
        raise HarnessError("proxies=[] names no proxy; name at least one, or proxies=all.")
    known = [*proxies.names(), *populations.names(), *config.proxy_sets, "all"]
    for name in names:
        if name not in known:
            raise unknown("proxy", name, known)
    return tuple(dict.fromkeys(names))


def scored_proxies(names: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the proxies to score: population-level ones are replaced by what they are made of."""
    scored: list[str] = []
    for name in names:
        scored += populations.get(name).needs if name in populations else [name]
    return tuple(dict.fromkeys(scored))


def with_populations(scores: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """Adds the scores of the population-level proxies among ``names``, seed by seed."""
    of_names = [populations.get(name) for name in names if name in populations]
    seeds = [rows for _, rows in scores.groupby("seed")]
    return pd.concat(
        [scores, *(_ranked(of, rows) for of in of_names for rows in seeds)], ignore_index=True
    )


def _ranked(of: PopulationProxy, rows: pd.DataFrame) -> pd.DataFrame:
    """Scores one seed's draws; ``rows`` holds them in the same order for every proxy."""
    parts = [rows[rows.proxy == need].reset_index(drop=True) for need in of.needs]
    values = of.function(np.stack([part.value for part in parts], axis=1))
    ranked = parts[0].assign(proxy=of.name, value=values, status="ok", seconds=0.0, message="")
    for part in parts:  # a run that failed says nothing about where it would have ranked
        failed = part.status.isin(FAILED)
        for column in ("value", "status", "message"):
            ranked[column] = ranked[column].mask(failed, part[column])
    return ranked


def _sample(config: Config, pool: list[str], seed: int) -> list[str]:
    return spaces.get(config.space).sample(
        config.n if config.replace or config.one_per_class else min(config.n, len(pool)),
        seed,
        pool=pool,
        replace=config.replace,
        one_per_class=config.one_per_class,
    )
