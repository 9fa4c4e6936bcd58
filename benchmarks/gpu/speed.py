"""The benchmark: SWAP against its definition, 13 proxies against bare passes, several workers.

Cells of NAS-Bench-201 and noise, in float32, as in the CPU's benchmark; every time is read when the
device has ended.
"""

from __future__ import annotations

import copy
import os
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import pandas as pd
import torch

from benchmarks.cells import LARGEST, SPACE, batch, cells
from benchmarks.gpu.part import Part, run
from benchmarks.gpu.sharing import in_turns, sharing
from benchmarks.passes import REGULARISED, SUITE_ZERO, bare_passes
from benchmarks.swap import definition
from benchmarks.timing import in_turn
from harness import api
from harness.executors.executor import execute
from harness.executors.processes import ProcessSettings
from harness.passes.transfer import on_device

WORKERS = (1, 8, 12)
IN_TURNS = 8  # so many once more without CUDA's multi-process service, if there is one
SAME = 1e-3  # relative: a sign that rounding turned is another pattern
BLOCK = 2  # architectures that a worker scores at a time
IMAGES, SIZE = 32, 64


def measure(part: Part) -> None:
    """Runs the three measurements, shortest first."""
    part.record(
        planned="SWAP on 20 cells with 32 images against its definition (goal: 20 times); 13 "
        "proxies on 10 cells with 64 images against bare passes; "
        f"13 proxies and swap with {', '.join(map(str, WORKERS))} processes"
    )
    part.record(swap=swap(part, cells(20)))
    part.record(suite_zero=suite_zero(part, cells(10)))
    part.record(peak_memory_mib=peak_memory(part))
    rows: list[dict[str, Any]] = []
    asked = [(n, nullcontext()) for n in WORKERS] + [(IN_TURNS, in_turns())] * sharing()
    for place, (workers, context) in enumerate(asked):
        if part.left < 10:
            part.record(workers_left_out=f"{workers} and more: the time was up")
            break
        with context:
            rows.append(throughput(part, workers, part.left / (len(asked) - place)))
        part.record(workers=rows)


def swap(part: Part, keys: Sequence[str]) -> dict[str, float]:
    """Times SWAP and its definition, and checks that they count the same, up to rounding."""
    images = batch(IMAGES).to(part.device, channels_last=True).images
    settings = [api.SwapSettings(images=IMAGES)]
    off: list[float] = []

    def timed(net: torch.nn.Module) -> dict[str, Callable[[], Any]]:
        ours = partial(api.score, net, images, ["swap"], settings=settings)
        count, expected = ours()["swap"].value, definition(net, images)
        off.append(abs(count - expected) / expected)
        assert off[-1] < SAME, (count, expected)

        def bare() -> None:
            with torch.no_grad():
                net(images)

        return {"bare_forward": bare, "ours": ours, "definition": partial(definition, net, images)}

    total, done = seconds_of(part, keys, part.left / 6, 3, timed)
    return {
        "cells": done,
        "definition_over_ours": total["definition"] / total["ours"],
        "ours_over_bare_forward": total["ours"] / total["bare_forward"],
        "ours_seconds_per_cell": total["ours"] / done,
        "largest_difference_of_value": max(off),
    }


def suite_zero(part: Part, keys: Sequence[str]) -> dict[str, float]:
    """Times the 13 proxies together and the passes that they need without hooks or proxies."""
    images = batch(SIZE).to(part.device, channels_last=True)

    def timed(net: torch.nn.Module) -> dict[str, Callable[[], Any]]:
        double = copy.deepcopy(net).double()
        return {
            "together": partial(api.score, net, images, SUITE_ZERO),
            "bare_passes": partial(bare_passes, net, double, images),
        }

    total, done = seconds_of(part, keys, part.left / 5, 2, timed)
    return {
        "cells": done,
        "together_over_bare_passes": total["together"] / total["bare_passes"],
        "together_seconds_per_cell": total["together"] / done,
    }


