"""Join, statistics and figures of a full study: 13 columns, 20 proxies, 5 seeds of 1000."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness import figures, stats

COLUMNS, PROXIES, SEEDS, SAMPLE, POOL = 13, 20, 5, 1000, 15_625


def measure() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Times every step on invented scores, with the columns spread over the cores.

    Returns:
        The processor seconds of each step, summed over the columns, and the seconds that passed.
    """
    random = np.random.default_rng(0)
    # A process that is forked would inherit PyTorch's threads; spawned ones never load it.
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / str(column) for column in range(COLUMNS)]
        for column, folder in enumerate(folders):
            folder.mkdir()
            scores, truth = invented(column, random)
            scores.to_parquet(folder / "scores.parquet", index=False)
            truth.to_parquet(folder / "truth.parquet", index=False)
        start = time.perf_counter()
        with ProcessPoolExecutor(mp_context=context) as pool:
            columns = pd.DataFrame(list(pool.map(study, folders)))
        passed = time.perf_counter() - start
    table = columns.sum().rename_axis("step").rename("cpu_seconds").reset_index()
    return table, {
        "columns": COLUMNS,
        "proxies": PROXIES,
        "seeds": SEEDS,
        "architectures_per_seed": SAMPLE,
        "workers": os.cpu_count(),
        "total_cpu_seconds": float(table["cpu_seconds"].sum()),
        "seconds": passed,
    }


def invented(column: int, random: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Makes up scores that correlate with made-up accuracies, 0.5 % of them undefined."""
    keys = np.array([f"architecture {i:05d}" for i in range(POOL)])
    accuracy = random.normal(size=POOL)
    frames = []
    for seed in range(SEEDS):
        drawn = random.choice(POOL, SAMPLE, replace=False)
        for proxy in range(PROXIES):
            value = accuracy[drawn] + random.normal(size=SAMPLE) * (proxy + 1) / 5
            undefined = random.random(SAMPLE) < 0.005
            frame: dict[str, Any] = {
                "space": "invented",
                "task": f"task {column}",
                "key": keys[drawn],
            }
            frame |= {"proxy": f"proxy {proxy:02d}", "seed": seed, "seconds": 0.1}
            frame |= {"value": np.where(undefined, np.nan, value)}
            frame |= {"status": np.where(undefined, "undefined", "ok")}
            frames.append(pd.DataFrame(frame))
    return pd.concat(frames, ignore_index=True), pd.DataFrame({"key": keys, "truth": accuracy})


def study(folder: Path) -> dict[str, float]:
    """Does what ``job=correlate`` does with finished scores; returns processor seconds per step."""
    seconds: dict[str, float] = {}
    start = time.process_time()

    def lap(step: str) -> None:
        nonlocal start
        now = time.process_time()
        seconds[step] = now - start
        start = now

    scores = pd.read_parquet(folder / "scores.parquet")
    truth = pd.read_parquet(folder / "truth.parquet")
    lap("read")
    joined = scores.merge(truth, on="key", how="left")
    lap("join")
    correlations = stats.correlations(joined)
    lap("correlate")
    summary = stats.summary(joined, by_seed=correlations)
    lap("summarise")
    heatmap = figures.correlation_heatmap(correlations, summary, "invented", "")
    scatter = figures.scatter(joined, summary, "invented", "")
    lap("draw")
    figures.save(heatmap, folder / "heatmap", ("png",))
    figures.save(scatter, folder / "scatter", ("png",))
    joined.to_parquet(folder / "joined.parquet", index=False)
    lap("write")
    return seconds
