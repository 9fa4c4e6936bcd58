"""Join, statistics and figures of a full study: 13 columns, 20 proxies, 5 seeds of 1000."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness import figures, stats

COLUMNS, PROXIES, SEEDS, SAMPLE, POOL = 13, 20, 5, 1000, 15_625


def measure() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Times every step on invented scores, summed over the columns."""
    seconds = dict.fromkeys(("read", "join", "correlate", "summarise", "draw", "write"), 0.0)
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        for column in range(COLUMNS):
            scores, truth = invented(column, random)
            path = Path(name) / "scores.parquet"
            scores.to_parquet(path, index=False)
            _one_column(path, truth, seconds)
    table = pd.DataFrame({"step": list(seconds), "seconds": list(seconds.values())})
    return table, {
        "columns": COLUMNS,
        "proxies": PROXIES,
        "seeds": SEEDS,
        "architectures_per_seed": SAMPLE,
        "total_seconds": sum(seconds.values()),
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
            frame = {"space": "invented", "task": f"task {column}", "key": keys[drawn]}
            frame |= {"proxy": f"proxy {proxy:02d}", "seed": seed, "seconds": 0.1}
            frame |= {"value": np.where(undefined, np.nan, value)}
            frame |= {"status": np.where(undefined, "undefined", "ok")}
            frames.append(pd.DataFrame(frame))
    return pd.concat(frames, ignore_index=True), pd.DataFrame({"key": keys, "truth": accuracy})


def _one_column(path: Path, truth: pd.DataFrame, seconds: dict[str, float]) -> None:
    start = time.perf_counter()

    def lap(step: str) -> None:
        nonlocal start
        now = time.perf_counter()
        seconds[step] += now - start
        start = now

    scores = pd.read_parquet(path)
    lap("read")
    joined = scores.merge(truth, on="key", how="left")
    lap("join")
    correlations = stats.correlations(joined)
    lap("correlate")
    summary = stats.summary(joined)
    lap("summarise")
    pictures = {
        "heatmap": figures.correlation_heatmap(correlations, summary, "invented", ""),
        "scatter": figures.scatter(joined, summary, "invented", ""),
    }
    lap("draw")
    figures.save(pictures["heatmap"], path.with_name("heatmap"))
    figures.save(pictures["scatter"], path.with_name("scatter"), ("png",))
    joined.to_parquet(path, index=False)
    lap("write")