def seconds_of(
    part: Part,
    keys: Sequence[str],
    seconds: float,
    repeats: int,
    timed: Callable[[torch.nn.Module], dict[str, Callable[[], Any]]],
) -> tuple[dict[str, float], int]:
    """Times functions of one network after another while there is time.

    On the first network each runs once before.

    Args:
        part: Where they run.
        keys: The networks.
        seconds: When to stop.
        repeats: How often each function is timed.
        timed: Returns the functions of a network by name.

    Returns:
        The seconds of each, summed over the networks, and how many networks there were.
    """
    total: dict[str, float] = defaultdict(float)
    done = 0
    end = time.monotonic() + seconds
    for key in keys:
        net = on_device(SPACE.build(key, "cifar10", seed=0), part.device)
        functions = {name: waiting(part, function) for name, function in timed(net).items()}
        for name, spent in in_turn(functions, repeats, warm_up=done == 0).items():
            total[name] += spent
        done += 1
        if time.monotonic() > end:
            break
    return total, done


def waiting(part: Part, function: Callable[[], Any]) -> Callable[[], None]:
    """Returns the function followed by waiting for the device."""

    def timed() -> None:
        function()
        part.wait()

    return timed


def peak_memory(part: Part) -> dict[str, float]:
    """Measures what the largest cell needs of a GPU, by the 13 proxies and by SWAP alone."""
    if not part.on_gpu:
        return {}
    peaks = {}
    for name, names in (("suite_zero", SUITE_ZERO), ("swap", ["swap"])):
        torch.cuda.reset_peak_memory_stats()
        score_keys([LARGEST], part.device, names)
        peaks[name] = torch.cuda.max_memory_allocated() / 2**20
    return peaks


def throughput(part: Part, workers: int, seconds: float) -> dict[str, Any]:
    """Scores cells with several workers until the time is up; start-up does not count.

    Architectures are counted from the moment when every worker has finished its first block.
    """
    pool = cells(200)
    blocks = [pool[i : i + BLOCK] for i in range(0, len(pool), BLOCK)] * 20
    settings = ProcessSettings("processes", workers=workers, gpus=int(part.on_gpu))
    started, stop = time.monotonic(), time.monotonic() + 0.9 * seconds
    ends: list[tuple[float, int]] = []
    first: dict[int, float] = {}
    work = partial(score_block, device=part.device, stop=stop)
    with utilisation(part) as used:
        for end, pid, done in execute(work, blocks, settings):
            first.setdefault(pid, end)
            ends.append((end, done))
    since = max(first.values())
    later = [(end, done) for end, done in ends if end > since and done]
    counted = sum(done for _, done in later)
    return {
        "workers": workers,
        "kernels": "side by side" if sharing() else "in turns",
        "architectures": counted,
        "per_second": counted / (max(later)[0] - since) if later else 0.0,
        "seconds_until_all_had_started": since - started,
        **used,
    }


def score_block(keys: Sequence[str], device: str, stop: float) -> tuple[float, int, int]:
    """Scores a few cells unless the time is up; returns when it ended, where, and how many."""
    if time.monotonic() > stop:
        return time.monotonic(), os.getpid(), 0
    score_keys(keys, device, [*SUITE_ZERO, "swap"])
    return time.monotonic(), os.getpid(), len(keys)


def score_keys(keys: Sequence[str], device: str, names: list[str]) -> None:
    """Builds and scores cells as a run does."""
    images = batch(SIZE).to(device, channels_last=True)
    for key in keys:
        net = on_device(SPACE.build(key, "cifar10", seed=0), device)
        api.score(net, images, names, settings=REGULARISED)


@contextmanager
def utilisation(part: Part) -> Iterator[dict[str, float]]:
    """Watches the GPU meanwhile: how busy it was in the median, and the most memory in use."""
    used: dict[str, float] = {}
    if not part.on_gpu:
        yield used
        return
    query = ["--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"]
    try:
        watch = subprocess.Popen(
            ["nvidia-smi", *query, "-lms", "250"], stdout=subprocess.PIPE, text=True
        )
    except OSError:  # the machine does not have it
        yield used
        return
    try:
        yield used
    finally:
        watch.terminate()
        lines = (watch.communicate()[0] or "").splitlines()
        seen = pd.DataFrame([line.split(",")[:2] for line in lines if line.count(",") == 1])
        if len(seen):
            busy, memory = (pd.to_numeric(seen[i], errors="coerce") for i in (0, 1))
            # Half of the samples are of workers that start.
            used["utilisation_percent"] = float(busy.tail(len(busy) // 2 + 1).median())
            used["memory_mib"] = float(memory.max())


if __name__ == "__main__":
    run("speed", measure)
