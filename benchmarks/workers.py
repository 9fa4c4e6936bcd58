"""Throughput of two single-threaded workers against one, and against one with two threads."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

from benchmarks.cells import batch, cells, network
from benchmarks.timing import in_turn
from harness import api
from harness.executors import ExecutorSettings, executors

PROXIES = ["params", "flops", "l2_norm", "nwot", "activation_patterns", "swap"]
CELLS = 24
VARIANTS = {
    "one_worker": ExecutorSettings(workers=1),
    "two_workers": ExecutorSettings(workers=2),
    "one_worker_two_threads": ExecutorSettings(workers=1, threads=2),
}


def measure() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Scores the same cells each way in turn; starting the workers counts as well."""
    keys = cells(CELLS)

    def score_all(settings: ExecutorSettings) -> None:
        # Blocks of cells, as a run's shards are.
        blocks = [keys[i : i + 4] for i in range(0, CELLS, 4)]
        list(executors.get("processes")(score_cells, blocks, settings))

    variants = {name: partial(score_all, settings) for name, settings in VARIANTS.items()}
    seconds = in_turn(variants, repeats=2, warm_up=False)
    table = pd.DataFrame({"variant": list(seconds), "seconds": list(seconds.values())})
    return table, {
        "cells": CELLS,
        "one_worker_over_two_workers": seconds["one_worker"] / seconds["two_workers"],
        "one_worker_over_two_threads": seconds["one_worker"] / seconds["one_worker_two_threads"],
    }


def score_cells(keys: list[str]) -> int:
    """Scores a few cells; the benchmark keeps no results."""
    images = batch(64)
    for key in keys:
        api.score(network(key), images, PROXIES)
    return len(keys)
