"""The study's missing scores, dearest columns first, until the time is up.

The kit holds the shards, worked out where the study, its truth and its finished scores are; see
``benchmarks.gpu.missing``. What is finished comes back as an archive of shards, to be unpacked in
the folder of all results: ``tar -xf study.tar.gz -C results``.
"""

from __future__ import annotations

import os
import pickle
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.gpu.part import KIT, Part, run
from harness.executors.executor import execute
from harness.executors.processes import ProcessSettings
from harness.results.layout import WORK
from harness.scoring.conditions import device_type
from harness.scoring.shard import ScoreShard, score_shard, score_table

WORKERS = 10  # with 80 GiB, each may take what nearly every network of 256 × 256 pixels needs
LAST = {"cpu": 20.0, "cuda": 6.0}  # seconds that a shard may take: none is begun later


def measure(part: Part) -> None:
    """Scores shards as long as there is time and records how far each column is."""
    shards = planned(part)
    columns = Counter(map(column_of, shards))
    part.record(
        planned=f"{sum(len(s.keys) for s in shards)} architectures in {len(shards)} shards",
        columns=[{"column": name, "shards": n} for name, n in columns.items()],
    )
    workers = min(WORKERS, os.cpu_count() or 1)
    settings = ProcessSettings("processes", workers=workers, gpus=int(part.on_gpu))
    started, done = time.monotonic(), 0
    work = partial(score_until, stop=part.deadline - LAST[device_type(part.device)])
    for count in execute(work, shards, settings):
        done += count
        if count:
            seconds = time.monotonic() - started
            part.record(workers=workers, architectures=done, seconds=seconds)
    part.record(scored=scored(shards))


def planned(part: Part) -> list[ScoreShard]:
    """Reads the kit's shards and puts the device and the folder of this run into them."""
    shards: list[ScoreShard] = pickle.loads((KIT / "shards.pickle").read_bytes())
    work = Path(os.environ["GPU_WORK"]) / "study" / WORK / "scores"
    return [
        replace(
            shard,
            conditions=replace(shard.conditions, device=part.device),
            folder=work / shard.conditions.space / shard.conditions.task,
        )
        for shard in shards
    ]


def column_of(shard: ScoreShard) -> str:
    """Names the column and the proxies of a shard."""
    of = shard.conditions
    return f"{of.space} {of.task} seed {shard.seed}: {len(shard.proxies)} proxies"


def score_until(shard: ScoreShard, stop: float) -> int:
    """Scores a shard, or leaves it when the time is up."""
    return score_shard(shard) if time.monotonic() < stop else 0


def scored(shards: Sequence[ScoreShard]) -> list[dict[str, object]]:
    """Says how many scores of each column there are, with which status."""
    rows = []
    for folder in dict.fromkeys(shard.folder for shard in shards):
        found = score_table(folder).read()
        rows.append(
            {
                "column": f"{folder.parent.name} {folder.name}",
                "architectures": found.key.nunique(),
                **found.status.value_counts().to_dict(),
                "seconds_per_architecture": found.groupby(["key", "seed"]).seconds.sum().mean(),
            }
        )
    return [row for row in rows if row["architectures"]]


if __name__ == "__main__":
    run("study", measure)
