"""NASLib's own code against ours: the 13 proxies of NAS-Bench-Suite-Zero on the same architectures.

    NASLIB_PATH=CHECKOUT python -m benchmarks naslib_ratio

The same architectures, images and batch, one thread each. NASLib scores its own networks, one proxy
at a time, as its runner does; ours are scored by the engine, as a worker does it. Either side has a
process of its own, and they work in turn on every architecture, so that whatever else the machine
does slows both. Building the networks is not counted.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import cache, partial
from statistics import median
from typing import Any, NamedTuple

import pandas as pd
import torch

from benchmarks import naslib
from benchmarks.passes import SUITE_ZERO
from harness import api
from harness.executors.worker import prepare_worker
from harness.passes.run import Run
from harness.scoring import engine
from harness.spaces.nb301 import NasBench301
from harness.spaces.space import Space

TASKS = {"nb201": "cifar10", "nb301": "cifar10", "nb101": "cifar10", "tnb101_micro": "class_scene"}
SIZE, CELLS, REPEATS = 64, 12, 3
LAYOUTS = {"channels last": True, "contiguous": False}


class Measured(NamedTuple):
    """What scoring one architecture took, and the scores."""

    cpu: float
    wall: float
    values: dict[str, float]


def measure(
    tasks: dict[str, str] = TASKS, cells: int = CELLS, repeats: int = REPEATS
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Times both sides and compares their scores."""
    naslib.checkout()
    load = [os.getloadavg()[0]]
    rows, facts = [], dict[str, Any]()
    for space, task in tasks.items():
        keys = _space(space).sample(cells, seed=2024)
        with ExitStack() as processes:
            theirs, ours = (
                processes.enter_context(_process(start)) for start in (_naslib, _worker)
            )
            _turn(theirs, ours, space, task, keys[0])  # warm-up
            turns = [
                [_turn(theirs, ours, space, task, key) for _ in range(repeats)] for key in keys
            ]
            rows += [_row(space, layout, turns) for layout in LAYOUTS]
            facts[f"{space}_largest_relative_difference"] = _differences(
                [
                    (of_key[0]["naslib"].values, theirs.submit(_check, space, task, key).result())
                    for key, of_key in zip(keys, turns, strict=True)
                ]
            )
        load.append(os.getloadavg()[0])
    facts |= {"batch": SIZE, "cells": cells, "repeats": repeats, "threads": 1, "load_average": load}
    return pd.DataFrame(rows), facts


def _process(start: Any) -> ProcessPoolExecutor:
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, mp_context=spawn, initializer=start)


def _naslib() -> None:
    torch.set_num_threads(1)
    naslib.load()


def _worker() -> None:
    prepare_worker(threads=1)


def _turn(
    theirs: ProcessPoolExecutor, ours: ProcessPoolExecutor, space: str, task: str, key: str
) -> dict[str, Measured]:
    """Scores an architecture once in every way, one after the other."""
    measured = {"naslib": theirs.submit(_theirs, space, task, key).result()}
    for layout, last in LAYOUTS.items():
        measured[layout] = ours.submit(_ours, space, task, key, last).result()
    return measured


def _theirs(space: str, task: str, key: str) -> Measured:
    graph, batch = naslib.network(space, task, key), _batch(task)
    return _timed(partial(naslib.scores, graph, batch, SUITE_ZERO))


def _ours(space: str, task: str, key: str, channels_last: bool) -> Measured:
    one, batch = _space(space), _batch(task).to("cpu", channels_last=channels_last)
    run = Run(one.build(key, task, seed=0), batch, (0, key), theta=one.theta_params(key, task))
    return _timed(lambda: {name: s.value for name, s in engine.score(run, SUITE_ZERO).items()})


def _check(space: str, task: str, key: str) -> dict[str, float]:
    """Scores NASLib's network by our engine; flops and params are those of ours."""
    graph, batch = naslib.network(space, task, key), _batch(task)
    values = {name: s.value for name, s in api.score(graph, batch, SUITE_ZERO).items()}
    ours = api.score(_space(space).build(key, task, seed=0), batch, ["flops", "params"])
    return values | {name: s.value for name, s in ours.items()}


def _space(name: str) -> Space:
    """Returns the search space; NASLib's networks of nb301 are not those of the benchmark."""
    return NasBench301("suite_zero") if name == "nb301" else api.spaces.get(name)


@cache
def _batch(task: str) -> api.Batch:
    return api.batch(task, inputs=api.InputSettings(source="gaussian"), size=SIZE)


def _timed(score: Any) -> Measured:
    cpu, wall = time.process_time(), time.perf_counter()
    values = score()
    return Measured(time.process_time() - cpu, time.perf_counter() - wall, values)


def _row(space: str, layout: str, turns: list[list[dict[str, Measured]]]) -> dict[str, Any]:
    """Sums up the cells' medians; the spread is that of the cells' ratios."""
    cpu, wall = (
        pd.DataFrame(
            [
                {side: median(getattr(one[side], clock) for one in of_key) for side in of_key[0]}
                for of_key in turns
            ]
        )
        for clock in ("cpu", "wall")
    )
    each = cpu.naslib / cpu[layout]
    return {
        "space": space,
        "our layout": layout,
        "NASLib s": cpu.naslib.mean(),
        "ours s": cpu[layout].mean(),
        "ratio": cpu.naslib.sum() / cpu[layout].sum(),
        "least": each.min(),
        "median": each.median(),
        "most": each.max(),
        "ratio by the clock": wall.naslib.sum() / wall[layout].sum(),
    }


def _differences(pairs: list[tuple[dict[str, float], dict[str, float]]]) -> dict[str, float]:
    """Returns the largest relative difference of each proxy's scores."""
    return {
        name: max(_difference(theirs[name], ours[name]) for theirs, ours in pairs)
        for name in SUITE_ZERO
        if name in pairs[0][0]
    }


def _difference(a: float, b: float) -> float:
    return 0.0 if a == b else abs(a - b) / max(abs(a), abs(b)) if math.isfinite(b) else math.inf
