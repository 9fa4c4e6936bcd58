"""Cuts work into shards and runs them with a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from harness.executors import ExecutorSettings, executors

Item = TypeVar("Item")
console = Console(stderr=True)


def blocks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yields consecutive blocks of at most ``size`` items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


class Rate(ProgressColumn):
    """Items per second since the start."""

    def render(self, task: Task) -> Text:
        """Returns the rate, or nothing before the first result."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f}/s" if speed else "", style="progress.data.speed")


def run_shards(
    function: Callable[[Item], int],
    shards: Sequence[Item],
    settings: ExecutorSettings,
    *,
    title: str,
    done: int,
    total: int,
) -> None:
    """Runs the shards that are missing and shows how far the whole is.

    Args:
        function: Computes and stores one shard and returns how many items it held.
        shards: What is missing.
        settings: The executor.
        title: What is being done.
        done: Items that earlier runs finished.
        total: All items.
    """
    if not shards:
        return
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    execute = executors.get(settings.name)
    with Progress(*columns, console=console, speed_estimate_period=120) as progress:
        bar = progress.add_task(title, total=total, completed=done)
        for finished in execute(function, shards, settings):
            progress.advance(bar, finished)
