"""Runs searches and shows how far they are: live in one process, as they finish in several."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from harness.core.errors import HarnessError
from harness.executors.executor import ExecutorSettings, execute
from harness.executors.local import local
from harness.executors.progress import Rate, console, watched
from harness.search.swap_nas.evolution import Candidate
from harness.search.swap_nas.searches import SwapNasSearch, run_search


def run_searches(items: Sequence[SwapNasSearch], settings: ExecutorSettings) -> pd.DataFrame:
    """Runs the searches that are not finished and returns the evaluations of all of them.

    Raises:
        HarnessError: If a search cannot go on, or workers were lost; what was measured is kept.
        DataError: If what is stored of a search is damaged.
    """
    missing = [item for item in items if item.evaluations().read().empty]
    if missing:
        first = missing[0]
        console.print(
            f"{len(missing)} of {len(items)} searches to run, {first.settings.budget} evaluations "
            f"each ({first.scorer.conditions.space}, {first.scorer.conditions.task}).",
            soft_wrap=True,
        )
        alone = settings.name == "processes" and min(settings.width, len(missing)) == 1
        (_run_live if alone or settings.name == "local" else _run_apart)(missing, settings)
    return pd.concat(map(_finished, items), ignore_index=True)


def _finished(item: SwapNasSearch) -> pd.DataFrame:
    table = item.evaluations().read()
    if table.empty:
        raise HarnessError(
            f"The search {item.name}, seed {item.scorer.seed}, is missing in {item.folder} "
            "although all work was done; if workers ran on other machines, choose a results= "
            "folder that all of them share."
        )
    return table


def _run_live(items: Sequence[SwapNasSearch], settings: ExecutorSettings) -> None:
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=12),
        MofNCompleteColumn(),
        Rate(),
        TextColumn("best {task.fields[score]:.1f} at size {task.fields[theta]:.3f}"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    shown = Progress(*columns, console=console, speed_estimate_period=30, disable=not watched())
    with shown as progress:
        for item in items:
            name = f"{item.name} seed {item.scorer.seed}"
            bar = progress.add_task(name, total=item.settings.budget, score=0.0, theta=0.0)

            def watch(done: int, best: Candidate, theta: float, bar: TaskID = bar) -> None:
                progress.update(bar, completed=done, score=np.exp(best.fitness), theta=theta)

            for _ in local(partial(run_search, watch=watch), [item], settings):
                progress.refresh()


def _run_apart(items: Sequence[SwapNasSearch], settings: ExecutorSettings) -> None:
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=console, disable=not watched()) as progress:
        bar = progress.add_task("searches", total=len(items))
        for item in execute(run_search, items, settings):
            table = _finished(item)
            best = table.iloc[int(table.fitness.to_numpy().argmax())]
            progress.console.print(
                f"{item.name} seed {item.scorer.seed}: best {best.score:.1f} at size "
                f"{best.theta:.3f}, evaluation {best.evaluation} of {len(table)}",
                highlight=False,
                soft_wrap=True,
            )
            progress.advance(bar)
