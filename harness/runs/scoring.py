"""Scores one shard of architectures and stores the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
from torch import nn

from harness import engine, seeds
from harness.passes import Run
from harness.runs.protocol import Protocol
from harness.spaces import spaces
from harness.stats.ranks import FAILED
from harness.store import ShardFolder
from harness.types import Score

SCHEMA = pa.schema(
    [
        ("space", pa.string()),
        ("task", pa.string()),
        ("key", pa.string()),
        ("proxy", pa.string()),
        ("seed", pa.int64()),
        ("value", pa.float64()),
        ("status", pa.string()),
        ("seconds", pa.float64()),
        ("message", pa.string()),
        ("protocol", pa.string()),
    ]
)
IDENTITY = ["key", "proxy", "seed", "protocol"]


def score_store(folder: Path) -> ShardFolder:
    """Returns the score table in ``folder``; a score beats a failure of an earlier run."""
    return ShardFolder(folder, SCHEMA, IDENTITY, yields=lambda rows: rows.status.isin(FAILED))


@dataclass(frozen=True)
class ScoreShard:
    """A few architectures of one seed and the proxies that they still lack."""

    protocol: Protocol
    seed: int
    keys: tuple[str, ...]
    proxies: tuple[str, ...]
    folder: Path


def score_shard(shard: ScoreShard) -> int:
    """Scores the architectures of one shard and stores the rows; returns how many."""
    protocol = shard.protocol
    prints = protocol.fingerprints(shard.proxies)
    rows = [
        {
            "space": protocol.space,
            "task": protocol.task,
            "key": key,
            "proxy": name,
            "seed": shard.seed,
            "protocol": prints[name],
            **asdict(score),
        }
        for key in shard.keys
        for name, score in score_architecture(protocol, key, shard.seed, shard.proxies).items()
    ]
    work = (shard.seed, *sorted(set(prints.values())), *shard.proxies, *shard.keys)
    score_store(shard.folder).write(work, pd.DataFrame(rows, columns=SCHEMA.names))
    return len(shard.keys)


def score_architecture(
    protocol: Protocol, key: str, seed: int, names: Sequence[str]
) -> dict[str, Score]:
    """Builds one network, scores it and lets it go."""
    space = spaces.get(protocol.space)
    network = space.build(key, protocol.task, seed).to(protocol.device)
    theta = space.theta_params(key, protocol.task)
    settings = replace(
        protocol.settings, regulariser=replace(protocol.settings.regulariser, theta=theta)
    )

    def redraw(repeat: int) -> nn.Module:
        return space.build(key, protocol.task, seeds.stream("repeat", seed, repeat))

    run = Run(
        network,
        protocol.batch(seed),
        settings,
        (seed, key),
        redraw=redraw,
        thin=partial(space.thin, key),
    )
    return engine.score(run, names)
