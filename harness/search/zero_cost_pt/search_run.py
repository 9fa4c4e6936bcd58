"""Searches an untrained supernet, one search per seed, and adds them to the result.

Stage 1 ends with up to N architectures per seed; stage 2 selects the one whose own network has the
highest summed score over V batches (Zero-Cost-PT paper, algorithms 1 and 2).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from harness.config import Config
from harness.executors.executor import ExecutorSettings
from harness.executors.missing_work import run_missing
from harness.executors.progress import blocks
from harness.inputs.batch import load_batch
from harness.inputs.tasks import tasks
from harness.proxies.contract import proxies
from harness.results import record
from harness.results.folder import refuse_other_conditions, replacing
from harness.results.layout import result_path, work_path
from harness.results.terminal import plain_table
from harness.search.supernets.named_supernets import blueprint
from harness.search.zero_cost_pt import selected
from harness.search.zero_cost_pt.algorithm import count_perturbations, schedule
from harness.search.zero_cost_pt.iterations import (
    ComparisonShard,
    IterationShard,
    PerturbationSearch,
    read_steps,
    run_comparison,
    run_iteration,
)
from harness.search.zero_cost_pt.selected_errors import TRUTHS, accuracies_of, summary, with_errors
from harness.search.zero_cost_pt.stored_searches import (
    StoredSearches,
    chosen,
    ends,
    read_searches,
)
from harness.search.zero_cost_pt.supernet_scoring import scored_under
from harness.search.zero_cost_pt.zero_cost_pt_settings import ZeroCostPtSettings

BATCHES_PER_FILE = 10


def search_supernet(config: Config, settings: ZeroCostPtSettings) -> Path:
    """Searches with every seed that the result lacks, resuming what was interrupted.

    Returns:
        The folder ``results/<study>/<space>/<task>/<proxy>-<counting>-<order>``.

    Raises:
        HarnessError: If a name or a setting is wrong, or the result has other conditions.
        DataError: If images or accuracies cannot be had, or what is stored is damaged.
    """
    started = time.monotonic()
    search, folder = search_of(config, settings), result_path(config, settings.name)
    known = _stored(folder, search, config)
    missing = [s for s in config.seeds if known is None or s not in set(known.selected.seed)]
    if missing:
        accuracies = accuracies_of(config.space, config.task)
        # What is wrong with the images is told before any work.
        load_batch(tasks.get(config.task), config.inputs, 0, search.conditions.batch_size)
        found = _searched(search, missing, config.executor)
        if known := _stored(folder, search, config):  # another run may have ended meanwhile
            found += known
        errors = with_errors(found.selected, accuracies)
        known = StoredSearches(errors, found.steps, found.comparisons)
        _write(folder, search, known, config, accuracies, seconds=time.monotonic() - started)
    if known is not None:
        _report(known.selected, title=f"{config.space} · {config.task}: {folder.name}")
    return folder


def search_of(config: Config, settings: ZeroCostPtSettings) -> PerturbationSearch:
    """Returns the search that a configuration asks for.

    Raises:
        HarnessError: If the space has no supernet or the proxy does not exist.
    """
    blueprint(config.space)
    proxies.get(settings.proxy)
    conditions = scored_under(config, settings, channels_last=True)  # much faster on a CPU
    work = work_path(config, "zero_cost_pt", config.space, config.task)
    return PerturbationSearch(conditions, settings, work)


def conditions_of(search: PerturbationSearch) -> dict[str, Any]:
    """Returns what decides a result besides the seeds, as its record says it."""
    looked_up = search.conditions.space == "nb201" and search.conditions.task in TRUTHS
    return search.described() | {
        "iterations": search.settings.iterations,
        "validations": search.settings.validations,
        "truth": TRUTHS if looked_up else None,
    }


def _stored(folder: Path, search: PerturbationSearch, config: Config) -> StoredSearches | None:
    """Returns the searches of a result that this run adds to."""
    conditions = conditions_of(search)
    old = refuse_other_conditions(folder, conditions, overwrite=config.overwrite, additive=())
    return None if old is None else read_searches(folder)


def _searched(
    search: PerturbationSearch, seeds: list[int], executor: ExecutorSettings
) -> StoredSearches:
    """Runs both stages and returns the searches, without test errors."""
    iterations = range(search.settings.iterations)
    _iterate(search, [(seed, iteration) for seed in seeds for iteration in iterations], executor)
    steps = pd.concat(
        search.steps(seed, iteration).read().sort_values("step", kind="stable")
        for seed in seeds
        for iteration in iterations
    )
    ended = ends(search.conditions.space, steps)
    _compare(search, ended, executor)
    compared = pd.concat(search.comparisons(seed).read() for seed in seeds)
    compared = compared[compared.batch < search.settings.validations]
    rows = [_selected(search, seed, ended, steps, compared) for seed in seeds]
    return StoredSearches(pd.DataFrame(rows), steps, compared)


def _iterate(
    search: PerturbationSearch, asked: list[tuple[int, int]], executor: ExecutorSettings
) -> None:
    """Stage 1: runs the iterations that are not finished; they do not depend on each other."""
    each = count_perturbations(search.problem(0, 0))

    def missing() -> Iterator[IterationShard]:
        for seed, iteration in asked:
            steps = read_steps(search, seed, iteration)
            if len(steps) < len(schedule(search.problem(seed, iteration))):
                left = each - sum(step.evaluations for step in steps)
                yield IterationShard(search, seed, iteration, left)

    run_missing(
        run_iteration,
        missing,
        executor,
        title=f"perturbations, {search.conditions.space} {search.settings.order}",
        total=each * len(asked),
        folder=search.work,
    )


def _compare(search: PerturbationSearch, ended: pd.DataFrame, executor: ExecutorSettings) -> None:
    """Stage 2: scores every distinct architecture of a seed on V batches."""
    distinct = ended[["seed", "key"]].drop_duplicates()
    rivals = distinct[distinct.groupby("seed").key.transform("size") > 1]
    validations = search.settings.validations

    def missing() -> Iterator[ComparisonShard]:
        for seed, key in rivals.itertuples(index=False, name=None):
            stored = search.comparisons(seed).read()
            finished = set(stored[stored.architecture == key].batch)
            left = [batch for batch in range(validations) if batch not in finished]
            for block in blocks(left, BATCHES_PER_FILE):
                yield ComparisonShard(search, seed, key, tuple(block))

    run_missing(
        run_comparison,
        missing,
        executor,
        title=f"comparisons, {search.conditions.space}",
        total=len(rivals) * validations,
        folder=search.work,
    )


def _selected(
    search: PerturbationSearch,
    seed: int,
    ended: pd.DataFrame,
    steps: pd.DataFrame,
    compared: pd.DataFrame,
) -> dict[str, object]:
    """Returns the row of one seed."""
    space, task, settings = search.conditions.space, search.conditions.task, search.settings
    key, distinct = chosen(ended, compared, seed, settings.iterations, settings.validations)
    steps, compared = steps[steps.seed == seed], compared[compared.seed == seed]
    return {
        "seed": seed,
        "architecture": key,
        "params": selected.final_params(space, key, task),
        "iterations": settings.iterations,
        "validations": settings.validations,
        "distinct": distinct,
        "perturbations": int((steps.phase != "first").sum()),
        "seconds_search": round(float(steps.seconds.sum()), 1),
        "seconds_comparison": round(float(compared.seconds.sum()), 1),
    }


def _write(
    folder: Path,
    search: PerturbationSearch,
    searches: StoredSearches,
    config: Config,
    accuracies: dict[str, pd.DataFrame],
    *,
    seconds: float,
) -> None:
    """Leaves searches in their result."""
    tables = {name: one.attrs for name, one in accuracies.items()}
    sources = sorted({name for described in tables.values() for name in described["sources"]})
    provenance = record.of_run(
        config,
        conditions=conditions_of(search),
        resolved={
            "seeds": searches.selected.seed.tolist(),
            "perturbations_per_iteration": count_perturbations(search.problem(0, 0)),
            "seconds_of_this_run": round(seconds, 1),
        },
        truth={"sources": sources, "tables": tables},
        computed=record.machines([*searches.steps.machine, *searches.comparisons.machine]),
    )
    with replacing(folder) as fresh:
        searches.write(fresh)
        errors = summary(searches.selected)
        errors.to_csv(fresh / "summary.csv", index=False, lineterminator="\n")
        record.write(fresh, provenance)


def _report(searches: pd.DataFrame, title: str) -> None:
    """Prints sizes and test errors of what was selected, and their means."""
    shown = searches.filter(regex="^(seed|params|distinct|.*_error)$")
    tables = {title: shown, "mean over seeds": summary(searches)}
    for name, table in tables.items():
        if not table.empty:
            Console().print(plain_table(table, title=name, float_format="%.2f"))
