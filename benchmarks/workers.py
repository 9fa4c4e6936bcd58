"""Throughput of two single-threaded workers against one, and against one with two threads.

Starting a worker takes seconds once per run, so throughput is the slope between a few cells and
many. What the machine itself gains from a second process is measured beside it, on bare forwards:
cores that share caches or execution units do not double anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd
import torch

from benchmarks.cells import batch, cells, network
from benchmarks.timing import in_turn
from harness import api
from harness.executors.executor import ExecutorSettings, execute
from harness.executors.processes import ProcessSettings

PROXIES = ["params", "flops", "l2_norm", "nwot", "activation_patterns", "swap"]
FEW, MANY, BLOCK = 8, 72, 4
SETTINGS = {
    "one_worker": ProcessSettings("processes", workers=1),
    "two_workers": ProcessSettings("processes", workers=2),
    "one_worker_two_threads": ProcessSettings("processes", workers=1, threads=2),
}


def measure() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Scores the same cells each way in turn, and runs their bare forwards each way."""
    rows = []
    for name, function in {"scores": score_cells, "bare_forwards": forward_cells}.items():
        runs = {
            f"{setting} {n}": partial(run_cells, function, cells(n), settings)
            for setting, settings in SETTINGS.items()
            for n in (FEW, MANY)
        }
        seconds = in_turn(runs, repeats=2, warm_up=False)
        rows += [
            {
                "work": name,
                "workers": setting,
                "cells_per_second": (MANY - FEW)
                / (seconds[f"{setting} {MANY}"] - seconds[f"{setting} {FEW}"]),
                "seconds_with_start": seconds[f"{setting} {MANY}"],
            }
            for setting in SETTINGS
        ]
    table = pd.DataFrame(rows)
    speed = table.pivot_table("cells_per_second", "work", "workers")
    facts: dict[str, Any] = {"cells": MANY}
    for work in speed.index:
        facts[f"{work}_two_workers_over_one"] = (
            speed.loc[work, "two_workers"] / speed.loc[work, "one_worker"]
        )
        facts[f"{work}_two_threads_over_one"] = (
            speed.loc[work, "one_worker_two_threads"] / speed.loc[work, "one_worker"]
        )
    return table, facts


def run_cells(
    function: Callable[[Sequence[str]], int], keys: Sequence[str], settings: ExecutorSettings
) -> None:
    """Runs a function over blocks of cells, as a run's shards are."""
    blocks = [keys[i : i + BLOCK] for i in range(0, len(keys), BLOCK)]
    list(execute(function, blocks, settings))


def score_cells(keys: Sequence[str]) -> int:
    """Scores a few cells; the benchmark keeps no results."""
    images = batch(64)
    for key in keys:
        api.score(network(key), images, PROXIES)
    return len(keys)


def forward_cells(keys: Sequence[str]) -> int:
    """Runs one forward of each cell."""
    images = batch(64).images
    for key in keys:
        with torch.no_grad():
            network(key)(images)
    return len(keys)
