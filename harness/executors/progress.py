"""Cuts work into shards, runs them and shows how far the whole is."""

from __future__ import annotations

import sys
import time
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

from harness.executors.executor import ExecutorSettings, execute

Item = TypeVar("Item")
console = Console(stderr=True, force_jupyter=False)

LINE_SECONDS = 60


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
    # Not rich's own question: a notebook would get every state of the bar as a line.
    show = _show_bar if sys.stderr.isatty() else _write_lines
    show(execute(function, shards, settings), title, done, total)


def _show_bar(finished: Iterator[int], title: str, done: int, total: int) -> None:
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, speed_estimate_period=120) as progress:
        bar = progress.add_task(title, total=total, completed=done)
        for count in finished:
            progress.advance(bar, count)


def _write_lines(finished: Iterator[int], title: str, done: int, total: int) -> None:
    """Writes a line now and then: a bar in the file of a cluster's output cannot be read."""
    start = last = time.monotonic()
    before = done
    for count in finished:
        done += count
        now = time.monotonic()
        if done == total or now - last >= LINE_SECONDS:
            last = now
            rate = (done - before) / max(now - start, 1e-3)
            line = f"{title}: {done} of {total}, {rate:.1f}/s"
            console.print(line, highlight=False, markup=False, soft_wrap=True)
