"""``job=zero_cost_pt``: searches an untrained supernet, one search per seed.

Stage 1 finds up to N architectures per seed; stage 2 keeps the one whose own network has the
highest summed score over V batches (Zero-Cost-PT paper, algorithms 1 and 2).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness import figures, provenance, truth
from harness.config import Config
from harness.files import atomic, make_writable
from harness.jobs.base import jobs
from harness.proxies import proxies
from harness.runs.protocol import check_device
from harness.runs.work import blocks, console, run_shards
from harness.runs.zero_cost_pt import (
    ComparisonShard,
    IterationShard,
    Search,
    architecture_of,
    read_steps,
    run_comparison,
    run_iteration,
)
from harness.search import found
from harness.search.zero_cost_pt import choose, count_perturbations, schedule

BATCHES_PER_FILE = 10
# Where a found cell is looked up: every training run on CIFAR-10, recorded means elsewhere.
TRUTHS = (("cifar10", "test_seeds"), ("cifar100", "test_mean"), ("imagenet16_120", "test_mean"))


def zero_cost_pt(config: Config) -> Path:
    """Searches with every seed, resuming what is finished, and looks up what was found.

    Returns:
        The folder ``results/zero_cost_pt/<space>/<task>/<proxy>-<counting>-<order>``.
    """
    started = time.monotonic()
    search = search_of(config)
    truths = _truths(search)
    search.batch("check")  # what is wrong with the images is told before any work
    make_writable(search.folder)
    _search(config, search)
    _compare(config, search)
    table = pd.DataFrame([_found(search, seed) for seed in config.seeds])
    for name, accuracies in truths.items():
        table = _looked_up(table, accuracies, name)
    _write(search, config, table)
    resolved = {
        "protocol": search.protocol(),
        "images": search.images,
        "perturbations_per_iteration": count_perturbations(search.problem(0, 0)),
        "seconds_of_this_run": round(time.monotonic() - started, 1),
        "truths": {name: dict(accuracies.attrs) for name, accuracies in truths.items()},
    }
    sources = sorted({s for accuracies in truths.values() for s in accuracies.attrs["sources"]})
    provenance.write(search.folder / "run.json", config, resolved, {"sources": sources})
    _report(table)
    return search.folder


def search_of(config: Config) -> Search:
    """Returns the search that a configuration asks for.

    Raises:
        HarnessError: If the proxy or the device does not exist.
    """
    check_device(config.device)
    settings = config.search
    proxies.get(settings.proxy)
    name = f"{settings.proxy}-{settings.counting}-{settings.order}"
    if settings.order.endswith("-once") and settings.once_order != "paper":
        name += f"-{settings.once_order}"
    folder = Path(config.results) / "zero_cost_pt" / config.space / config.task / name
    return Search(config.space, config.task, config.inputs, settings, config.device, folder)


def _search(config: Config, search: Search) -> None:
    """Stage 1: runs the iterations that are not finished; they do not depend on each other."""
    shards, done, total = [], 0, 0
    for seed in config.seeds:
        for iteration in range(search.settings.iterations):
            problem = search.problem(seed, iteration)
            steps = read_steps(search, seed, iteration)
            total += count_perturbations(problem)
            done += sum(step.evaluations for step in steps)
            if len(steps) < len(schedule(problem)):
                shards.append(IterationShard(search, seed, iteration))
    title = f"perturbations, {search.space} {search.settings.order}"
    run_shards(run_iteration, shards, config.executor, title=title, done=done, total=total)


def _compare(config: Config, search: Search) -> None:
    """Stage 2: scores every distinct architecture of a seed on V batches."""
    shards, total = [], 0
    for seed in config.seeds:
        stored = _comparisons(search, seed)
        candidates = _candidates(search, seed)
        if len(candidates) == 1:
            continue
        for key in candidates:
            finished = set(stored[stored.architecture == key].batch)
            missing = [b for b in range(search.settings.validations) if b not in finished]
            total += search.settings.validations
            shards += [
                ComparisonShard(search, seed, key, tuple(block))
                for block in blocks(missing, BATCHES_PER_FILE)
            ]
    done = total - sum(len(shard.batches) for shard in shards)
    title = f"comparisons, {search.space}"
    run_shards(run_comparison, shards, config.executor, title=title, done=done, total=total)


def _candidates(search: Search, seed: int) -> list[str]:
    """Returns the distinct architectures of a seed, in the order in which they were found."""
    keys = [
        architecture_of(search.space, read_steps(search, seed, iteration))
        for iteration in range(search.settings.iterations)
    ]
    return list(dict.fromkeys(keys))


def _comparisons(search: Search, seed: int) -> pd.DataFrame:
    rows = search.comparisons(seed).read()
    wanted = (rows.protocol == search.protocol()) & (rows.batch < search.settings.validations)
    return rows[wanted]


def _found(search: Search, seed: int) -> dict[str, object]:
    """Returns the row of one seed in ``found.csv``."""
    candidates = _candidates(search, seed)
    scores = _comparisons(search, seed)
    key = choose(candidates, scores)
    steps = _step_table(search, [seed])
    evaluated = steps.phase != "first"
    return {
        "seed": seed,
        "architecture": key,
        "params": found.final_params(search.space, key, search.task),
        "iterations": search.settings.iterations,
        "validations": search.settings.validations,
        "distinct": len(candidates),
        "perturbations": int(evaluated.sum()),
        "seconds_search": round(float(steps.seconds.sum()), 1),
        "seconds_comparison": round(float(scores.seconds.sum()), 1),
    }


def _step_table(search: Search, of_seeds: Sequence[int]) -> pd.DataFrame:
    parts = [
        search.steps(seed, iteration).read()
        for seed in of_seeds
        for iteration in range(search.settings.iterations)
    ]
    rows = pd.concat(parts, ignore_index=True)
    mine = rows[rows.protocol == search.protocol()]
    return mine.sort_values(["seed", "iteration", "step"], kind="stable", ignore_index=True)


def _truths(search: Search) -> dict[str, pd.DataFrame]:
    """Returns the accuracies of NAS-Bench-201 by task; nothing for other spaces and images."""
    if search.space != "nb201" or search.task not in dict(TRUTHS):
        return {}
    return {task: truth.load("nb201", task, variant) for task, variant in TRUTHS}


def _looked_up(table: pd.DataFrame, accuracies: pd.DataFrame, task: str) -> pd.DataFrame:
    """Adds the test error of what was found in percent, its rank and the runs behind it."""
    known = accuracies.set_index("key")
    rows = known.loc[table.architecture]
    columns: dict[str, Any] = {
        f"{task}_error": (100 - rows.value).to_numpy(),
        f"{task}_rank": [1 + int((known.value > value).sum()) for value in rows.value],
    }
    if "std" in rows:
        columns |= {
            f"{task}_std": rows["std"].to_numpy(),
            f"{task}_runs": rows.n_training_seeds.to_numpy(),
        }
    return pd.concat([table, pd.DataFrame(columns, index=table.index)], axis=1)


def pooled(
    means: Sequence[float], deviations: Sequence[float], runs: Sequence[int]
) -> tuple[float, float]:
    """Returns mean and standard deviation (ddof 1) of all training runs of several architectures.

    Args:
        means: Mean of each architecture's runs.
        deviations: Their standard deviation (ddof 1); anything where there is one run.
        runs: Their number.
    """
    n, m = np.asarray(runs, dtype=float), np.asarray(means, dtype=float)
    spread = np.where(n > 1, np.nan_to_num(np.asarray(deviations, dtype=float)), 0.0)
    mean = float((n * m).sum() / n.sum())
    squares = ((n - 1) * spread**2 + n * (m - mean) ** 2).sum()
    return mean, float(np.sqrt(squares / (n.sum() - 1))) if n.sum() > 1 else math.nan


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Returns mean and deviation of the test errors over all seeds, one row per task.

    CIFAR-10's are over all training runs of all searches, as in the paper; elsewhere only each
    architecture's mean over its runs is known.
    """
    rows = []
    for task, _ in TRUTHS:
        if f"{task}_error" not in table:
            continue
        errors = table[f"{task}_error"]
        runs = table.get(f"{task}_runs", pd.Series(1, index=table.index))
        spread = table.get(f"{task}_std", pd.Series(math.nan, index=table.index))
        mean, deviation = pooled(errors.tolist(), spread.tolist(), runs.tolist())
        values = int(runs.sum())
        rows.append({"task": task, "error": mean, "std": deviation, "values": values})
    return pd.DataFrame(rows, columns=["task", "error", "std", "values"])


def _write(search: Search, config: Config, table: pd.DataFrame) -> None:
    for frame, name in ((table, "found"), (summarise(table), "summary")):
        figures.write_tables(frame, search.folder / name, ("csv",))
    compared = pd.concat([_comparisons(search, seed) for seed in config.seeds], ignore_index=True)
    for frame, name in ((_step_table(search, config.seeds), "steps"), (compared, "comparisons")):
        with atomic(search.folder / f"{name}.parquet") as temporary:
            frame.to_parquet(temporary, index=False)


def _report(table: pd.DataFrame) -> None:
    """Prints what was found and the mean errors."""
    for row in table.to_dict("records"):
        console.print(
            f"seed {row['seed']}: {row['architecture']} ({row['params'] / 1e6:.2f} M parameters, "
            f"{row['distinct']} distinct in {row['iterations']} iterations)",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    for row in summarise(table).to_dict("records"):
        console.print(
            f"{row['task']}: test error {row['error']:.2f} ± {row['std']:.2f} %, "
            f"{row['values']} values",
            highlight=False,
        )


jobs.add("zero_cost_pt", zero_cost_pt)
