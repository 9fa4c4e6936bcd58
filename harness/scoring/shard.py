"""Scores one shard of architectures and stores the rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from harness.core import seeds
from harness.core.machine import machine
from harness.core.types import FAILED, Score
from harness.executors.executor import LostWorkerError
from harness.executors.worker import release_much_memory
from harness.scoring.conditions import Conditions, check_device, is_lost
from harness.scoring.table import ShardFolder
from harness.spaces.space import spaces

if TYPE_CHECKING:
    from torch import nn

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
        ("conditions", pa.string()),
        ("machine", pa.string()),
    ]
)
IDENTITY = ["key", "proxy", "seed", "conditions"]


def score_table(folder: Path) -> ShardFolder:
    """Returns the score table in ``folder``; a score beats a failure of an earlier run."""
    return ShardFolder(folder, SCHEMA, IDENTITY, yields=lambda rows: rows.status.isin(FAILED))


@dataclass(frozen=True)
class ScoreShard:
    """A few architectures of one seed and the proxies that they still lack."""

    conditions: Conditions
    seed: int
    keys: tuple[str, ...]
    proxies: tuple[str, ...]
    folder: Path


def score_shard(shard: ScoreShard) -> int:
    """Scores the architectures of one shard and stores the rows; returns how many.

    Raises:
        LostWorkerError: If an architecture broke the device for this process. Its proxies from
            there on have the status ``error``, and those behind it are not scored yet.
    """
    conditions = shard.conditions
    check_device(conditions.device)
    scores: dict[str, dict[str, Score]] = {}
    failure = ""
    for key in shard.keys:
        scores[key] = score_architecture(conditions, key, shard.seed, shard.proxies)
        messages = [score.message for score in scores[key].values() if score.status == "error"]
        if messages and is_lost(conditions.device):
            failure = messages[0]
            break
    done = replace(shard, keys=shard.keys[: len(scores)])
    _store(done, scores)
    release_much_memory()
    if failure:
        rest = shard.keys[len(scores) :]
        raise LostWorkerError(
            (len(done.keys),), replace(shard, keys=rest) if rest else None, failure
        )
    return len(done.keys)


def _store(shard: ScoreShard, scores: Mapping[str, Mapping[str, Score]]) -> None:
    conditions = shard.conditions
    prints = conditions.fingerprints(shard.proxies)
    computed_on = json.dumps(machine(conditions.device), sort_keys=True)
    rows = [
        {
            "space": conditions.space,
            "task": conditions.task,
            "key": key,
            "proxy": name,
            "seed": shard.seed,
            "conditions": prints[name],
            "machine": computed_on,
            **asdict(score),
        }
        for key, of_key in scores.items()
        for name, score in of_key.items()
    ]
    work = (shard.seed, *sorted(set(prints.values())), *shard.proxies, *shard.keys)
    score_table(shard.folder).write(work, pd.DataFrame(rows, columns=SCHEMA.names))


def score_architecture(
    conditions: Conditions, key: str, seed: int, names: Sequence[str]
) -> dict[str, Score]:
    """Builds one network, scores it and lets it go."""
    from harness.passes.run import Run
    from harness.passes.transfer import on_device
    from harness.scoring import engine

    space = spaces.get(conditions.space)
    network = on_device(space.build(key, conditions.task, seed), conditions.device)

    def redraw(repeat: int) -> nn.Module:
        return space.build(key, conditions.task, seeds.stream("repeat", seed, repeat))

    run = Run(
        network,
        conditions.batch(seed),
        (seed, key),
        redraw=redraw,
        thin=partial(space.thin, key),
        theta=space.theta_params(key, conditions.task),
    )
    return engine.score(run, names, conditions.settings)
