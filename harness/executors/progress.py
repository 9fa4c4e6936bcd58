"""Cuts work into shards, runs them and shows how far the whole is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
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
        return Text(_pace(speed) if speed else "", style="progress.data.speed")


def _pace(speed: float) -> str:
    """Writes items per second, of slow ones seconds per item."""
    return f"{speed:.1f}/s" if speed >= 1 else f"{1 / speed:.1f} s each"


def watched() -> bool:
    """Tells whether somebody sees a bar move; a file and a notebook get every state as a line."""
    return sys.stderr.isatty()


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
    show = _show_bar if watched() else _write_lines
    show(execute(function, shards, settings), title, done, total)


def _show_bar(finished: Iterator[int], title: str, done: int, total: int) -> None:
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=None),  # as wide as the words leave room
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=console, speed_estimate_period=120) as progress:
        bar = progress.add_task(title, total=total, completed=done)
        for count in finished:
            progress.advance(bar, count)


def _write_lines(finished: Iterator[int], title: str, done: int, total: int) -> None:
    """Writes a line a minute, as the file of a cluster's output wants it; a short run is quiet."""
    start = last = time.monotonic()
    before = done
    for count in finished:
        done += count
        now = time.monotonic()
        if now - last >= LINE_SECONDS:
            last = now
            rate = (done - before) / (now - start)
            left = timedelta(seconds=round((total - done) / rate))
            line = f"{title}: {done} of {total}, {_pace(rate)}, {left} left"
            console.print(line, highlight=False, markup=False, soft_wrap=True)
